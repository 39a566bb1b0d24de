"""Matchers that share the interests: each event has a turn with every shard, and is told when all are done.

    event: pending → (turns planned) matching → (all turns done) pending → told to everyone → matched

A process that holds all interests needs none of this. Both kinds may run at once: whoever claims an event
first decides how it is matched, and the outcome is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.interests.shards import Shard
from services.storage.tables import MatchTurn
from services.storage.work import Claim, Lane


def lane(shard: Shard) -> Lane:
    """The turns of one shard."""
    return Lane(MatchTurn, where=(MatchTurn.shard == shard.number, MatchTurn.shards == shard.of))


_PLANNED = text("SELECT DISTINCT event_id FROM match_turns WHERE event_id = ANY(:events)")
_PLAN = text("""
    INSERT INTO match_turns (event_id, shard, shards, state, due_at)
    SELECT e.id, g.shard, CAST(:of AS integer), 'pending', CAST(:now AS timestamptz)
    FROM events e, generate_series(0, CAST(:of AS integer) - 1) AS g(shard)
    WHERE e.id = ANY(:events) AND e.claim_id = :claim
    ON CONFLICT DO NOTHING
""")
_PARK = text("""
    UPDATE events SET state = 'matching', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")


def planned(session: Session, events: Sequence[int]) -> set[int]:
    """Those claimed events that had their turns: a claim can only meet them when all are done."""
    return set(session.scalars(_PLANNED, {"events": list(events)}))


def plan(session: Session, held: Claim, events: Sequence[int], shard: Shard, *, now: datetime) -> None:
    """Give these claimed events a turn with each shard; they are nobody's until all are done."""
    bound = {"events": list(events), "claim": held.id}
    session.execute(_PLAN, {**bound, "of": shard.of, "now": now})
    session.execute(_PARK, bound)


_EVENTS_OF = text("SELECT event_id FROM match_turns WHERE id = ANY(:turns) AND claim_id = :claim")
_HOLD = text("SELECT id FROM events WHERE id = ANY(:events) ORDER BY id FOR UPDATE")
_DONE = text("""
    UPDATE match_turns SET state = 'done', claim_id = NULL, lease_until = NULL
    WHERE event_id = ANY(:events) AND claim_id = :claim
""")
_RELEASE = text("""
    UPDATE events e SET state = 'pending', due_at = :now
    WHERE e.id = ANY(:events) AND e.state = 'matching'
      AND NOT EXISTS (SELECT FROM match_turns t WHERE t.event_id = e.id AND t.state <> 'done')
    RETURNING e.id
""")
_SET_ASIDE = text("""
    WITH aside AS (
        UPDATE match_turns SET state = 'pending', due_at = :again, claim_id = NULL, lease_until = NULL
        WHERE event_id = ANY(:events) AND claim_id = :claim
        RETURNING event_id
    )
    UPDATE events e SET error = :error FROM aside WHERE e.id = aside.event_id
""")


def events_of(session: Session, held: Claim) -> list[int]:
    """The events of claimed turns."""
    return list(session.scalars(_EVENTS_OF, {"turns": list(held.rows), "claim": held.id}))


def done(session: Session, held: Claim, events: Sequence[int], *, now: datetime) -> int:
    """This shard's turns with these events are over; returns how many events all shards are done with.

    The events are locked first: of two shards that end at once, the second sees that the first has.
    """
    bound = {"events": list(events)}
    session.execute(_HOLD, bound)
    session.execute(_DONE, {**bound, "claim": held.id})
    return len(session.execute(_RELEASE, {**bound, "now": now}).all())


def set_aside(session: Session, held: Claim, events: Sequence[int], *, error: str, again: datetime) -> None:
    """Turns with events that could not be read, tried again at `again`."""
    session.execute(_SET_ASIDE, {"events": list(events), "claim": held.id, "error": error, "again": again})


_FORGET = text("DELETE FROM match_turns WHERE event_id = ANY(:events)")
_STRANDED = text("""
    SELECT DISTINCT t.event_id FROM match_turns t JOIN events e ON e.id = t.event_id AND e.state = 'matching'
    WHERE t.shards <> :of
      AND (t.state = 'pending' AND t.due_at < :before OR t.state = 'leased' AND t.lease_until < :before)
    LIMIT 500
""")
_TAKE_BACK = text("UPDATE events SET state = 'pending' WHERE id = ANY(:events) AND state = 'matching'")


_WAITED = text("""
    SELECT shard, shards, count(*) AS events, min(due_at) AS since FROM match_turns
    WHERE (state = 'pending' AND due_at < :before) OR (state = 'leased' AND lease_until < :before)
    GROUP BY 1, 2 ORDER BY 2, 1
""")


@dataclass(frozen=True, slots=True)
class Missing:
    """A shard that takes no turns: so many events wait for it, told to nobody, the first `since` then."""

    shard: Shard
    events: int
    since: datetime


def missing(session: Session, *, before: datetime) -> list[Missing]:
    """Shards whose turns have waited since `before`: most likely nobody runs their matcher."""
    rows = session.execute(_WAITED, {"before": before})
    return [Missing(Shard(row.shard, row.shards), row.events, row.since) for row in rows]


def forget(session: Session, events: Sequence[int]) -> None:
    """The turns of events that are told."""
    session.execute(_FORGET, {"events": list(events)})


def take_back(session: Session, shard: Shard, *, before: datetime) -> int:
    """Events planned for another number of shards whose turns nobody took since `before`: matched anew.

    So a change of that number leaves no event behind. Returns how many.
    """
    stranded = list(session.scalars(_STRANDED, {"of": shard.of, "before": before}))
    if stranded:
        session.execute(_HOLD, {"events": stranded})
        session.execute(_TAKE_BACK, {"events": stranded})
        forget(session, stranded)
    return len(stranded)
