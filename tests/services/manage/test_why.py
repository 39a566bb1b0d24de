import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.clock import FrozenClock
from services.errors import NotFound
from services.manage import subscribers, subscriptions
from services.manage.why import REASONS, Why, why
from services.pipeline import accept, match
from services.runtime import TEMPLATES, Runtime
from services.storage import fanout, issues
from tests import factories
from tests.doubles.web import Answer, WebDouble

ANNA = "anna@mail.example"


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/hook", Answer(status=503))
        yield double


def published(rt: Runtime, **given: Any) -> int:
    [one] = factories.publish(rt, factories.draft(**given))
    assert one.notice_id is not None
    return one.notice_id


def told(found: Why, name: str) -> str:
    return "; ".join(step.text for step in found.steps if step.name == name)


def test_a_delivered_notice_tells_the_interest_the_words_and_the_letter(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "dotacja")
    notice = published(rt, title="Nowe dotacje dla firm")
    factories.carry(rt)
    found = why(rt, notice_id=notice, recipient="Anna@Mail.example")
    assert "“zakres dotacja” was met: dotacja by “dotacje” in the title" in told(found, "interest")
    assert "went into letter" in told(found, "issue")
    assert "was sent" in told(found, "delivery")
    assert found.verdict == "Delivered."
    assert ANNA not in str(found)


def test_an_interest_that_was_not_met_names_the_condition_that_failed(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "dotacja place:torun")
    notice = published(rt)
    factories.carry(rt)
    found = why(rt, notice_id=notice, recipient=ANNA)
    assert re.search(r"place:\S+ does not hold", found.verdict)
    assert "dotacj" not in found.verdict.partition("not met:")[2]


def test_an_exclusion_names_what_stood_in_the_way(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "dotacja -firma")
    notice = published(rt)
    factories.carry(rt)
    assert "because of “firm”" in why(rt, notice_id=notice, recipient=ANNA).verdict


@pytest.mark.parametrize(
    ("given", "reason"),
    [({"commercial": True}, "commercial"), ({"key": "x"}, "")],
)
def test_who_is_left_out_learns_the_reason(rt: Runtime, given: dict[str, object], reason: str) -> None:
    factories.reader(rt)
    notice = published(rt, **given)
    factories.carry(rt)
    found = why(rt, notice_id=notice, recipient=ANNA)
    assert (reason in found.verdict) if reason else (found.verdict == "Delivered.")


def test_a_digest_that_waits_tells_until_when(rt: Runtime) -> None:
    factories.reader(rt, cadence="daily@07:00")
    notice = published(rt)
    match.run(rt)
    assert "waits (daily@07:00) for 2026-11-24T06:00:00Z" in why(rt, notice_id=notice, recipient=ANNA).verdict


def test_what_was_not_matched_yet_says_so(rt: Runtime) -> None:
    factories.reader(rt)
    notice = published(rt)
    assert "Not delivered yet" in why(rt, notice_id=notice, recipient=ANNA).verdict


def test_an_interest_that_came_after_the_notice_is_told_so(rt: Runtime, clock: FrozenClock) -> None:
    notice = published(rt)
    factories.carry(rt)
    clock.advance(timedelta(hours=1))
    factories.reader(rt)
    assert "only later" in why(rt, notice_id=notice, recipient=ANNA).verdict


def test_a_person_who_left_or_never_confirmed_is_told_so(rt: Runtime) -> None:
    notice = published(rt)
    one = factories.reader(rt)
    subscribers.leave(rt, one.id)
    assert "left" in told(why(rt, notice_id=notice, recipient=ANNA), "recipient")


def test_an_endpoint_that_fails_shows_its_attempts(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    notice = published(rt)
    factories.carry(rt)
    found = why(rt, notice_id=notice, recipient=made.endpoint.uid)
    assert "is tried again" in found.verdict
    [delivery] = [step for step in found.steps if step.name == "delivery"]
    assert delivery.data["attempts"][0]["status"] == 503


def test_an_endpoint_that_was_disabled_then_is_told_so_though_it_is_not_now(
    rt: Runtime, web: WebDouble
) -> None:
    made = factories.listener(rt, web.url("/hook"))
    factories.rows(rt, "UPDATE endpoints SET state = 'disabled' RETURNING id")
    notice = published(rt)
    factories.carry(rt)
    factories.rows(rt, "UPDATE endpoints SET state = 'active' RETURNING id")
    assert "the endpoint was disabled then" in why(rt, notice_id=notice, recipient=made.endpoint.uid).verdict


@pytest.mark.parametrize("nobody", ["nobody@mail.example", "00000000-0000-0000-0000-000000000000", "x"])
def test_nobody_is_told_about_nobody(rt: Runtime, nobody: str) -> None:
    notice = published(rt)
    with pytest.raises(NotFound):
        why(rt, notice_id=notice, recipient=nobody)
    with pytest.raises(NotFound):
        why(rt, notice_id=notice + 1, recipient=ANNA)


def test_old_notices_of_a_first_read_say_that_nobody_is_told(rt: Runtime, clock: FrozenClock) -> None:
    factories.reader(rt)
    old = factories.draft(published_at=clock.now() - timedelta(days=30))
    [one] = accept.accept(rt, factories.door(rt), [old], tell_since=clock.now() - timedelta(days=7))
    assert one.notice_id is not None
    assert "nobody is told" in why(rt, notice_id=one.notice_id, recipient=ANNA).verdict


def test_what_was_met_keeps_its_witnesses_and_the_text_around(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "rower kind:call -tramwaj")
    lead = "Gmina dopłaci w przyszłym roku mieszkańcom całego powiatu do każdego roweru, tak jak obiecała."
    notice = published(rt, title="Nabór", summary=lead)
    factories.carry(rt)
    [step] = [s for s in why(rt, notice_id=notice, recipient=ANNA).steps if s.name == "interest"]
    assert step.data["witnesses"] == ["kind:call", "rower"]
    found = {c["condition"]: c["found"] for c in step.data["clauses"] if c["found"]}
    assert found["rower"][0]["field"] == "summary"
    before, word, after = found["rower"][0]["snippet"]
    assert (word, after) == ("roweru", ", tak jak obiecała.")
    assert before.startswith("…")
    assert lead.endswith(before.removeprefix("…") + word + after)


def test_a_revision_does_not_change_why_the_first_version_came(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "rower")
    notice = published(rt, title="Nabór na rowery")
    factories.carry(rt)
    published(rt, title="Nabór na hulajnogi")
    factories.carry(rt)
    assert "rower by “rowery” in the title" in told(why(rt, notice_id=notice, recipient=ANNA), "interest")


def test_an_event_in_quarantine_is_told_as_such(rt: Runtime) -> None:
    factories.reader(rt, ANNA)
    notice = published(rt)
    factories.rows(rt, "UPDATE events SET error = 'unexpected' RETURNING id")
    found = why(rt, notice_id=notice, recipient=ANNA)
    assert "is in quarantine" in told(found, "published")


def test_a_letter_is_told_of_though_the_interest_that_brought_it_was_dropped(rt: Runtime) -> None:
    anna = factories.reader(rt, ANNA, "rower", "kind:tender")
    notice = published(rt, title="Nabór na rowery")
    factories.carry(rt)
    subscriptions.remove(rt, anna.id, anna.subscriptions[0].id)

    found = why(rt, notice_id=notice, recipient=ANNA)

    assert found.verdict == "Delivered."
    assert "by “zakres rower”; what asked for it was dropped since" in told(found, "issue")


def test_an_interest_that_was_changed_since_does_not_claim_what_it_did_not_bring(rt: Runtime) -> None:
    anna = factories.reader(rt, ANNA, "rower")
    factories.reader(rt, "jan@mail.example", "kind:call")
    notice = published(rt, title="Nabór na rowery")
    factories.carry(rt)
    for query in ("przetarg", "kind:call"):  # one that meets nothing, one that somebody else asked for
        subscriptions.change(rt, anna.id, anna.subscriptions[0].id, query=query)
        found = why(rt, notice_id=notice, recipient=ANNA)
        assert re.search(r"went into letter \d, by “zakres rower”", told(found, "issue"))
        assert "was not met" not in told(found, "interest")
    subscriptions.change(rt, anna.id, anna.subscriptions[0].id, query="przetarg")
    assert "asked for something else then" in told(why(rt, notice_id=notice, recipient=ANNA), "interest")


def test_what_others_asked_for_before_is_no_reason_for_who_asked_later(
    rt: Runtime, clock: FrozenClock
) -> None:
    factories.reader(rt, "jan@mail.example", "rower")
    notice = published(rt, title="Nabór na rowery")
    factories.carry(rt)
    clock.advance(timedelta(hours=1))
    factories.reader(rt, ANNA, "rower")

    found = why(rt, notice_id=notice, recipient=ANNA)

    assert "only later" in found.verdict
    assert "was met" not in told(found, "interest")


def test_a_story_that_came_from_another_names_who_told_it(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "dotacja")
    body = " ".join(f"słowo{number} firma{number} gmina{number}" for number in range(60))
    given: dict[str, Any] = {"title": "Nowe dotacje dla firm", "body_html": f"<p>{body}</p>"}
    [first] = factories.publish(rt, factories.draft("a", **given), name="Urząd Marszałkowski")
    factories.carry(rt)
    [second] = factories.publish(rt, factories.draft("b", **given), name="Uniwersytet Testowy")
    factories.carry(rt)
    assert second.notice_id is not None

    found = why(rt, notice_id=second.notice_id, recipient=ANNA)

    assert "told already" in found.verdict
    assert f"by notice {first.notice_id} of Urząd Marszałkowski, in letter 1" in told(found, "story")


def test_a_paused_interest_says_until_when(rt: Runtime, clock: FrozenClock) -> None:
    anna = factories.reader(rt, ANNA, "dotacja")
    until = clock.now() + timedelta(days=3)
    subscriptions.change(rt, anna.id, anna.subscriptions[0].id, paused_until=until)
    notice = published(rt, title="Nowe dotacje")
    factories.carry(rt)

    found = why(rt, notice_id=notice, recipient=ANNA)

    assert "it is paused until 2026-11-26T12:00:00Z" in told(found, "interest")
    assert found.verdict.startswith("Not delivered yet: published: held back by a pause")


def test_marks_that_are_written_apart_do_not_hide_the_text_around(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "żółw")
    notice = published(rt, title=unicodedata.normalize("NFD", "Nasz żółw wrócił"))
    factories.carry(rt)
    assert "“żółw” in the title (“Nasz żółw wrócił”)" in told(
        why(rt, notice_id=notice, recipient=ANNA), "interest"
    )


def test_every_reason_that_is_written_has_its_words_here_and_on_the_page() -> None:
    written = set(re.findall(r"THEN '([a-z_]+)'", fanout._REASON)) | set(
        re.findall(r"THEN '([a-z_]+)'\n", issues._WAITING.partition("AS excluded")[0])
    )
    written |= {"interest_changed", "already_told", "told_by_a_newer_event"}
    page = (TEMPLATES / "web" / "why.html").read_text(encoding="utf-8")
    assert len(written) > 12
    assert written <= set(REASONS)
    assert written <= set(re.findall(r'^  "([a-z_]+)": _\(', page, re.MULTILINE))
