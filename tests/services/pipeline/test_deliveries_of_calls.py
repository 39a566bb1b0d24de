"""What the standards ask of a sender, on the whole way: waits, broken connections, paces, many endpoints."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime

import pytest

from services.clock import FrozenClock, SystemClock
from services.manage import endpoints
from services.pipeline import deliver, match
from services.runtime import Runtime
from services.storage import calls
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, WebDouble
from tests.factories import carry, counts, draft, listener, only, publish, rows

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"
OTHERS = 499
SECONDS = 60


def many(rt: Runtime, url: str, number: int) -> None:
    """So many endpoints like the one at `url`, which ends in 0, by bulk."""
    listener(rt, url)
    rows(rt, _MORE, url=url, stem=url[:-1], number=number - 1)
    rows(rt, _THEIR_INTERESTS, url=url)


_MORE = """
    INSERT INTO endpoints (consumer_id, url, host, format, secrets, created_at)
    SELECT consumer_id, :stem || n, host, format, secrets, created_at
    FROM endpoints, generate_series(1, :number) AS n WHERE url = :url RETURNING id
"""
_THEIR_INTERESTS = """
    INSERT INTO subscriptions (endpoint_id, interest_id, query, label, channel, cadence, created_at)
    SELECT e.id, s.interest_id, s.query, s.label, s.channel, s.cadence, s.created_at
    FROM subscriptions s JOIN endpoints first ON first.id = s.endpoint_id AND first.url = :url, endpoints e
    WHERE NOT EXISTS (SELECT FROM subscriptions o WHERE o.endpoint_id = e.id) RETURNING id
"""


def test_one_hung_endpoint_among_five_hundred_delays_no_other(
    open_runtime: OpenRuntime, receiver: WebDouble
) -> None:
    rt = open_runtime(at=SystemClock(), resolve={"hung.example": ["127.0.0.1"]})
    receiver.answer("/hung", Answer(hang=True))
    listener(rt, receiver.url("/hung", host="hung.example"))
    many(rt, receiver.url("/hook-0"), OTHERS)
    publish(rt)
    match.run(rt)
    working = threading.Thread(target=deliver.run_webhooks, args=(rt,))
    began = time.monotonic()
    working.start()
    receiver.wait_for(OTHERS + 1, timeout_s=19)
    took_s = time.monotonic() - began
    rt.stopping.set()
    receiver.hang_up()
    working.join(30)
    assert took_s < 19  # the hung call alone lasts twenty
    assert counts(rt, STATES)["sent"] == OTHERS


def test_calls_to_one_host_share_a_few_kept_connections(rt: Runtime, receiver: WebDouble) -> None:
    for number in range(10):
        listener(rt, receiver.url(f"/hook-{number}"))
    publish(rt, *[draft(f"n-{n}") for n in range(8)])
    carry(rt)
    assert len(receiver.received) == 80
    assert receiver.connections <= 10


def test_a_kept_connection_that_broke_unused_costs_no_attempt(rt: Runtime, receiver: WebDouble) -> None:
    receiver.answer("/hook", Answer(status=204, close=True))
    listener(rt, receiver.url("/hook"))
    for number in range(4):
        publish(rt, draft(f"n-{number}"))
        carry(rt)
    assert counts(rt, STATES) == {"sent": 4}
    assert only(rt, "SELECT max(attempts) AS most FROM deliveries")["most"] == 1
    assert len(receiver.received) == 4


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_retry_after_that_is_a_date_is_honoured(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock, status: int
) -> None:
    at = clock.now() + timedelta(hours=2)
    receiver.answer("/hook", Answer(status=status, headers=(("Retry-After", format_datetime(at)),)))
    listener(rt, receiver.url("/hook"))
    publish(rt)
    carry(rt)
    assert only(rt, "SELECT due_at FROM deliveries")["due_at"] == at


def test_a_retry_after_of_a_week_is_heard_for_a_day(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=503, headers=(("Retry-After", "604800"),)))
    listener(rt, receiver.url("/hook"))
    publish(rt)
    carry(rt)
    assert only(rt, "SELECT due_at FROM deliveries")["due_at"] == clock.now() + timedelta(days=1)


def test_two_workers_together_keep_to_the_pace(rt: Runtime, receiver: WebDouble, clock: FrozenClock) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    endpoints.patch(rt, None, uid, max_per_s=3)
    publish(rt, *[draft(f"n-{n}") for n in range(20)])
    match.run(rt)
    for told in (3, 6, 9):
        workers = [threading.Thread(target=deliver.run_webhooks, args=(rt,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)
        assert len(receiver.received) == told
        clock.advance(timedelta(seconds=1))


def test_claims_at_the_same_moment_share_the_room_of_an_endpoint(rt: Runtime) -> None:
    uid = listener(rt, "http://127.0.0.1:9/hook").endpoint.uid
    endpoints.patch(rt, None, uid, max_per_s=3)
    publish(rt, *[draft(f"n-{n}") for n in range(20)])
    match.run(rt)
    at_once = threading.Barrier(4)

    def claim(second: int) -> int:
        at_once.wait(20)
        now = rt.clock.now() + timedelta(seconds=second)
        with rt.begin() as session:
            return len(
                calls.claim(session, "c", now=now, lease=timedelta(0), limit=100)
            )  # due again in the next second

    with ThreadPoolExecutor(4) as workers:
        for second in range(SECONDS):
            assert sum(workers.map(claim, [second] * 4)) == 3


def test_what_a_410_ends_is_dropped_and_counted(rt: Runtime, receiver: WebDouble) -> None:
    receiver.answer("/hook", Answer(status=410))
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    endpoints.patch(rt, None, uid, is_ordered=True)  # one after another, so that the others still wait
    publish(rt, *[draft(f"n-{n}") for n in range(5)])
    carry(rt)
    carry(rt)
    assert counts(rt, STATES) == {"failed": 1, "suppressed": 4}
    assert len(receiver.received) == 1
