"""Endpoints that are told in digests get a window in one call, whole, once, and the same on every attempt."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.domain import event_types
from services.manage import calls, endpoints, requeue, why
from services.pipeline import call_digests, compose, deliver, match, sweep
from services.runtime import Runtime
from services.storage import call_digests as windows
from tests.doubles.web import Answer, WebDouble
from tests.factories import carry, counts, draft, listener, only, publish, rows, withdraw
from tests.services.schemas import BASE, check

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"
DAILY = "daily@07:00"
SEVEN = datetime(2026, 11, 24, 6, tzinfo=UTC)  # seven in Warsaw, the day after


@pytest.fixture
def client(rt: Runtime) -> Iterator[TestClient]:
    with TestClient(make_app(rt)) as made:
        yield made


def told(receiver: WebDouble) -> list[Any]:
    return [json.loads(call.body) for call in receiver.received]


def titles(digest: Any) -> list[str]:
    return [item["data"]["title"] for item in digest["data"]["items"]]


def test_a_window_comes_in_one_call_when_it_closes(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    made = listener(rt, receiver.url("/hook"), cadence=DAILY)
    assert made.endpoint.next_digest_at == SEVEN
    for name in ("pierwszy", "drugi"):
        publish(rt, draft(name, title=name))
        carry(rt)
    assert receiver.received == []
    assert counts(rt, STATES) == {"waiting": 2}
    clock.set(SEVEN)
    assert "compose" in sweep.due(rt)
    carry(rt)

    (digest,) = told(receiver)
    assert (digest["type"], titles(digest)) == ("pl.goniec.digest.v1", ["pierwszy", "drugi"])
    assert digest["data"]["since"] == "2026-11-23T12:00:00Z"
    assert digest["data"]["until"] == digest["timestamp"] == "2026-11-24T06:00:00Z"
    assert counts(rt, STATES) == {"sent": 3}
    clock.advance(timedelta(days=1))
    carry(rt)
    assert len(receiver.received) == 1  # no call without events
    assert endpoints.show(rt, None, made.endpoint.uid).next_digest_at == SEVEN + timedelta(days=2)


@pytest.mark.parametrize("content", ["fat", "thin", "diff"])
@pytest.mark.parametrize("shape", endpoints.FORMATS)
def test_a_digest_meets_its_schema_in_every_format(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock, client: TestClient, shape: str, content: str
) -> None:
    listener(rt, receiver.url("/hook"), cadence="hourly", format=shape, content=content)
    publish(rt, draft("a"), draft("b"))
    carry(rt)
    clock.advance(timedelta(hours=1))
    carry(rt)

    (call,) = receiver.received
    body = json.loads(call.body)
    if shape == "cloudevents-batch":
        assert len(body) == 2
        for event in body:
            check(client, event["dataschema"], event["data"])
        return
    schema = event_types.schema_url(BASE, "pl.goniec.digest.v1")
    check(client, schema, body if shape == "cloudevents-binary" else body["data"])
    if shape == "standard":
        check(client, schema + "#payload", body)
    if shape == "cloudevents-binary":
        assert call.headers["ce-dataschema"] == schema


def test_of_one_notice_the_newest_is_told_and_what_was_taken_back_at_once_is_not(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    listener(rt, receiver.url("/hook"), cadence=DAILY)
    publish(rt, draft("a", title="pierwszy"), draft("b"))
    carry(rt)
    publish(rt, draft("a", title="poprawiony"))
    withdraw(rt, "b")
    carry(rt)
    clock.set(SEVEN)
    carry(rt)

    (digest,) = told(receiver)
    assert titles(digest) == ["poprawiony"]
    assert counts(rt, STATES) == {"sent": 2, "suppressed": 3}
    why_not = rows(rt, "SELECT detail FROM deliveries WHERE state = 'suppressed' ORDER BY detail")
    assert [row["detail"] for row in why_not] == ["taken back before it was told"] + [
        "told by a newer event"
    ] * 2
    withdraw(rt, "a")
    carry(rt)
    clock.advance(timedelta(days=1))
    carry(rt)
    assert told(receiver)[-1]["data"]["items"][0]["type"] == "pl.goniec.notice.withdrawn.v1"


def test_the_body_is_the_same_on_every_attempt_and_parts_end_as_their_call_ends(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=500), Answer(status=204))
    uid = listener(rt, receiver.url("/hook"), cadence=DAILY, content="diff").endpoint.uid
    publish(rt, draft("a"), draft("b"))
    carry(rt)
    clock.set(SEVEN)
    carry(rt)
    assert counts(rt, STATES) == {"retry": 1, "waiting": 2}
    publish(rt, draft("c"))  # falls into the next window
    carry(rt)
    clock.advance(timedelta(minutes=1))
    carry(rt)

    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert counts(rt, STATES) == {"sent": 3, "waiting": 1}
    page = calls.deliveries(rt, None, uid)
    assert [one.type for one in page.items].count("pl.goniec.digest.v1") == 1
    notice = only(rt, "SELECT notice_id FROM events ORDER BY id LIMIT 1")["notice_id"]
    assert why.why(rt, notice_id=notice, recipient=uid).verdict == "Delivered."


def test_a_digest_that_fails_for_good_fails_with_all_its_events_and_is_brought_back_whole(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=500))
    uid = listener(rt, receiver.url("/hook"), cadence=DAILY).endpoint.uid
    endpoints.patch(rt, None, uid, schedule_s=[0])
    publish(rt, draft("a"), draft("b"))
    carry(rt)
    clock.set(SEVEN)
    carry(rt)
    assert counts(rt, STATES) == {"failed": 3}

    receiver.answer("/hook", Answer(status=204))
    requeue.requeue(rt, state="failed", since=clock.now() - timedelta(days=2), channel="webhook")
    carry(rt)
    assert counts(rt, STATES) == {"sent": 3}
    assert len(receiver.received) == 2


def test_very_much_comes_in_parts(rt: Runtime, receiver: WebDouble, clock: FrozenClock) -> None:
    listener(rt, receiver.url("/hook"), cadence="hourly")
    number = call_digests.MOST_EVENTS + 20
    publish(rt, *[draft(f"n-{n}") for n in range(number)])
    carry(rt)
    clock.advance(timedelta(hours=1))
    carry(rt)
    found = {digest["data"]["part"]: digest["data"] for digest in told(receiver)}
    assert [len(found[part]["items"]) for part in (1, 2)] == [call_digests.MOST_EVENTS, 20]
    assert {one["parts"] for one in found.values()} == {2}
    assert len({item["id"] for one in found.values() for item in one["items"]}) == number


def test_what_is_urgent_waits_for_no_digest(rt: Runtime, receiver: WebDouble) -> None:
    listener(rt, receiver.url("/hook"), cadence=DAILY)
    publish(rt, draft("a", urgent=True))
    carry(rt)
    assert [event["type"] for event in told(receiver)] == ["pl.goniec.notice.published.v1"]


def test_a_paused_endpoint_gets_what_waited_in_one_digest(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook"), cadence=DAILY).endpoint.uid
    endpoints.patch(rt, None, uid, state="paused")
    for day in range(3):
        publish(rt, draft(f"n-{day}"))
        carry(rt)
        clock.set(SEVEN + timedelta(days=day))
        carry(rt)
    endpoints.patch(rt, None, uid, state="active")
    clock.set(SEVEN + timedelta(days=3))
    carry(rt)
    (digest,) = told(receiver)
    assert len(digest["data"]["items"]) == 3
    assert digest["data"]["since"] == "2026-11-23T12:00:00Z"


def test_missed_windows_end_in_one_call(rt: Runtime, receiver: WebDouble, clock: FrozenClock) -> None:
    listener(rt, receiver.url("/hook"), cadence=DAILY)
    publish(rt)
    carry(rt)
    clock.set(SEVEN + timedelta(days=5, hours=3))
    carry(rt)
    (digest,) = told(receiver)
    assert digest["data"]["until"] == "2026-11-29T06:00:00Z"


def test_who_wants_no_more_digests_gets_what_waits_event_by_event(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook"), cadence=DAILY).endpoint.uid
    publish(rt, draft("a"))
    carry(rt)
    changed = endpoints.patch(rt, None, uid, cadence="instant")
    assert (changed.cadence, changed.next_digest_at) == ("instant", None)
    publish(rt, draft("b"))
    carry(rt)
    assert [event["data"]["key"] for event in told(receiver)] == ["b"]
    clock.advance(endpoints.LET_GO_AFTER)
    carry(rt)
    assert [event["data"]["key"] for event in told(receiver)] == ["b", "a"]

    endpoints.patch(rt, None, uid, cadence="hourly", timezone="Europe/London")
    publish(rt, draft("c"))
    carry(rt)
    clock.advance(timedelta(hours=1))
    carry(rt)
    assert [item["data"]["key"] for item in told(receiver)[-1]["data"]["items"]] == ["c"]


def test_two_composers_make_one_call(rt: Runtime, receiver: WebDouble, clock: FrozenClock) -> None:
    listener(rt, receiver.url("/hook"), cadence=DAILY)
    publish(rt)
    match.run(rt)
    clock.set(SEVEN)
    with rt.begin() as session:  # a composer that has taken the window, and dies before its commit
        assert len(windows.due(session, now=clock.now(), limit=10)) == 1
        assert call_digests.run(rt) == 0
        session.rollback()
    assert compose.run(rt) == 1
    assert compose.run(rt) == 0
    assert deliver.run_webhooks(rt) == 1
