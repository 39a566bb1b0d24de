"""The sweep finds every stage that has work, so that a ring that nobody heard costs nothing."""

from datetime import timedelta

from services.clock import FrozenClock
from services.pipeline import compose, deliver, match, poll, sweep
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import work
from tests.doubles.smtp import Refuse, SmtpSink
from tests.doubles.web import WebDouble
from tests.factories import carry, feed, listener, publish, reader, rows


def test_nothing_is_due_where_nothing_waits(rt: Runtime) -> None:
    assert sweep.due(rt) == []


def test_each_stage_is_due_when_the_one_before_it_is_done(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    sink.on_recipient("anna@mail.example", Refuse(550, "5.1.1 no such user"))
    feed(mailing, receiver.url("/feed"))
    reader(mailing, "anna@mail.example")
    listener(mailing, receiver.url("/hook"))
    assert sweep.due(mailing) == ["poll"]
    poll.run(mailing)
    publish(mailing)
    assert sweep.due(mailing) == ["match"]
    match.run(mailing)
    assert sweep.due(mailing) == ["compose", "deliver_webhook"]
    compose.run(mailing)
    assert sweep.due(mailing) == ["deliver_mail", "deliver_webhook"]
    deliver.run_mail(mailing)
    assert sweep.due(mailing) == ["deliver_webhook", "feedback"]
    carry(mailing)
    assert sweep.due(mailing) == []


def test_what_a_dead_worker_held_is_due_when_its_lease_runs_out(rt: Runtime, clock: FrozenClock) -> None:
    publish(rt)
    with rt.begin() as session:
        work.claim(session, work.EVENTS, now=clock.now(), lease=LEASE, limit=1)
    assert sweep.due(rt) == []

    clock.advance(LEASE + timedelta(seconds=1))

    assert sweep.due(rt) == ["match"]


def test_a_digest_is_due_at_its_hour(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, cadence="hourly")
    publish(rt)
    match.run(rt)
    assert sweep.due(rt) == []

    clock.advance(timedelta(hours=1))

    assert sweep.due(rt) == ["compose"]


def test_what_waits_for_a_paused_endpoint_wakes_nobody(rt: Runtime) -> None:
    listener(rt, "http://127.0.0.1:9/hook")
    rows(rt, "UPDATE endpoints SET state = 'paused' RETURNING id")
    publish(rt)
    match.run(rt)

    assert sweep.due(rt) == []
