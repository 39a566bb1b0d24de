"""Stage 5: what is due leaves by its channel; every attempt is recorded, and nothing is sent blindly twice.

Claimed with a lease, sent outside any transaction, recorded by who still holds the claim. A kill between
the far end's acceptance and our bookkeeping repeats at most what was in flight; it never loses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from services import log as logs
from services.channels.base import Outcome, OutcomeKind
from services.domain import retries
from services.domain.bounces import Verdict
from services.domain.retries import HOUR_S, MINUTE_S
from services.pipeline.calls import WebhookSender
from services.pipeline.leases import LEASE, kept
from services.pipeline.letters import MailSender
from services.runtime import Runtime
from services.storage import deliveries as store
from services.storage import work
from services.storage.deliveries import CallDue, MailDue, Result
from services.storage.session import patiently
from services.storage.work import Claim, Lane

BATCH = 200
RECORD_EVERY = 50
RECORD_WITHIN_S = 0.25
# Seconds before each attempt at a mail: greylisting passes in minutes, an outage may last three days.
MAIL_SCHEDULE_S = (
    *(0, MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S),
    *(3 * HOUR_S, 8 * HOUR_S, 12 * HOUR_S, 24 * HOUR_S, 24 * HOUR_S),
)

log = logs.get(__name__)
Due = MailDue | CallDue
D = TypeVar("D", MailDue, CallDue)
R = TypeVar("R")


def run_mail(rt: Runtime) -> int:
    """Send e-mails until none is due or the process is stopping; returns how many were tried."""
    sender = MailSender(rt)
    try:
        return _until_done(rt, lambda: _mail_batch(rt, sender))
    finally:
        sender.close()


def run_webhooks(rt: Runtime) -> int:
    """Call endpoints until none is due or the process is stopping; returns how many were tried."""
    sender = WebhookSender(rt)
    return _until_done(rt, lambda: _webhook_batch(rt, sender))


def _until_done(rt: Runtime, batch: Callable[[], int | None]) -> int:
    tried = 0
    while not rt.stopping.is_set() and (count := batch()) is not None:
        tried += count
    return tried


def _mail_batch(rt: Runtime, sender: MailSender) -> int | None:
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.MAIL, now=now, lease=LEASE, limit=BATCH)
        due = store.claimed_mail(session, held)
        bodies = store.bodies(session, [one.content_hash for one in due])
    if not held:
        return None
    tried = 0
    with kept(rt, work.MAIL, held):
        ready = _hold_back(rt, held, due)
        for chunk in _chunks(rt, work.MAIL, held, sender.send(ready, bodies)):
            _mail_done(rt, held, chunk)
            _count(rt, sender.channel, chunk)
            tried += len(chunk)
    log.info("deliver.mail", claimed=len(held.rows), tried=tried)
    return tried


def _webhook_batch(rt: Runtime, sender: WebhookSender) -> int | None:
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.WEBHOOKS, now=now, lease=LEASE, limit=BATCH)
        due = store.claimed_calls(session, held)
    if not held:
        return None
    tried = 0
    with kept(rt, work.WEBHOOKS, held):
        ready = _hold_back(rt, held, due)
        for chunk in _chunks(rt, work.WEBHOOKS, held, sender.send(ready)):
            _calls_done(rt, held, chunk)
            _count(rt, "webhook", chunk)
            tried += len(chunk)
    log.info("deliver.webhooks", claimed=len(held.rows), tried=tried)
    return tried


def _mail_done(rt: Runtime, held: Claim, chunk: Sequence[tuple[MailDue, Outcome]]) -> None:
    results = [_result(rt, one, outcome, MAIL_SCHEDULE_S) for one, outcome in chunk]
    bounced = [
        (one.delivery_id, verdict.value, one.email_hash, outcome.detail)
        for (one, outcome), result in zip(chunk, results, strict=True)
        if (verdict := _verdict(outcome, result)) is not None
    ]

    def write(session: Session) -> None:
        written = store.record(session, held, results, now=rt.clock.now())
        store.report_bounces(session, [b for b in bounced if b[0] in written], now=rt.clock.now())

    _write(rt, write)
    if bounced:
        rt.bell.ring("feedback")


def _calls_done(rt: Runtime, held: Claim, chunk: Sequence[tuple[CallDue, Outcome]]) -> None:
    results = [_result(rt, one, outcome, retries.SCHEDULE_S) for one, outcome in chunk]
    told = [
        (one.endpoint_id, outcome.state is OutcomeKind.SENT, outcome.disable, outcome.detail)
        for one, outcome in chunk
    ]

    def write(session: Session) -> None:
        store.record(session, held, results, now=rt.clock.now())
        store.report_endpoints(session, told)

    _write(rt, write)


def _hold_back(rt: Runtime, held: Claim, due: Sequence[D]) -> list[D]:
    """Record what must not be sent after all; returns the rest."""
    now = rt.clock.now()
    stopped = [
        Result(one.delivery_id, "suppressed", "suppressed", one.held_back, None, 0, now, was_tried=False)
        for one in due
        if one.held_back
    ]
    if stopped:
        with rt.begin() as session:
            store.record(session, held, stopped, now=now)
    return [one for one in due if not one.held_back]


def _chunks(
    rt: Runtime, lane: Lane, held: Claim, outcomes: Iterable[tuple[D, Outcome]]
) -> Iterator[list[tuple[D, Outcome]]]:
    """Outcomes in groups to be recorded together: a group is full, or its oldest has waited long.

    However the sending ends, what has no outcome goes back at once, so that nothing waits for its lease
    to run out.
    """
    chunk: list[tuple[D, Outcome]] = []
    broken: Exception | None = None
    began = rt.clock.monotonic()
    try:
        for one in outcomes:
            chunk.append(one)
            now = rt.clock.monotonic()
            if len(chunk) >= RECORD_EVERY or now - began > RECORD_WITHIN_S:
                yield chunk
                chunk, began = [], now
    except Exception as exc:  # what was sent before the fault is recorded all the same
        broken = exc
    if chunk:
        yield chunk
    _write(rt, lambda session: work.hand_back(session, lane, held))
    if broken:
        raise broken


def _write(rt: Runtime, change: Callable[[Session], R]) -> R:
    """Write an outcome, waiting for a database that restarts: what was sent must not be sent again."""
    return patiently(rt.sessions, change, sleep=rt.clock.sleep)


def _result(rt: Runtime, one: Due, outcome: Outcome, schedule_s: Sequence[float]) -> Result:
    """The delivery's next state. A retry past the end of its schedule has failed."""
    now = rt.clock.now()
    state, again = outcome.state.value, None
    if outcome.state is OutcomeKind.RETRY:
        again = retries.next_attempt_at(
            one.attempts + 1,
            now,
            key=one.uid.hex,
            retry_after_s=outcome.retry_after_s,
            schedule_s=schedule_s,
        )
        state = "retry" if again else "failed"
    return Result(
        one.delivery_id, state, outcome.state.value, outcome.detail[:500].replace("\x00", ""),
        outcome.status, round(outcome.took_ms), again or now,
    )  # fmt: skip


def _verdict(outcome: Outcome, result: Result) -> Verdict | None:
    """What an ended delivery says of its address: nobody there, or trouble that outlasted every retry."""
    if outcome.permanent_address_fault:
        return Verdict.HARD
    return Verdict.SOFT if outcome.passing_address_fault and result.state == "failed" else None


def _count(rt: Runtime, channel: str, chunk: Sequence[tuple[Due, Outcome]]) -> None:
    now: datetime = rt.clock.now()
    for kind in OutcomeKind:
        if number := sum(outcome.state is kind for _, outcome in chunk):
            rt.metrics.attempts(channel, kind.value, number)
    spans = [
        (now - one.event_at).total_seconds()
        for one, outcome in chunk
        if outcome.state is OutcomeKind.SENT and one.event_at
    ]
    if spans:
        rt.metrics.sent_after(channel, spans)
