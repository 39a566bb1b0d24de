"""Two hundred digests of anything: below what mail readers show, without defects, nothing lost or doubled."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.channels import mime
from services.channels.base import Letter
from services.domain.reach import Reach
from services.pipeline import digests
from services.pipeline.contents import Item, draw
from services.pipeline.strength import Scales
from services.rendering import MAX_HTML_BYTES, Rendered
from services.runtime import Runtime
from services.storage.issues import ToldEvent, Waiting, Window
from tests.conftest import NOON

SIGNS = "aąćęłńóśźż &<>\"'“„…—😀\u0301\u202eא\t\r\n\x00%{}[]=.,;:/-0123456789"


REACH = Reach("Europe/Warsaw")
WINDOW = Window(1, 1, "daily@07:00", "Europe/Warsaw", NOON - timedelta(days=1), NOON, True, REACH)
LINK = "https://goniec.example/manage/" + "x" * (digests.LINK_BYTES - 30)


@dataclass
class Dice:
    """Anything that a source may send, from one seed."""

    random: Random

    def text(self, most: int) -> str:
        return "".join(self.random.choices(SIGNS, k=self.random.randint(0, most)))

    def day(self) -> str | None:
        days = self.random.choice([None, -20, 0, 1, 5, 13, 40])
        return None if days is None else (NOON + timedelta(days=days)).isoformat()

    def shot(self) -> dict[str, Any]:
        one_of = self.random.choice
        return {
            "title": self.text(one_of([10, 80, 500])) or "Bez tytułu",
            "summary": self.text(one_of([0, 200, 2_000])),
            "places": self.random.sample(["0461011", "0463011", "0403", "9999999"], one_of([0, 1, 3])),
            "url": one_of([None, "javascript:alert(1)", "https://a.example/" + self.text(1_500)]),
            "kind": one_of(["news", "call", "meeting", "later-kind"]),
            "deadline_at": self.day(), "starts_at": self.day(), "ends_at": self.day(),
            "published_at": NOON.isoformat(), "language": one_of([None, "pl", "en"]), "revision": 1,
            "institution": {"slug": one_of("abc"), "name": self.text(80)},
        }  # fmt: skip

    def told_as(self) -> str:
        return self.random.choice(["published", "published", "revised", "withdrawn"])

    def labels(self) -> list[str]:
        few = self.random.choice([1, 2, 12])
        return [" ".join(self.text(120).replace("\x00", "").split()) or "temat" for _ in range(few)]


def story(number: int, dice: Dice, labels: list[str], locale: str) -> tuple[Item, list[Waiting]]:
    told_as = dice.told_as()
    event = ToldEvent(
        event_id=number + 1, type=told_as, notice_id=number + 1, story_id=number + 1, revision=1,
        is_newest=True, is_withdrawn=told_as == "withdrawn", snapshot=dice.shot(), tellers=tuple(labels[:4]),
        at=NOON - timedelta(hours=number), city=None,
    )  # fmt: skip
    group = [
        Waiting(
            100 * number + n, n, label, 1, locale, "Europe/Warsaw", event.event_id, "nothing", None, None, n,
            ("kind:call",), "daily@07:00", False, REACH,
        )
        for n, label in enumerate(labels)
    ]  # fmt: skip
    return Item(event, told_as, dice.shot() if told_as == "revised" else None), group


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from([1, 1, 2, 2, 3, 4, 6, 9, 40]), st.sampled_from(["pl", "en"]))
def test_a_digest_of_anything_fits_parses_and_loses_nothing(
    rt: Runtime, seed: int, number: int, locale: str
) -> None:
    dice = Dice(Random(seed))
    labels = dice.labels()
    stories = [story(n, dice, labels, locale) for n in range(number)]

    made = digests.compose(rt, WINDOW, stories, Scales(rt.analyser, NOON, {}), until=NOON)
    body = draw(rt, made.sheet)
    values = {f"why:{n}": digests.why_line(group) for n, group in enumerate(made.groups)}
    values |= {f"less:{n}": LINK for n in range(len(made.groups))}
    values |= dict.fromkeys(("manage_url", "unsubscribe_url", "view_url", "more_url"), LINK)
    message = message_from_bytes(mime.write(_letter(body, values, locale)), policy=default)

    assert not [part.defects for part in message.walk() if part.defects]
    html = message.get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert len(content.encode()) <= MAX_HTML_BYTES
    assert content.count('class="story-title"') == len(made.groups) >= 1
    assert "javascript:" not in content
    assert len(made.groups) + made.sheet.more == number
    ids = [item.event.event_id for item in made.sheet.items]
    assert len(set(ids)) == len(ids)
    assert str(message["subject"]).strip()


def _letter(body: Rendered, values: dict[str, str], locale: str) -> Letter:
    return Letter(
        delivery_id="d1", to="anna@mail.example", from_="Goniec <goniec@goniec.example>",
        envelope_from="b@goniec.example", subject=body.subject, text=body.text, html=body.html,
        language=locale,
        date=datetime(2026, 11, 23, tzinfo=UTC), list_id="digest.goniec.example",
        unsubscribe_url="https://goniec.example/u/x", archive_url="https://goniec.example/issues/x",
        feedback_id="1:digest:goniec", message_id="d1@goniec.example", in_reply_to="", salt=body.salt,
        values=values,
    )  # fmt: skip
