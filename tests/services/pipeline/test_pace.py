"""Mail keeps its pace, all workers together, and leaves in the order of who can wait least."""

import threading
import time
from datetime import timedelta

from services.clock import FrozenClock, SystemClock
from services.manage import subscribers
from services.manage.subscriptions import Wish
from services.pipeline import compose, deliver, match
from services.pipeline.leases import LEASE
from services.pipeline.letters import MailSender
from services.runtime import Runtime
from services.storage import deliveries as store
from services.storage import work
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.factories import counts, draft, many_readers, publish, reader, rows

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"


def alerts(rt: Runtime, *prefixes: str, each: int) -> None:
    for prefix in prefixes:
        many_readers(rt, each, prefix=prefix)
    publish(rt)
    match.run(rt)
    compose.run(rt)


def test_two_workers_together_send_at_most_so_many_a_second(
    open_runtime: OpenRuntime, sink: SmtpSink
) -> None:
    rt = open_runtime(mail="smtp", smtp_url=sink.url, mail_per_second=20, at=SystemClock())
    alerts(rt, "r", each=45)
    began = time.monotonic()
    workers = [threading.Thread(target=_until_all_is_sent, args=(rt,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert time.monotonic() - began >= 44 / 20
    came = sorted(one.at for one in sink.received)
    assert len(came) == 45
    # Each by itself would send forty. A busy machine lets some arrive late, and with those after them.
    assert max(sum(at <= other < at + 1 for other in came) for at in came) <= 28


def _until_all_is_sent(rt: Runtime) -> None:
    while counts(rt, STATES).get("sent", 0) < 45:
        deliver.run_mail(rt)
        time.sleep(0.05)


def test_one_domain_is_given_so_many_a_second_and_holds_up_no_other(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(mail="smtp", smtp_url=sink.url, mail_per_second_a_domain=5)
    many_readers(rt, 40)
    rows(rt, "UPDATE subscribers SET email = 'anna@other.example' WHERE email LIKE 'r-39@%' RETURNING 1")
    alerts(rt, each=0)
    began = clock.now()

    deliver.run_mail(rt)

    assert (clock.now() - began).total_seconds() < 4
    assert "anna@other.example" in [one.recipient for one in sink.received]
    assert counts(rt, STATES)["pending"] >= 20
    while counts(rt, STATES).get("pending"):
        clock.advance(timedelta(seconds=1))
        deliver.run_mail(rt)
    assert (clock.now() - began).total_seconds() >= 38 / 5
    assert len(sink.received) == 40
    assert counts(rt, "SELECT outcome, count(*) AS n FROM attempts GROUP BY outcome") == {"sent": 40}


def test_what_is_urgent_and_confirmations_go_before_alerts_and_those_before_digests(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(mail="smtp", smtp_url=sink.url, mail_per_second=1)
    reader(rt, "digest@mail.example", cadence="daily@07:00")
    reader(rt, "alert@mail.example", "kind:news")
    reader(rt, "urgent@mail.example", "kind:meeting")
    publish(rt, draft("calls"))
    match.run(rt)
    clock.advance(timedelta(days=1))
    compose.run(rt)
    publish(rt, draft("news", kind="news"), draft("now", kind="meeting", urgent=True))
    match.run(rt)
    compose.run(rt)

    while counts(rt, STATES).get("pending"):
        deliver.run_mail(rt)
        clock.advance(timedelta(seconds=2))

    assert [one.recipient.partition("@")[0] for one in sink.received] == ["urgent", "alert", "digest"]


def test_a_confirmation_waits_for_a_turn_of_its_domain_and_not_for_a_backlog(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(mail="smtp", smtp_url=sink.url, mail_per_second_a_domain=0.1)
    alerts(rt, "r", each=60)
    deliver.run_mail(rt)
    clock.advance(timedelta(seconds=3))
    subscribers.sign_up(rt, email="bea@mail.example", interests=[Wish("kind:call")], locale="en")
    asked = clock.now()

    while "bea@mail.example" not in [one.recipient for one in sink.received]:
        deliver.run_mail(rt)
        clock.advance(timedelta(seconds=1))
        assert clock.now() - asked < timedelta(seconds=30)

    assert len(sink.received) <= 3


def test_turns_that_were_slept_through_are_no_burst(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(mail="smtp", smtp_url=sink.url, mail_per_second=10)
    alerts(rt, "r", each=20)
    left: list[timedelta] = []
    began = clock.now()
    sender = MailSender(rt)
    with rt.begin() as session:
        held = work.claim(session, work.MAIL, now=began, lease=LEASE, limit=20)
        due = store.claimed_mail(session, held)
        bodies = store.bodies(session, [one.content_hash for one in due])
    turns = {one.delivery_id: began + number * timedelta(seconds=0.1) for number, one in enumerate(due)}
    for number, _ in enumerate(sender.send(due, bodies, turns)):
        left.append(clock.now() - began)
        if number == 4:
            clock.advance(timedelta(seconds=1))  # the process is stopped for a while
    sender.close()

    seconds = [one.total_seconds() for one in left]
    assert len(seconds) == 20
    assert max(sum(at <= other < at + 1 for other in seconds) for at in seconds) <= 12


def test_on_the_first_day_of_a_new_sender_confirmations_do_not_wait_and_the_days_number_holds(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(
        mail="smtp", smtp_url=sink.url, mail_per_second=10, mail_warm_up=clock.now().date().isoformat()
    )
    began, a_day = clock.now(), 24 * 3_600 * 10 / 2**13
    alerts(rt, "r", each=150)
    deliver.run_mail(rt)
    assert len(sink.received) == 1
    for number in range(12):
        subscribers.sign_up(rt, email=f"new-{number}@mail.example", interests=[Wish("kind:call")])
    deliver.run_mail(rt)
    clock.advance(timedelta(seconds=2))
    deliver.run_mail(rt)
    assert {one.recipient for one in sink.received[1:]} == {f"new-{n}@mail.example" for n in range(12)}
    assert (clock.now() - began).total_seconds() < 10

    while clock.now() < began.replace(hour=23, minute=59):
        clock.advance(timedelta(minutes=5))
        deliver.run_mail(rt)
    assert len(sink.received) <= a_day / 2 + 2
    assert (
        len([one for one in sink.received if one.recipient.startswith("r-")]) >= a_day / 2 - 12 - 8
    )  # looked every five minutes


def test_confirmations_alone_do_not_pass_the_days_number_of_a_new_sender(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(
        mail="smtp", smtp_url=sink.url, mail_per_second=2, mail_warm_up=clock.now().date().isoformat()
    )
    for number in range(40):
        subscribers.sign_up(rt, email=f"new-{number}@mail.example", interests=[Wish("kind:call")])
    for _ in range(60):
        deliver.run_mail(rt)
        clock.advance(timedelta(seconds=1))

    assert 20 <= len(sink.received) <= 24  # 21 a day at two a second, and what is under way
    came = sorted(one.at for one in sink.received)
    assert len(came) == len({one.recipient for one in sink.received})


def test_urgent_news_keep_the_pace_of_a_new_sender(
    open_runtime: OpenRuntime, sink: SmtpSink, clock: FrozenClock
) -> None:
    rt = open_runtime(
        mail="smtp", smtp_url=sink.url, mail_per_second=10, mail_warm_up=clock.now().date().isoformat()
    )
    many_readers(rt, 30)
    publish(rt, draft(urgent=True))
    match.run(rt)
    compose.run(rt)
    for _ in range(10):
        deliver.run_mail(rt)
        clock.advance(timedelta(seconds=2))
    assert len(sink.received) == 1
