"""What the ways out have in common: an outcome becomes the delivery's next state, is written and counted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from services.channels.base import Outcome, OutcomeKind
from services.domain import retries
from services.runtime import Runtime
from services.storage.deliveries import CallDue, MailDue, Result
from services.storage.session import patiently

Due = MailDue | CallDue
R = TypeVar("R")


def write(rt: Runtime, change: Callable[[Session], R]) -> R:
    """Write an outcome, waiting for a database that restarts: what was sent must not be sent again."""
    return patiently(rt.sessions, change, sleep=rt.clock.sleep)


def result(rt: Runtime, one: Due, outcome: Outcome, schedule_s: Sequence[float]) -> Result:
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
        outcome.status, round(outcome.took_ms), again or now, phases=outcome.phases_ms,
        address=outcome.address, kind=outcome.kind or None, fault=outcome.fault,
        answer=outcome.answer or None,
    )  # fmt: skip


def count(rt: Runtime, channel: str, chunk: Sequence[tuple[Due, Outcome]]) -> None:
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
