"""What is sent again: exactly what was promised, at its pace, behind what is fresh, and after every death."""

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.clock import FrozenClock, SystemClock
from services.errors import BadInput, Conflict, NotFound
from services.manage import endpoints, replays
from services.manage.replays import ReplayView
from services.pipeline import deliver, match, replay
from services.pipeline.leases import LEASE
from services.queue import Stage
from services.runtime import Runtime
from services.settings import child_environment
from services.storage import work
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, WebDouble
from tests.factories import carry, counts, draft, listener, only, publish, rows
from workers.children import ROOT, python

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"
LAPSED = """  -- as when the leases of the dead have run out
    WITH r AS (UPDATE replays SET lease_until = now() WHERE lease_until IS NOT NULL RETURNING id),
         d AS (UPDATE deliveries SET lease_until = now() WHERE lease_until IS NOT NULL RETURNING id)
    SELECT (SELECT count(*) FROM r), (SELECT count(*) FROM d)
"""
ALL_DAY = timedelta(hours=23)


def begin(rt: Runtime, uid: str, **given: Any) -> ReplayView:
    return replays.start(rt, None, uid, **{"since": rt.clock.now() - ALL_DAY, "max_per_s": 400.0, **given})


def finish(rt: Runtime, job: ReplayView, *, rounds: int = 50) -> ReplayView:
    """Release and deliver by turns until the job ends."""
    for _ in range(rounds):
        replay.run(rt)
        deliver.run_webhooks(rt)
        now = replays.show(rt, None, job.endpoint, job.uid)
        if not now.is_active:
            return now
    raise AssertionError(now)


def keys(receiver: WebDouble, path: str = "/hook") -> list[str]:
    return [json.loads(call.body)["data"]["key"] for call in receiver.received if call.path == path]


def test_events_are_replayed_under_the_ids_they_had(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(120)))
    carry(rt)
    told = finish(rt, begin(rt, uid))
    assert (told.state, told.total, told.done, told.sent, told.left) == ("done", 120, 120, 120, 0)
    times = Counter(call.headers["webhook-id"] for call in receiver.received)
    assert (len(times), set(times.values())) == (120, {2})
    bodies = Counter(call.body for call in receiver.received)
    assert set(bodies.values()) == {2}
    assert len(rows(rt, "SELECT id FROM deliveries")) == 120


def test_a_new_endpoint_gets_what_was_before_it_and_nothing_else(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    publish(rt, draft("too-old"))
    clock.advance(timedelta(days=4))
    publish(rt, draft("call"), draft("job", kind="job"))
    carry(rt)
    clock.advance(timedelta(days=2))
    publish(rt, draft("too-late"))
    carry(rt)
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    job = begin(
        rt, uid, since=clock.now() - timedelta(days=3), until=clock.now() - timedelta(days=1)
    )  # fmt: skip
    assert finish(rt, job).total == 1
    assert keys(receiver) == ["call"]


def test_the_events_of_one_endpoint_are_told_to_another(rt: Runtime, receiver: WebDouble) -> None:
    old = listener(rt, receiver.url("/old"), query="kind:call").endpoint.uid
    publish(rt, draft("call"), draft("job", kind="job"))
    carry(rt)
    new = listener(rt, receiver.url("/new"), query="kind:job").endpoint.uid
    finish(rt, begin(rt, new, of=old))
    assert keys(receiver, "/new") == ["call"]
    with pytest.raises(NotFound):
        begin(rt, new, of="00000000-0000-0000-0000-000000000000")


def test_only_what_was_given_up_is_recovered(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    endpoints.patch(rt, None, uid, schedule_s=[0])
    publish(rt, draft("taken"))
    carry(rt)
    receiver.answer("/hook", Answer(status=500))
    publish(rt, draft("lost"))
    carry(rt)
    receiver.answer("/hook", Answer(status=204))
    assert counts(rt, STATES) == {"sent": 1, "failed": 1}
    told = finish(rt, begin(rt, uid, what="failed"))
    assert (told.total, told.sent) == (1, 1)
    assert keys(receiver) == ["taken", "lost", "lost"]


def test_a_replay_goes_no_faster_than_it_was_told(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(30)))
    carry(rt)
    job, began = begin(rt, uid, max_per_s=10.0), clock.now()
    while replays.show(rt, None, uid, job.uid).left or not replays.show(rt, None, uid, job.uid).total:
        replay.run(rt)
        deliver.run_webhooks(rt)
        passed_s = (clock.now() - began).total_seconds()
        assert len(receiver.received) - 30 <= 1 + 10.0 * passed_s
    assert (clock.now() - began).total_seconds() >= 2.9
    told = replays.show(rt, None, uid, job.uid)
    assert told.per_s is not None
    assert told.per_s <= 10.5


def test_half_of_the_pace_that_an_owner_set_is_left_to_fresh_events(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(12)))
    carry(rt)
    endpoints.patch(rt, None, uid, max_per_s=2.0)
    begin(rt, uid)
    began = clock.now()
    for _ in range(5):
        replay.run(rt)
        deliver.run_webhooks(rt)
        clock.advance(1.0)
    passed_s = (clock.now() - began).total_seconds()
    assert 3 <= len(receiver.received) - 12 <= 1 + passed_s


def test_an_endpoint_has_one_replay_at_a_time(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    other = listener(rt, receiver.url("/other")).endpoint.uid
    publish(rt)
    carry(rt)
    first = begin(rt, uid)
    with pytest.raises(Conflict):
        begin(rt, uid)
    begin(rt, other)
    finish(rt, first)
    assert begin(rt, uid).is_active


def test_a_cancelled_replay_sends_no_more_than_was_on_its_way(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(100)))
    carry(rt)
    job = begin(rt, uid)
    replay.run(rt)  # nobody delivers: it stops at its window
    told = replays.cancel(rt, None, uid, job.uid)
    assert (told.state, told.is_active) == ("cancelled", False)
    while replay.run(rt) + deliver.run_webhooks(rt):
        pass
    assert len(receiver.received) == 100 + replay.WINDOW
    assert replays.cancel(rt, None, uid, job.uid).state == "cancelled"
    assert begin(rt, uid).is_active


def test_an_endpoint_that_is_unwell_or_paused_is_replayed_nothing(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, draft("a"))
    carry(rt)
    endpoints.patch(rt, None, uid, state="paused")
    job = begin(rt, uid)
    replay.run(rt)
    assert replays.show(rt, None, uid, job.uid).waits_for == "the endpoint is paused"
    assert counts(rt, STATES) == {"sent": 1}
    endpoints.patch(rt, None, uid, state="active")
    clock.advance(timedelta(seconds=6))
    assert finish(rt, job).waits_for is None
    assert keys(receiver) == ["a", "a"]


def test_while_other_calls_wait_nothing_old_is_released(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, draft("old"))
    carry(rt)
    publish(rt, draft("fresh"))
    match.run(rt)
    clock.advance(timedelta(seconds=2))
    job = begin(rt, uid, until=rt.clock.now() - timedelta(seconds=2))
    replay.run(rt)
    assert replays.show(rt, None, uid, job.uid).waits_for == "fresh events go first"
    deliver.run_webhooks(rt)
    finish(rt, job)
    assert keys(receiver)[:2] == ["old", "fresh"]


def test_a_fresh_event_overtakes_a_replay_that_is_under_way(
    open_runtime: OpenRuntime, receiver: WebDouble
) -> None:
    rt = open_runtime(at=SystemClock())
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(80)))
    carry(rt)
    receiver.answer("/hook", lambda _: Answer(status=204, delay_s=0.2))
    job = begin(rt, uid)
    with working(rt, replay.run, deliver.run_webhooks):
        wait_until(lambda: len(receiver.received) >= 90)
        publish(rt, draft("fresh"))
        match.run(rt)
        pushed_at = time.monotonic()
        wait_until(lambda: "fresh" in keys(receiver))
        took_s, before = time.monotonic() - pushed_at, len(receiver.received)
        wait_until(lambda: not replays.show(rt, None, uid, job.uid).is_active)
    assert before < 140  # it stood behind no more than a few
    assert took_s < 1.5
    assert len(receiver.received) >= 161


@pytest.mark.long
def test_a_worker_that_dies_in_a_replay_loses_nothing_and_repeats_only_what_was_in_flight(
    open_runtime: OpenRuntime, receiver: WebDouble
) -> None:
    rt = open_runtime(at=SystemClock())
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, *(draft(f"n-{n}") for n in range(300)))
    carry(rt)
    assert len(receiver.received) == 300
    job = begin(rt, uid, max_per_s=300.0)
    for heard in (380, 450):
        with worker(rt) as process:
            wait_until(lambda: len(receiver.received) >= heard, ringing=rt)  # noqa: B023
            process.kill()
            process.wait()
        rows(rt, LAPSED)
    with worker(rt):
        wait_until(lambda: not replays.show(rt, None, uid, job.uid).is_active, ringing=rt, within_s=60)
    told = replays.show(rt, None, uid, job.uid)
    assert (told.state, told.total, told.sent, told.left) == ("done", 300, 300, 0)
    times = Counter(call.headers["webhook-id"] for call in receiver.received)
    assert len(times) == 300
    assert min(times.values()) == 2
    assert len(receiver.received) - 600 <= 2 * replay.WINDOW  # of each death: what was not written down


def test_a_step_that_was_claimed_by_a_dead_worker_is_taken_up_after_its_lease(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt)
    carry(rt)
    job = begin(rt, uid)
    with rt.begin() as session:
        assert work.claim(session, work.REPLAYS, now=clock.now(), lease=LEASE, limit=5)
    assert replay.run(rt) == 0
    clock.advance(LEASE + timedelta(seconds=1))
    assert finish(rt, job).sent == 1


def test_one_delivery_is_sent_again_at_once(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, draft("a"), draft("b"))
    carry(rt)
    which = receiver.received[0].headers["webhook-id"]
    replays.resend(rt, None, uid, which)
    carry(rt)
    assert [call.headers["webhook-id"] for call in receiver.received].count(which) == 2
    assert len(receiver.received) == 3
    for wrong in ("msg_x", "msg_" + "0" * 32):
        with pytest.raises(NotFound):
            replays.resend(rt, None, uid, wrong)


def test_a_delivery_that_waits_for_its_next_attempt_can_be_sent_sooner(
    rt: Runtime, receiver: WebDouble
) -> None:
    receiver.answer("/hook", Answer(status=500), Answer(status=204))
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt)
    carry(rt)
    row = only(rt, "SELECT uid, attempts FROM deliveries WHERE state = 'retry'")
    replays.resend(rt, None, uid, f"msg_{row['uid'].hex}")
    carry(rt)
    assert only(rt, "SELECT state, attempts FROM deliveries") == {"state": "sent", "attempts": 2}


def test_a_replay_reaches_back_thirty_days_and_no_further(rt: Runtime, clock: FrozenClock) -> None:
    uid = listener(rt, "http://127.0.0.1:9/hook").endpoint.uid
    for since in (clock.now() - timedelta(days=31), clock.now() + timedelta(seconds=1)):
        with pytest.raises(BadInput):
            begin(rt, uid, since=since)
    with pytest.raises(BadInput):
        begin(rt, uid, until=clock.now() - timedelta(days=2))
    with pytest.raises(BadInput):
        begin(rt, uid, max_per_s=0.0)


def test_a_replay_of_an_endpoint_that_was_taken_out_says_so(rt: Runtime, receiver: WebDouble) -> None:
    old = listener(rt, receiver.url("/old")).endpoint.uid
    new = listener(rt, receiver.url("/new")).endpoint.uid
    job = begin(rt, new, of=old)
    endpoints.delete(rt, None, old)
    replay.run(rt)
    told = replays.show(rt, None, new, job.uid)
    assert (told.state, told.waits_for) == ("failed", "the endpoint that it reads from was taken out")


@contextmanager
def working(rt: Runtime, *stages: Any) -> Iterator[None]:
    """Stages that run again and again in threads, as workers do."""
    over = threading.Event()

    def go(stage: Any) -> None:
        while not over.is_set():
            stage(rt)
            over.wait(0.02)

    threads = [threading.Thread(target=go, args=(stage,)) for stage in stages]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        rt.stopping.set()
        for thread in threads:
            thread.join(30)


@contextmanager
def worker(rt: Runtime) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process for replays and webhooks; asked to stop at the end."""
    command = python("services.cli", "worker", "--queues=replay,deliver_webhook")
    with subprocess.Popen(command, cwd=ROOT, env=child_environment(rt.settings)) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_until(done: Any, *, ringing: Runtime | None = None, within_s: float = 30.0) -> None:
    until = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < until
        if ringing is not None:  # as the scheduler does
            ringing.bell.ring(Stage.REPLAY)
            ringing.bell.ring(Stage.DELIVER_WEBHOOK)
        time.sleep(0.05)
