"""Who is silent for long is asked whether they stay, reminded once, and let go; one button ends it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.domain import links, tokens
from services.manage import housekeeping, privacy, silence, subscribers
from services.manage.silence import Silent
from services.manage.subscribers import SubscriberView
from services.pipeline import deliver, feedback
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.factories import many_readers, only, reader, rows

YEAR, REMINDER, LAST = timedelta(days=366), timedelta(days=17), timedelta(days=15)
LETTERS = """
    SELECT i.kind, d.state FROM issues i JOIN deliveries d ON d.issue_id = i.id
    WHERE i.kind <> 'digest' ORDER BY i.id
"""


@pytest.fixture
def rt(open_runtime: OpenRuntime) -> Runtime:
    return open_runtime(reconsent_after_days=365)


def later(rt: Runtime, clock: FrozenClock, span: timedelta) -> None:
    """Time passes, the scheduler tidies up, and mail leaves."""
    clock.advance(span)
    housekeeping.tidy(rt)
    deliver.run_mail(rt)


def letters(rt: Runtime) -> list[str]:
    assert {row["state"] for row in rows(rt, LETTERS)} <= {"sent"}
    return [str(row["kind"]) for row in rows(rt, LETTERS)]


def consents(rt: Runtime) -> list[tuple[str, str]]:
    return [(r["action"], r["via"]) for r in rows(rt, "SELECT action, via FROM consents ORDER BY id")]


def stay_token(rt: Runtime, person: SubscriberView) -> str:
    return links.stay_token(rt.settings.secret_key, person.id)


def test_the_silent_are_asked_reminded_and_let_go_with_proof(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt, cadence="daily@07:00")
    later(rt, clock, YEAR)
    assert letters(rt) == ["reconsent"]
    for _ in range(3):
        later(rt, clock, timedelta(days=1))
    assert letters(rt) == ["reconsent"]
    later(rt, clock, REMINDER)
    assert letters(rt) == ["reconsent", "reconsent_last"]
    later(rt, clock, LAST)
    later(rt, clock, YEAR)

    assert letters(rt) == ["reconsent", "reconsent_last", "goodbye"]
    assert subscribers.show_by_id(rt, person.id).state == "left"
    assert only(rt, "SELECT count(*) AS n FROM subscriptions")["n"] == 0
    asked = [("asked_to_stay", "letter"), ("reminded_to_stay", "letter"), ("leave", "silence")]
    assert consents(rt)[1:] == asked
    assert [line["action"] for line in privacy.export(rt, person.id)["consents"]][1:] == [a for a, _ in asked]


def test_the_letter_tells_what_it_is_about_and_until_when(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, locale="en")
    later(rt, clock, YEAR)
    body = only(rt, "SELECT c.text FROM contents c JOIN issues i ON i.content_hash = c.hash")["text"]
    said = " ".join(str(body).split())
    for told in ("more than 12 months", "zakres kind:call", "Friday, 24 December 2027"):
        assert told in said


def test_a_look_at_the_page_is_no_answer_and_its_button_is(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt)
    later(rt, clock, YEAR)
    path = str(only(rt, "SELECT slots FROM issues")["slots"]["stay_url"]).removeprefix(rt.settings.base_url)
    with TestClient(make_app(rt), follow_redirects=False) as site:
        for _ in range(2):
            assert "zakres kind:call" in site.get(path).text
            assert site.head(path).status_code in (200, 405)
        assert subscribers.show_by_id(rt, person.id).asked_at is not None
        answer = site.post(path)
        assert (answer.status_code, site.post(path).status_code) == (303, 303)
        assert "Zostajesz" in site.get(answer.headers["location"]).text
    for span in (REMINDER, LAST):
        later(rt, clock, span)

    assert letters(rt) == ["reconsent"]
    assert consents(rt)[1:] == [("asked_to_stay", "letter"), ("stay", "web")]
    later(rt, clock, YEAR)
    assert letters(rt) == ["reconsent", "reconsent"]


def _change_on_own_page(rt: Runtime, person: SubscriberView) -> None:
    with TestClient(make_app(rt), follow_redirects=False) as site:
        sent = {"do": "times", "every": "daily", "hour": "08:00"}
        assert (
            site.post(links.manage_url("", rt.settings.secret_key, person.id), data=sent).status_code == 303
        )


def _change_by_api(rt: Runtime, person: SubscriberView) -> None:
    key = {"Authorization": f"Bearer {links.manage_token(rt.settings.secret_key, person.id)}"}
    with TestClient(make_app(rt)) as api:
        asked = {"query": "kind:tender", "label": "x", "cadence": "instant"}
        assert api.post("/v1/subscriptions", json=asked, headers=key).status_code == 201


def _less_of_this(rt: Runtime, person: SubscriberView) -> None:
    url = links.less_url("", rt.settings.secret_key, person.id, subscription_id=0, notice_id=0)
    with TestClient(make_app(rt), follow_redirects=False) as site:
        assert site.post(url, data={"do": "word", "word": "rower"}).status_code == 303


def _end_one_interest(rt: Runtime, person: SubscriberView) -> None:
    named = {"s": person.id, "p": person.subscriptions[0].id}
    feedback.unsubscribe(rt, tokens.sign(rt.settings.secret_key, "leave", named))


@pytest.mark.parametrize("sign", [_change_on_own_page, _change_by_api, _less_of_this, _end_one_interest])
def test_whatever_a_person_does_themselves_is_a_sign_of_life(
    rt: Runtime, clock: FrozenClock, sign: Callable[[Runtime, SubscriberView], None]
) -> None:
    person = reader(rt, "anna@mail.example", "kind:call", "kind:job")
    later(rt, clock, YEAR)
    sign(rt, person)
    later(rt, clock, REMINDER)
    later(rt, clock, LAST)
    assert letters(rt) == ["reconsent"]
    assert subscribers.show_by_id(rt, person.id).state == "active"
    proof = ("leave_subscription", "one-click") if sign is _end_one_interest else ("stay", "change")
    assert proof in consents(rt)


def test_looking_at_own_page_and_letters_is_no_sign_of_life(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt)
    clock.advance(YEAR)
    token = links.manage_token(rt.settings.secret_key, person.id)
    with TestClient(make_app(rt)) as site:
        site.get(f"/manage/{token}")
        site.get(f"/manage/{token}/letters")
        site.get("/v1/subscriptions", headers={"Authorization": f"Bearer {token}"})
    later(rt, clock, timedelta(0))
    assert letters(rt) == ["reconsent"]


def test_the_paused_and_the_suppressed_are_not_asked(rt: Runtime, clock: FrozenClock) -> None:
    paused, silenced = reader(rt, "a@mail.example"), reader(rt, "b@mail.example")
    subscribers.pause(rt, paused.id, clock.now() + 2 * YEAR)
    with rt.begin() as session:
        session.execute(
            text("INSERT INTO suppressions SELECT email_hash, 'bounce', NULL, :now FROM subscribers"
                 " WHERE id = :id"), {"id": silenced.id, "now": clock.now()},
        )  # fmt: skip
    later(rt, clock, YEAR)
    assert letters(rt) == []


def test_nobody_is_let_go_whom_the_question_did_not_reach(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt)
    clock.advance(YEAR)
    housekeeping.tidy(rt)
    with rt.begin() as session:
        session.execute(text("UPDATE deliveries SET state = 'failed', finished_at = :now"),
                        {"now": clock.now()})  # fmt: skip
    for _ in range(4):
        clock.advance(timedelta(days=11))
        housekeeping.tidy(rt)
    assert [row["kind"] for row in rows(rt, LETTERS)] == ["reconsent", "reconsent"]
    assert subscribers.show_by_id(rt, person.id).state == "active"


def test_time_runs_from_when_the_letter_left_not_from_when_it_was_written(
    rt: Runtime, clock: FrozenClock
) -> None:
    reader(rt)
    clock.advance(YEAR)
    housekeeping.tidy(rt)
    later(rt, clock, timedelta(days=60))
    assert letters(rt) == ["reconsent"]


def test_a_reminder_that_is_late_is_not_sent_to_who_has_answered(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt)
    later(rt, clock, YEAR)
    clock.advance(REMINDER)
    housekeeping.tidy(rt)  # the reminder is written, and mail cannot leave
    silence.stay(rt, stay_token(rt, person))
    deliver.run_mail(rt)
    assert [row["state"] for row in rows(rt, LETTERS)] == ["sent", "suppressed"]
    later(rt, clock, YEAR)
    assert [row["state"] for row in rows(rt, LETTERS)] == ["sent", "suppressed", "sent"]


def test_many_are_asked_in_batches_and_two_rounds_at_once_ask_each_once(
    rt: Runtime, clock: FrozenClock
) -> None:
    many_readers(rt, 250)
    clock.advance(YEAR)
    ending = Runtime.open(rt.settings, clock=clock)
    ending.stopping.set()
    assert silence.run(ending).asked == silence.BATCH
    ending.close()
    with ThreadPoolExecutor(2) as both:
        rounds = list(both.map(silence.run, [rt, rt]))

    assert sum(one.asked for one in rounds) == 150
    assert silence.run(rt) == Silent()
    asked = only(rt, "SELECT count(*) AS letters, count(DISTINCT subscriber_id) AS people FROM issues")
    assert asked == {"letters": 250, "people": 250}


def test_a_round_that_dies_in_the_middle_of_a_batch_leaves_nothing_half_done(
    rt: Runtime, clock: FrozenClock
) -> None:
    many_readers(rt, 30)
    clock.advance(YEAR)
    with rt.begin() as session:  # one address can take no letter: the whole batch fails with it
        session.execute(text("""
            ALTER TABLE issues ADD CONSTRAINT dies CHECK (subscriber_id <>
            """ + str(session.scalar(text("SELECT max(id) FROM subscribers"))) + ")"))  # fmt: skip
    with pytest.raises(DBAPIError):
        silence.run(rt)
    assert only(rt, "SELECT count(*) AS n FROM subscribers WHERE asked_at IS NOT NULL")["n"] == 0
    with rt.begin() as session:
        session.execute(text("ALTER TABLE issues DROP CONSTRAINT dies"))
    assert silence.run(rt).asked == 30
    assert len(rows(rt, "SELECT FROM consents WHERE action = 'asked_to_stay'")) == 30


def test_without_the_setting_nobody_is_asked(open_runtime: OpenRuntime, clock: FrozenClock) -> None:
    rt = open_runtime()
    reader(rt)
    later(rt, clock, 3 * YEAR)
    assert letters(rt) == []


def test_an_operator_who_asks_no_more_takes_open_questions_back(
    rt: Runtime, open_runtime: OpenRuntime, clock: FrozenClock
) -> None:
    person = reader(rt)
    later(rt, clock, YEAR)
    later(open_runtime(), clock, REMINDER)
    assert subscribers.show_by_id(rt, person.id).asked_at is None
    later(rt, clock, timedelta(0))
    assert letters(rt) == ["reconsent", "reconsent"]
    later(rt, clock, LAST)
    assert subscribers.show_by_id(rt, person.id).state == "active"


def test_who_was_let_go_is_told_so_and_cannot_be_brought_back_by_the_old_link(
    rt: Runtime, clock: FrozenClock
) -> None:
    person = reader(rt)
    for span in (YEAR, REMINDER, LAST):
        later(rt, clock, span)
    assert not silence.stay(rt, stay_token(rt, person))
    with TestClient(make_app(rt)) as site:
        page = site.post(f"/stay/{stay_token(rt, person)}")
    assert "Subskrypcja się skończyła" in page.text
    assert subscribers.show_by_id(rt, person.id).state == "left"
