"""Stage 5: what is due leaves by its channel; every attempt is recorded, and nothing is sent blindly twice.

Claimed with a lease, sent outside any transaction, recorded by who still holds the claim. A kill between
the far end's acceptance and our bookkeeping repeats at most what was in flight; it never loses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle

from sqlalchemy.orm import Session

from services import log as logs
from services.channels.base import Outcome
from services.domain.bounces import Verdict
from services.domain.retries import HOUR_S, MINUTE_S
from services.pipeline import outcomes, pace
from services.pipeline.call_flow import CallFlow
from services.pipeline.leases import LEASE, kept
from services.pipeline.letters import MailSender
from services.runtime import Runtime
from services.storage import deliveries as store
from services.storage import work
from services.storage.deliveries import MailDue, Result
from services.storage.work import Claim, Lane

BATCH = 200
BATCHES_IN_ORDER = 3  # of four: the fourth takes what has waited longest, so that nothing waits for ever
RECORD_EVERY = 50
RECORD_WITHIN_S = 0.25
# Seconds before each attempt at a mail: greylisting passes in minutes, an outage may last three days.
MAIL_SCHEDULE_S = (
    *(0, MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S),
    *(3 * HOUR_S, 8 * HOUR_S, 12 * HOUR_S, 24 * HOUR_S, 24 * HOUR_S),
)

log = logs.get(__name__)


def run_mail(rt: Runtime) -> int:
    """Send e-mails until none is due or the process is stopping; returns how many were tried."""
    sender = MailSender(rt)
    lanes = cycle([work.MAIL] * BATCHES_IN_ORDER + [work.MAIL_BY_AGE])
    try:
        return _until_done(rt, lambda: _mail_batch(rt, sender, next(lanes)))
    finally:
        sender.close()


def run_webhooks(rt: Runtime) -> int:
    """Call endpoints until none is due or the process is stopping; returns how many were tried."""
    return CallFlow(rt).run()


def _until_done(rt: Runtime, batch: Callable[[], int | None]) -> int:
    tried = 0
    while not rt.stopping.is_set() and (count := batch()) is not None:
        tried += count
    return tried


def _mail_batch(rt: Runtime, sender: MailSender, lane: Lane) -> int | None:
    now, limits = rt.clock.now(), pace.Pace.today(rt)
    with rt.begin() as session:
        held = pace.claim(session, limits, lane, now=now, lease=LEASE, at_most=BATCH)
        due = store.claimed_mail(session, held)
        turns = pace.turns(session, limits, held, due, now=now)
        bodies = store.bodies(session, [one.content_hash for one in due])
    if not held:
        return None
    tried = 0
    with kept(rt, work.MAIL, held):
        ready = [one for one in _hold_back(rt, held, due) if one.delivery_id in turns]
        for chunk in _chunks(rt, work.MAIL, held, sender.send(ready, bodies, turns)):
            _mail_done(rt, held, chunk)
            outcomes.count(rt, sender.channel, chunk)
            tried += len(chunk)
    log.info("deliver.mail", claimed=len(held.rows), tried=tried)
    return tried


def _mail_done(rt: Runtime, held: Claim, chunk: Sequence[tuple[MailDue, Outcome]]) -> None:
    results = [outcomes.result(rt, one, outcome, MAIL_SCHEDULE_S) for one, outcome in chunk]
    bounced = [
        (one.delivery_id, verdict.value, one.email_hash, outcome.detail)
        for (one, outcome), result in zip(chunk, results, strict=True)
        if (verdict := _verdict(outcome, result)) is not None
    ]

    def write(session: Session) -> None:
        written = store.record(session, held, results, now=rt.clock.now())
        store.report_bounces(session, [b for b in bounced if b[0] in written], now=rt.clock.now())

    outcomes.write(rt, write)
    if bounced:
        rt.bell.ring("feedback")


def _hold_back(rt: Runtime, held: Claim, due: Sequence[MailDue]) -> list[MailDue]:
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
    rt: Runtime, lane: Lane, held: Claim, sent: Iterable[tuple[MailDue, Outcome]]
) -> Iterator[list[tuple[MailDue, Outcome]]]:
    """Outcomes in groups to be recorded together: a group is full, or its oldest has waited long.

    However the sending ends, what has no outcome goes back at once, so that nothing waits for its lease
    to run out.
    """
    chunk: list[tuple[MailDue, Outcome]] = []
    broken: Exception | None = None
    began = rt.clock.monotonic()
    try:
        for one in sent:
            chunk.append(one)
            now = rt.clock.monotonic()
            if len(chunk) >= RECORD_EVERY or now - began > RECORD_WITHIN_S:
                yield chunk
                chunk, began = [], now
    except Exception as exc:  # what was sent before the fault is recorded all the same
        broken = exc
    if chunk:
        yield chunk
    outcomes.write(rt, lambda session: work.hand_back(session, lane, held))
    if broken:
        raise broken


def _verdict(outcome: Outcome, result: Result) -> Verdict | None:
    """What an ended delivery says of its address: nobody there, or trouble that outlasted every retry."""
    if outcome.permanent_address_fault:
        return Verdict.HARD
    return Verdict.SOFT if outcome.passing_address_fault and result.state == "failed" else None
