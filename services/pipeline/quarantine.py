"""Between reading and accept: what is unlike its source is held until someone releases or drops it.

Known notices always go on; only new entries are held. Must hold before anything is published, and must not
ask about the same entries twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from feeds.types import Entry
from services import log as logs
from services.domain.drafts import Draft
from services.domain.quarantine import FAR_AHEAD, Batch, Reason, judge, usual_number
from services.domain.tongues import spoken
from services.errors import Conflict, NotFound
from services.pipeline import accept
from services.runtime import Runtime
from services.storage import audit
from services.storage import held as store
from services.storage.held import HeldRow, Past
from services.storage.polling import SourceDue

EXCUSED_FOR = timedelta(days=30)
_EXCUSABLE = frozenset({Reason.FUTURE, Reason.LANGUAGE, Reason.EMPTY})

log = logs.get(__name__)

__all__ = ["HeldRow", "Sieved", "drop", "open_batches", "release", "sieve"]


@dataclass(frozen=True, slots=True)
class Sieved:
    """What goes on to accept, how many entries wait, and why."""

    drafts: Sequence[Draft]
    waiting: int = 0
    reason: Reason | None = None


def sieve(rt: Runtime, source: SourceDue, entries: Sequence[Entry], drafts: Sequence[Draft]) -> Sieved:
    """Hold what must be held, in a transaction of its own; `drafts` are the entries, in their order."""
    now = rt.clock.now()
    keys = [draft.key for draft in drafts]
    with rt.begin() as session:
        past = store.past(session, source.source_id, keys, excused_since=now - EXCUSED_FOR)
        wanted = [draft for draft in drafts if draft.key not in past.dropped]
        fresh = [d for d in wanted if d.key not in past.taken and d.key not in past.waiting]
        reason = _reason(rt, source, entries, fresh, past)
        held = [d for d in wanted if d.key in past.waiting] + (fresh if reason else [])
        if not held and reason is not Reason.EMPTY:
            return Sieved(wanted)
        made = store.hold(session, source.source_id, held, reason=str(reason or Reason.CHURN), now=now)
    if made is not None:
        rt.metrics.handled("poll", "held")
        log.warning("poll.held", source_id=source.source_id, held_id=made, reason=str(reason), new=len(held))
    waiting = {draft.key for draft in held}
    return Sieved([draft for draft in wanted if draft.key not in waiting], len(held), reason)


def _reason(
    rt: Runtime, source: SourceDue, entries: Sequence[Entry], fresh: Sequence[Draft], past: Past
) -> Reason | None:
    now = rt.clock.now()
    new = {draft.key for draft in fresh}
    of_new = [entry for entry in entries if entry.key in new]
    since = source.last_checked_at or source.first_read_at or now
    said = judge(
        Batch(
            entries=len(entries),
            new=len(fresh),
            new_dated=sum(entry.raw_date is not None for entry in of_new),
            new_ahead=sum(entry.ahead_s > FAR_AHEAD.total_seconds() for entry in of_new),
            known=past.known,
            usual=usual_number(source.recent, since=since, now=now),
            new_language=spoken(" ".join(f"{d.title}. {d.summary}" for d in fresh)),
            usual_language=spoken(" ".join(past.texts)),
        )
    )
    return None if said in _EXCUSABLE and said in past.excused else said


def open_batches(rt: Runtime) -> list[HeldRow]:
    """What waits for a decision, the longest waiting first."""
    with rt.begin() as session:
        return store.listed(session)


def release(rt: Runtime, held_id: int, *, by: str) -> int:
    """Publish a held batch; returns how many notices that made. Killed half-way, it may be done again."""
    batch = _open(rt, held_id)
    done = accept.accept(rt, batch.source_id, batch.drafts) if batch.drafts else []
    _close(rt, held_id, state="released", by=by)
    return sum(one.outcome is accept.Outcome.PUBLISHED for one in done)


def drop(rt: Runtime, held_id: int, *, by: str) -> int:
    """Never publish a held batch, nor its entries when they come again; returns how many they are."""
    batch = _open(rt, held_id)
    _close(rt, held_id, state="dropped", by=by)
    return len(batch.drafts)


def _open(rt: Runtime, held_id: int) -> HeldRow:
    with rt.begin() as session:
        batch = store.by_id(session, held_id)
    if batch is None:
        raise NotFound(f"There is no held reading {held_id}. See which there are: goniec source held")
    if batch.state != "held":
        raise Conflict(f"This reading was {batch.state} already.", state=batch.state)
    return batch


def _close(rt: Runtime, held_id: int, *, state: str, by: str) -> None:
    now = rt.clock.now()
    with rt.begin() as session:
        if not store.decide(session, held_id, state=state, by=by, now=now):
            raise Conflict("Somebody has decided about this reading meanwhile.")
        audit.write_line(session, at=now, actor=by, action=f"held.{state}", target=str(held_id))
