"""Mail leaves once, is tried again when that can help, and every attempt is written down."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.channels.base import Outcome, OutcomeKind
from services.clock import FrozenClock
from services.manage import subscribers
from services.manage.subscriptions import Wish
from services.pipeline import compose, deliver, match
from services.pipeline.leases import LEASE
from services.pipeline.letters import MailSender
from services.runtime import Runtime
from services.storage import deliveries as store
from services.storage import work
from tests.conftest import OpenRuntime
from tests.doubles.smtp import Behaviour, DropAfterDot, Refuse, RefuseMessage, SmtpSink
from tests.factories import carry, counts, draft, many_readers, only, publish, reader, rows
from tests.mails import mails

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"
LANES = 4  # each has a letter under way, and the next one's envelope
ANNA = "anna@mail.example"


def delivery(rt: Runtime) -> dict[str, Any]:
    return dict(only(rt, "SELECT * FROM deliveries"))


def attempts(rt: Runtime) -> Sequence[str]:
    return [row["outcome"] for row in rows(rt, "SELECT outcome FROM attempts ORDER BY delivery_id, number")]


def composed(rt: Runtime, *addresses: str) -> None:
    """Alerts that wait to be sent."""
    for address in addresses or (ANNA,):
        reader(rt, address)
    publish(rt)
    match.run(rt)
    compose.run(rt)


def test_a_mail_that_was_taken_is_sent_and_never_again(mailing: Runtime, sink: SmtpSink) -> None:
    composed(mailing)

    assert deliver.run_mail(mailing) == 1
    assert deliver.run_mail(mailing) == 0

    assert len(mails(sink)) == 1
    row = delivery(mailing)
    assert (row["state"], row["attempts"], row["claim_id"]) == ("sent", 1, None)
    assert row["finished_at"] == mailing.clock.now()
    attempt = only(mailing, "SELECT * FROM attempts")
    assert (attempt["number"], attempt["outcome"], attempt["status"]) == (1, "sent", 250)


def test_a_mail_can_be_left_by_one_click(mailing: Runtime, sink: SmtpSink) -> None:
    composed(mailing)
    deliver.run_mail(mailing)

    message = mails(sink)[0].message
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert message["list-unsubscribe"].startswith("<http://goniec.example/u/")
    assert message["message-id"] == f"<{delivery(mailing)['uid'].hex}@goniec.example>"


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        (Refuse(451, "4.7.1 greylisted"), "retry"),
        (RefuseMessage(452, "4.2.2 full"), "retry"),
        (Refuse(550, "5.1.1 no such user"), "failed"),
        (RefuseMessage(554, "5.7.1 not like this"), "failed"),
        (DropAfterDot(), "retry"),
    ],
)
def test_what_the_server_says_decides(
    mailing: Runtime, sink: SmtpSink, behaviour: Behaviour, state: str
) -> None:
    sink.on_recipient(ANNA, behaviour)
    composed(mailing)
    deliver.run_mail(mailing)

    assert delivery(mailing)["state"] == state
    assert attempts(mailing) == [state]
    assert ANNA not in only(mailing, "SELECT detail FROM attempts")["detail"]


def test_a_refused_mail_is_tried_along_its_schedule_and_then_given_up(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    sink.on_recipient(ANNA, Refuse(451, "4.7.1 later"))
    composed(mailing)
    waits: list[float] = []
    for _ in range(20):
        deliver.run_mail(mailing)
        row = delivery(mailing)
        if row["state"] != "retry":
            break
        waits.append((row["due_at"] - clock.now()).total_seconds())
        assert deliver.run_mail(mailing) == 0
        clock.set(row["due_at"])

    assert delivery(mailing)["state"] == "failed"
    assert len(attempts(mailing)) == len(deliver.MAIL_SCHEDULE_S)
    for wait_s, planned_s in zip(waits, deliver.MAIL_SCHEDULE_S[1:], strict=True):
        assert 0.8 * planned_s <= wait_s <= 1.2 * planned_s


def test_a_mail_refused_at_first_comes_later_under_its_own_id(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    sink.once_for_recipient(ANNA, DropAfterDot())
    composed(mailing)
    deliver.run_mail(mailing)
    clock.set(delivery(mailing)["due_at"])
    deliver.run_mail(mailing)

    first, second = mails(sink)
    assert first.id == second.id
    assert (delivery(mailing)["state"], attempts(mailing)) == ("sent", ["retry", "sent"])


def test_a_server_that_is_away_costs_no_mail(
    mailing: Runtime, open_runtime: OpenRuntime, sink: SmtpSink
) -> None:
    composed(mailing, *(f"r{number}@mail.example" for number in range(12)))
    away = open_runtime(mail="smtp", smtp_url="smtp://127.0.0.1:9")
    deliver.run_mail(away)
    assert counts(mailing, STATES) == {"retry": 12}

    rows(mailing, "UPDATE deliveries SET due_at = :now RETURNING id", now=mailing.clock.now())
    deliver.run_mail(mailing)

    assert Counter(mail.to for mail in mails(sink)) == {f"r{number}@mail.example": 1 for number in range(12)}


def test_an_address_suppressed_meanwhile_gets_nothing(mailing: Runtime, sink: SmtpSink) -> None:
    composed(mailing, ANNA, "jan@mail.example")
    rows(
        mailing,
        """INSERT INTO suppressions (email_hash, reason, at)
           SELECT email_hash, 'complaint', now() FROM subscribers WHERE email = :anna RETURNING reason""",
        anna=ANNA,
    )
    deliver.run_mail(mailing)

    assert [mail.to for mail in mails(sink)] == ["jan@mail.example"]
    held = only(mailing, "SELECT * FROM deliveries WHERE state = 'suppressed'")
    assert (held["detail"], held["attempts"]) == ("suppressed: complaint", 0)


def test_a_bounced_address_gets_no_further_mail(mailing: Runtime, sink: SmtpSink) -> None:
    sink.on_recipient(ANNA, Refuse(550, "5.1.1 no such user"))
    reader(mailing, ANNA)
    reader(mailing, "jan@mail.example")
    publish(mailing, draft("a"))
    carry(mailing)
    assert only(mailing, "SELECT reason FROM suppressions")["reason"] == "bounce"

    publish(mailing, draft("b"))
    carry(mailing)

    assert sink.commands.count("RCPT") == 3
    reasons = counts(mailing, "SELECT reason, count(*) AS n FROM candidates GROUP BY reason")
    assert reasons == {None: 3, "suppressed": 1}


def test_a_refusal_of_what_was_said_suppresses_nobody(mailing: Runtime, sink: SmtpSink) -> None:
    sink.on_recipient(ANNA, RefuseMessage(554, "5.7.1 spam"))
    composed(mailing)
    carry(mailing)

    assert rows(mailing, "SELECT reason FROM suppressions") == []


def test_a_deliverer_that_dies_after_sending_repeats_only_what_was_in_flight(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    readers = [f"r{number}@mail.example" for number in range(30)]
    composed(mailing, *readers)
    with mailing.begin() as session:
        dead = work.claim(session, work.MAIL, now=clock.now(), lease=LEASE, limit=10)
        due = store.claimed_mail(session, dead)
        bodies = store.bodies(session, [one.content_hash for one in due])
    sender = MailSender(mailing)
    taken = list(sender.send(due[:4], bodies, dict.fromkeys(dead.rows, clock.now())))
    sender.close()
    assert len(taken) == 4  # and there it dies: four mails are out, nothing is written

    assert deliver.run_mail(mailing) == 20
    clock.advance(LEASE + timedelta(seconds=1))
    assert deliver.run_mail(mailing) == 10

    times = Counter(mail.to for mail in mails(sink))
    assert set(times) == set(readers)
    assert sorted(address for address, number in times.items() if number == 2) == sorted(
        one.email for one in due[:4]
    )
    assert len({mail.id for mail in mails(sink)}) == 30
    assert counts(mailing, STATES) == {"sent": 30}


def test_a_deliverer_that_lost_its_lease_overwrites_nothing(mailing: Runtime, clock: FrozenClock) -> None:
    composed(mailing)
    with mailing.begin() as session:
        slow = work.claim(session, work.MAIL, now=clock.now(), lease=LEASE, limit=10)
    clock.advance(LEASE + timedelta(seconds=1))
    deliver.run_mail(mailing)
    late = store.Result(slow.rows[0], "failed", "failed", "too late", 550, 1, clock.now())

    with mailing.begin() as session:
        assert store.record(session, slow, [late], now=clock.now()) == set()

    assert delivery(mailing)["state"] == "sent"
    assert attempts(mailing) == ["sent"]


def test_a_fault_in_the_middle_loses_no_outcome_and_holds_up_nothing(mailing: Runtime) -> None:
    composed(mailing, "a@mail.example", "b@mail.example", "c@mail.example")
    with mailing.begin() as session:
        held = work.claim(session, work.MAIL, now=mailing.clock.now(), lease=LEASE, limit=10)
        due = store.claimed_mail(session, held)

    def breaking() -> Any:
        yield due[0], Outcome(OutcomeKind.SENT, "taken")
        raise RuntimeError("a fault of ours")

    def record() -> None:
        for chunk in deliver._chunks(mailing, work.MAIL, held, breaking()):
            deliver._mail_done(mailing, held, chunk)

    with pytest.raises(RuntimeError):
        record()

    assert counts(mailing, STATES) == {"sent": 1, "pending": 2}
    assert deliver.run_mail(mailing) == 2


def test_a_title_with_line_breaks_makes_no_header(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, ANNA)
    publish(mailing, draft(title="Nabór\r\nBcc: obcy@mail.example\r\n\r\nTreść"))
    carry(mailing)

    (mail,) = mails(sink)
    assert mail.message["bcc"] is None
    assert mail.subject == "Nabór Bcc: obcy@mail.example Treść"


def test_who_has_left_gets_nothing_more(mailing: Runtime, sink: SmtpSink) -> None:
    composed(mailing)
    rows(mailing, "UPDATE subscribers SET state = 'left' RETURNING id")
    deliver.run_mail(mailing)

    assert mails(sink) == []
    assert delivery(mailing)["detail"] == "the subscriber has left"


def test_who_has_left_and_asks_again_gets_the_letter_to_confirm(mailing: Runtime, sink: SmtpSink) -> None:
    person = reader(mailing, ANNA)
    subscribers.leave(mailing, person.id)
    subscribers.sign_up(mailing, email=ANNA, interests=[Wish("kind:call")], locale="en")
    deliver.run_mail(mailing)

    confirmation, goodbye = mails(sink)
    assert confirmation.subject == "Confirm that you want these notices"
    assert goodbye.message["list-id"].startswith("<goodbye.")


def test_who_is_stopping_claims_no_more(mailing: Runtime) -> None:
    composed(mailing)
    mailing.stopping.set()

    assert deliver.run_mail(mailing) == 0
    assert counts(mailing, STATES) == {"pending": 1}


def test_who_is_asked_to_stop_ends_what_is_on_its_way_and_gives_the_rest_back(
    mailing: Runtime, sink: SmtpSink
) -> None:
    composed(mailing)
    many_readers(mailing, 150, "dotacja")
    publish(mailing, draft("n-2"))
    match.run(mailing)
    compose.run(mailing)
    sink.script.on_message = mailing.stopping.set

    sent = deliver.run_mail(mailing)

    assert 1 <= sent <= 2 * LANES
    assert counts(mailing, STATES) == {"sent": sent, "pending": 152 - sent}
    mailing.stopping.clear()
    deliver.run_mail(mailing)
    assert set(Counter(mail.id for mail in mails(sink)).values()) == {1}
