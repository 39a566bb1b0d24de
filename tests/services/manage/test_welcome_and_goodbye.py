"""The first letter shows the best of the week, the last one the way to one's data; either can be left out."""

from datetime import timedelta

from services.clock import FrozenClock
from services.manage import subscribers
from services.manage.subscriptions import Wish
from services.pipeline import deliver
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.factories import carry, draft, publish, reader, rows

KINDS = "SELECT i.kind, d.state FROM issues i JOIN deliveries d ON d.issue_id = i.id ORDER BY i.id"


def confirmed(rt: Runtime, email: str = "anna@mail.example") -> None:
    subscribers.sign_up(rt, email=email, interests=[Wish("kind:call", "Nabory")])
    (asked,) = rows(rt, "SELECT slots FROM issues WHERE kind = 'confirm'")
    subscribers.confirm(rt, asked["slots"]["confirm_url"].rpartition("/")[2])
    deliver.run_mail(rt)


def welcome(rt: Runtime) -> str:
    (body,) = rows(
        rt, "SELECT c.text FROM contents c JOIN issues i ON i.content_hash = c.hash WHERE i.kind = 'welcome'"
    )
    return str(body["text"])


def test_a_welcome_shows_the_best_of_the_last_week_and_nothing_else(rt: Runtime, clock: FrozenClock) -> None:
    publish(rt, draft("old", title="Dawny nabór"))
    clock.advance(timedelta(days=10))
    publish(
        rt, draft("new", title="Świeży nabór"), draft("soon", title="Nabór z terminem",
        deadline_at=clock.now() + timedelta(days=6)), draft("paid", title="Oferta", commercial=True),
        draft("other", title="Przetarg", kind="tender"),
    )  # fmt: skip
    carry(rt)
    confirmed(rt)

    said = welcome(rt)
    assert said.index("Nabór z terminem") < said.index("Świeży nabór")
    for absent in ("Dawny nabór", "Oferta", "Przetarg"):
        assert absent not in said


def test_a_welcome_without_news_has_no_empty_list(rt: Runtime) -> None:
    confirmed(rt)
    assert "Najlepsze" not in welcome(rt)


def test_who_leaves_on_their_page_gets_one_last_letter_with_their_data(rt: Runtime) -> None:
    person = reader(rt)
    subscribers.leave(rt, person.id)
    subscribers.leave(rt, person.id)
    publish(rt)
    carry(rt)

    assert [tuple(row.values()) for row in rows(rt, KINDS)] == [("goodbye", "sent")]
    (slots,) = rows(rt, "SELECT slots FROM issues")
    assert slots["slots"]["export_url"].endswith("/export")


def test_both_letters_can_be_left_out_by_settings(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(welcome=False, goodbye=False)
    confirmed(rt)
    subscribers.leave(rt, subscribers.show(rt, "anna@mail.example").id)
    deliver.run_mail(rt)
    assert [row["kind"] for row in rows(rt, KINDS)] == ["confirm"]
