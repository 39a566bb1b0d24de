"""SendGrid's events settle what is uncertain and silence who bounced, told twice and in any order."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.manage import subscribers
from services.pipeline import compose, deliver, feedback, match
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.sendgrid import SendGridDouble
from tests.doubles.sendgrid_events import EventSender, SignedBatch, event
from tests.doubles.web import Answer
from tests.factories import counts, draft, only, publish, reader, rows
from tests.services.api.conftest import FREE

ANNA = "anna@mail.example"


@pytest.fixture(scope="module")
def sender() -> EventSender:
    return EventSender()


@pytest.fixture
def service() -> Iterator[SendGridDouble]:
    with SendGridDouble() as running:
        yield running


@pytest.fixture
def mailing(open_runtime: OpenRuntime, service: SendGridDouble, sender: EventSender) -> Runtime:
    return open_runtime(
        mail="sendgrid",
        sendgrid_api_key="SG.test",
        sendgrid_host=service.host,
        sendgrid_events_key=sender.public_key,
    )


@pytest.fixture
def hook(mailing: Runtime) -> Iterator[TestClient]:
    with TestClient(make_app(mailing, limits=FREE)) as client:
        yield client


def send(rt: Runtime, *emails: str, key: str = "n-1") -> dict[str, str]:
    """Each address's delivery, after one notice went out."""
    for email in emails:
        reader(rt, email)
    publish(rt, draft(key))
    for stage in (match.run, compose.run, deliver.run_mail):
        stage(rt)
    found = rows(
        rt,
        "SELECT r.email, replace(d.uid::text, '-', '') AS uid FROM deliveries d"
        " JOIN issues i ON i.id = d.issue_id JOIN subscribers r ON r.id = i.subscriber_id ORDER BY d.id",
    )
    return {row["email"]: row["uid"] for row in found}


def tell(hook: TestClient, batch: SignedBatch) -> int:
    return hook.post("/hooks/sendgrid", content=batch.body, headers=batch.headers).status_code


def states(rt: Runtime) -> dict[str, str]:
    return counts(
        rt,
        "SELECT r.email, d.state FROM deliveries d JOIN issues i ON i.id = d.issue_id"
        " JOIN subscribers r ON r.id = i.subscriber_id",
    )


def test_events_doubled_and_shuffled_count_once(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock
) -> None:
    fate = {"a@mail.example": "delivered", "b@mail.example": "bounce", "c@mail.example": "spamreport"}
    by_email = send(mailing, *fate)
    events = [event("processed", uid) for uid in by_email.values()]
    events += [event(kind, by_email[email]) for email, kind in fate.items()]
    for batch in sender.as_in_life(events, clock.now(), copies=5):
        assert tell(hook, batch) == 204
    feedback.run(mailing)
    assert len(rows(mailing, "SELECT 1 AS one FROM feedback")) == len(events)
    assert states(mailing) == {"a@mail.example": "sent", "b@mail.example": "failed", "c@mail.example": "sent"}
    assert counts(mailing, "SELECT reason, count(*) FROM suppressions GROUP BY 1") == {
        "bounce": 1,
        "complaint": 1,
    }
    publish(mailing, draft("n-2"))
    for stage in (match.run, compose.run, deliver.run_mail):
        stage(mailing)
    assert len(rows(mailing, "SELECT 1 AS one FROM issues")) == 4


def test_what_was_uncertain_is_settled_by_its_events(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock, service: SendGridDouble
) -> None:
    service.trouble(Answer(drop="silent"))
    by_email = send(mailing, "a@mail.example", "b@mail.example", "c@mail.example")
    assert set(states(mailing).values()) == {"uncertain"}
    told = [event("delivered", by_email["a@mail.example"]), event("bounce", by_email["b@mail.example"])]
    assert tell(hook, sender.batch(told, clock.now())) == 204
    feedback.run(mailing)
    assert states(mailing) == {
        "a@mail.example": "sent",
        "b@mail.example": "failed",
        "c@mail.example": "uncertain",
    }


@pytest.mark.parametrize("order", list(permutations(["processed", "delivered", "bounce"])))
def test_a_late_bounce_outweighs_a_delivery_in_whatever_order(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock, order: tuple[str, ...]
) -> None:
    by_email = send(mailing, ANNA)
    for kind in order:
        assert tell(hook, sender.batch([event(kind, by_email[ANNA])], clock.now())) == 204
        feedback.run(mailing)
    assert states(mailing) == {ANNA: "failed"}
    assert only(mailing, "SELECT reason FROM suppressions")["reason"] == "bounce"


def test_leaving_at_the_provider_is_leaving_here(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock
) -> None:
    by_email = send(mailing, ANNA)
    tell(hook, sender.batch([event("group_unsubscribe", by_email[ANNA])], clock.now()))
    feedback.run(mailing)
    assert subscribers.show(mailing, ANNA).state == "left"
    line = only(mailing, "SELECT action, via FROM consents WHERE action = 'leave'")
    assert line == {"action": "leave", "via": "provider"}


def test_soft_bounces_in_a_row_silence_and_a_delivery_between_resets(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock
) -> None:
    def bounce(number: int) -> None:
        by_email = send(mailing, key=f"n-{number}")
        told = event("bounce", by_email[ANNA], status="5.2.2", timestamp=int(clock.now().timestamp()))
        tell(hook, sender.batch([told], clock.now()))
        feedback.run(mailing)
        clock.sleep(3600)

    send(mailing, ANNA, key="n-0")
    for number in range(1, 5):
        bounce(number)
    by_email = send(mailing, key="n-5")
    told = event("delivered", by_email[ANNA], timestamp=int(clock.now().timestamp()))
    tell(hook, sender.batch([told], clock.now()))
    feedback.run(mailing)
    clock.sleep(3600)
    for number in range(6, 10):
        bounce(number)
    assert rows(mailing, "SELECT 1 AS one FROM suppressions") == []
    bounce(10)
    assert only(mailing, "SELECT reason FROM suppressions")["reason"] == "soft_bounces"


def test_what_is_not_signed_is_refused_and_leaves_nothing(
    mailing: Runtime, hook: TestClient, sender: EventSender, clock: FrozenClock
) -> None:
    by_email = send(mailing, ANNA)
    genuine = sender.batch([event("bounce", by_email[ANNA])], clock.now())
    other = EventSender().batch([event("bounce", by_email[ANNA])], clock.now())
    assert tell(hook, other) == 403
    assert tell(hook, SignedBatch(genuine.body, {})) == 403
    assert tell(hook, SignedBatch(genuine.body + b" ", genuine.headers)) == 403
    clock.sleep(301)
    assert tell(hook, genuine) == 403
    assert rows(mailing, "SELECT 1 AS one FROM feedback") == []
    assert tell(hook, sender.sign(b"{}", clock.now())) == 400
    assert tell(hook, sender.batch([event("bounce", "0" * 32)], clock.now())) == 204
    assert rows(mailing, "SELECT 1 AS one FROM feedback") == []


def test_without_a_key_nothing_is_taken(rt: Runtime, sender: EventSender, clock: FrozenClock) -> None:
    with TestClient(make_app(rt, limits=FREE)) as client:
        batch = sender.batch([], clock.now())
        answer = client.post("/hooks/sendgrid", content=batch.body, headers=batch.headers)
    assert answer.status_code == 404
    assert "GONIEC_SENDGRID_EVENTS_KEY" in answer.json()["detail"]
