"""Endpoints do not get into each other's way: a hung one, a slow one, one that wants its events in order."""

import threading
import time
from collections import defaultdict
from datetime import timedelta

from services.clock import FrozenClock, SystemClock
from services.domain import health
from services.manage import endpoints
from services.pipeline import deliver, match
from services.pipeline.call_flow import AT_ONCE
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import counts, draft, listener, only, publish, rows

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"


def test_one_hung_endpoint_among_many_delays_no_other(open_runtime: OpenRuntime, receiver: WebDouble) -> None:
    rt = open_runtime(at=SystemClock(), resolve={"hung.example": ["127.0.0.1"]})
    receiver.answer("/hung", Answer(hang=True))
    listener(rt, receiver.url("/hung", host="hung.example"))
    others = [listener(rt, receiver.url(f"/hook-{n}")) for n in range(60)]
    publish(rt, *[draft(f"a-{n}") for n in range(5)])
    match.run(rt)
    working = threading.Thread(target=deliver.run_webhooks, args=(rt,))
    began = time.monotonic()
    working.start()
    _until(rt, receiver, 5 * len(others))
    publish(rt, draft("b"))  # comes while the hung calls are under way
    match.run(rt)
    _until(rt, receiver, 6 * len(others))
    took_s = time.monotonic() - began
    rt.stopping.set()
    receiver.hang_up()
    working.join(30)
    assert took_s < 15  # the hung calls alone last twenty


def _until(rt: Runtime, receiver: WebDouble, number: int) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if sum(call.path != "/hung" for call in receiver.received) >= number:
            return
        time.sleep(0.05)
    raise AssertionError(counts(rt, STATES))


def test_an_endpoint_is_called_several_times_at_once(open_runtime: OpenRuntime, receiver: WebDouble) -> None:
    rt = open_runtime(at=SystemClock())
    receiver.answer("*", Answer(hang=True))
    listener(rt, receiver.url("/hook"))
    publish(rt, *[draft(f"n-{n}") for n in range(30)])
    match.run(rt)
    working = threading.Thread(target=deliver.run_webhooks, args=(rt,))
    working.start()
    until = time.monotonic() + 15
    while len(receiver.received) < AT_ONCE and time.monotonic() < until:
        time.sleep(0.02)
    rt.stopping.set()
    receiver.hang_up()
    working.join(30)
    assert len(receiver.received) == AT_ONCE


def test_an_endpoint_that_fails_gets_a_trickle_and_its_backlog_is_kept(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("*", Answer(status=500))
    made = listener(rt, receiver.url("/hook"))
    publish(rt, *[draft(f"n-{n}") for n in range(40)])
    match.run(rt)
    deliver.run_webhooks(rt)
    assert 5 <= len(receiver.received) < 40
    assert endpoints.show(rt, None, made.endpoint.uid).health == "degraded"

    tried = len(receiver.received)
    deliver.run_webhooks(rt)
    assert len(receiver.received) == tried
    clock.advance(health.TRICKLE_EVERY)
    deliver.run_webhooks(rt)
    assert len(receiver.received) == tried + 1

    receiver.answer("*", Answer(status=204))
    clock.advance(timedelta(minutes=10))
    while deliver.run_webhooks(rt):
        pass
    clock.advance(timedelta(hours=1))
    while deliver.run_webhooks(rt):
        pass
    assert counts(rt, STATES) == {"sent": 40}
    told = [row["health"] for row in rows(rt, "SELECT health FROM endpoint_changes ORDER BY id")]
    assert told == ["degraded", "recovering", "healthy"]
    assert endpoints.show(rt, None, made.endpoint.uid).failures == 0


def test_a_wait_that_one_call_is_asked_for_holds_for_the_endpoint(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("*", Answer(status=429, headers=(("Retry-After", "120"),)))
    made = listener(rt, receiver.url("/hook"))
    publish(rt, draft("a"))
    match.run(rt)
    deliver.run_webhooks(rt)
    receiver.answer("*", Answer(status=204))
    publish(rt, draft("b"))
    match.run(rt)
    deliver.run_webhooks(rt)
    assert len(receiver.received) == 1
    clock.advance(timedelta(seconds=121))
    deliver.run_webhooks(rt)
    assert counts(rt, STATES) == {"sent": 2}
    assert endpoints.show(rt, None, made.endpoint.uid).health == "healthy"


def test_an_endpoint_is_called_no_faster_than_it_asked(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    made = listener(rt, receiver.url("/hook"))
    endpoints.patch(rt, None, made.endpoint.uid, max_per_s=2.0)
    publish(rt, *[draft(f"n-{n}") for n in range(7)])
    match.run(rt)
    seen = []
    for _ in range(5):
        deliver.run_webhooks(rt)
        seen.append(len(receiver.received))
        clock.advance(timedelta(seconds=1))
    assert seen == [2, 4, 6, 7, 7]


def test_ordered_means_each_institutions_events_one_after_another(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    failed: set[str] = set()

    def answer(call: Received) -> Answer:
        event = call.headers["webhook-id"]
        if event not in failed and len(failed) < 2:
            failed.add(event)
            return Answer(status=500)
        return Answer(status=204)

    receiver.answer("*", answer)
    made = listener(rt, receiver.url("/hook"))
    endpoints.patch(rt, None, made.endpoint.uid, is_ordered=True)
    for number in range(4):
        publish(rt, draft(f"a-{number}"), name="A")
        publish(rt, draft(f"b-{number}"), name="B")
    match.run(rt)
    for _ in range(4):
        while deliver.run_webhooks(rt):
            pass
        clock.advance(timedelta(minutes=6))
    taken = rows(
        rt,
        "SELECT d.uid, n.institution_id AS who, e.id AS event FROM deliveries d"
        " JOIN events e ON e.id = d.event_id JOIN notices n ON n.id = e.notice_id",
    )
    by_id = {f"msg_{row['uid'].hex}": row for row in taken}
    order = defaultdict(list)
    for call in receiver.received:
        row = by_id[call.headers["webhook-id"]]
        order[row["who"]].append(row["event"])
    assert len(receiver.received) == 10
    assert all(events == sorted(events) for events in order.values())
    assert counts(rt, STATES) == {"sent": 8}


def test_an_endpoint_may_have_a_schedule_of_its_own(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("*", Answer(status=500))
    made = listener(rt, receiver.url("/hook"))
    endpoints.patch(rt, None, made.endpoint.uid, schedule_s=[0, 60])
    publish(rt)
    match.run(rt)
    deliver.run_webhooks(rt)
    clock.advance(timedelta(seconds=73))
    deliver.run_webhooks(rt)
    assert only(rt, "SELECT state, attempts FROM deliveries") == {"state": "failed", "attempts": 2}
