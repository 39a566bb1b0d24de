"""Replays: jobs that gather events for an endpoint, then release them a few at a time.

What was gathered is the promise: each event of it is released once, in the transaction that counts it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.calls import PACE
from services.storage.tables import Delivery, Interest, Replay, ReplayItem, Subscription

ACTIVE = ("pending", "leased")


@dataclass(frozen=True, slots=True)
class Room:
    """How an endpoint stands before more is released to it: calls of this replay under way, whether other
    calls have waited for too long, and what its owner and its health allow."""

    under_way: int
    has_late_calls: bool
    state: str
    health: str
    quota: int
    max_per_s: float | None


def add(
    session: Session, *, endpoint_id: int, source_id: int, what: str, since: datetime, until: datetime,
    max_per_s: float, now: datetime,
) -> Replay | None:  # fmt: skip
    """A new job, due at once; None when the endpoint has one under way."""
    last = session.scalar(text("SELECT coalesce(max(id), 0) FROM events"))
    made = session.scalar(
        insert(Replay)
        .values(
            endpoint_id=endpoint_id, source_id=source_id, what=what, since=since, until=until,
            max_per_s=max_per_s, last_event_id=last, created_at=now, due_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=["endpoint_id"], index_where=text("state IN ('pending', 'leased')")
        )
        .returning(Replay.id)
    )  # fmt: skip
    return session.get(Replay, made) if made is not None else None


def by_uid(session: Session, endpoint_id: int, uid: uuid.UUID) -> Replay | None:
    wanted = select(Replay).where(Replay.endpoint_id == endpoint_id, Replay.uid == uid)
    return session.scalars(wanted.with_for_update()).one_or_none()


def lately(session: Session, endpoint_id: int, *, limit: int = 20) -> Sequence[Replay]:
    """An endpoint's replays, the newest first."""
    wanted = select(Replay).where(Replay.endpoint_id == endpoint_id)
    return session.scalars(wanted.order_by(Replay.id.desc()).limit(limit)).all()


def held(session: Session, replay_id: int, claim_id: str) -> Replay | None:
    """A job as its claim holds it, locked; None when it was cancelled or passed on."""
    wanted = select(Replay).where(Replay.id == replay_id, Replay.claim_id == claim_id)
    return session.scalars(wanted.where(Replay.state == "leased").with_for_update()).one_or_none()


def next_due(session: Session) -> datetime | None:
    """When the first waiting job falls due."""
    return session.scalar(select(func.min(Replay.due_at)).where(Replay.state == "pending"))


def interest(session: Session, endpoint_id: int) -> tuple[int, str] | None:
    """(id, canonical query) of what an endpoint asks for now."""
    wanted = select(Interest.id, Interest.canonical).join(
        Subscription, Subscription.interest_id == Interest.id
    )
    found = session.execute(wanted.where(Subscription.endpoint_id == endpoint_id)).one_or_none()
    return (found.id, found.canonical) if found else None


def scan(session: Session, job: Replay, *, limit: int) -> Sequence[int]:
    """The next events of the job's span, oldest first."""
    bound = {"since": job.since, "until": job.until, "after": job.scanned_to, "last": job.last_event_id}
    return session.scalars(_SCAN, {**bound, "limit": limit}).all()


def seen(session: Session, endpoint_id: int, interest_id: int, event_ids: Sequence[int]) -> set[int]:
    """Which of these events went to an endpoint, or met its interest when they happened."""
    bound = {"endpoint": endpoint_id, "interest": interest_id, "events": list(event_ids)}
    return set(session.scalars(_SEEN, bound))


def promise(session: Session, job: Replay, event_ids: Sequence[int]) -> None:
    """Add events to what the job will release."""
    if event_ids:
        items = [{"replay_id": job.id, "event_id": one} for one in event_ids]
        added = session.execute(
            insert(ReplayItem).values(items).on_conflict_do_nothing().returning(ReplayItem.event_id)
        ).all()
        job.total += len(added)


def promise_failed(session: Session, job: Replay) -> None:
    """Add the events whose delivery was given up in the job's span."""
    bound = {"replay": job.id, "source": job.source_id, "since": job.since, "until": job.until}
    job.total = len(session.execute(_PROMISE_FAILED, bound).all())


def room(session: Session, job: Replay, *, now: datetime, late: timedelta) -> Room:
    bound = {"replay": job.id, "endpoint": job.endpoint_id, "late": now - late}
    r = session.execute(_ROOM, bound).one()
    return Room(r.under_way, r.has_late_calls, r.state, r.health, r.quota, r.max_per_s)


def release(session: Session, job: Replay, *, limit: int, now: datetime) -> int:
    """Put the next events on their way, oldest first; how many. What is on its way already stays as it is."""
    ids = session.scalars(_TAKE, {"replay": job.id, "limit": limit}).all()
    if not ids:
        return 0
    bound = {"endpoint": job.endpoint_id, "replay": job.id, "events": sorted(ids), "now": now}
    begun = len(session.execute(_REDELIVER, bound).all())
    job.released += len(ids)
    job.already += len(ids) - begun
    return len(ids)


def redeliver(session: Session, delivery_id: int, *, now: datetime) -> bool:
    """Let one delivery go again, or sooner; False while it is being sent or waits for its digest."""
    return bool(session.execute(_RESEND, {"delivery": delivery_id, "now": now}).all())


def tallies(session: Session, replay_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """{replay: {state of delivery: how many}} of what replays released."""
    wanted = select(Delivery.replay_id, Delivery.state, func.count().label("n"))
    wanted = wanted.where(Delivery.replay_id.in_(list(replay_ids)))
    told: dict[int, dict[str, int]] = {one: {} for one in replay_ids}
    for row in session.execute(wanted.group_by(Delivery.replay_id, Delivery.state)):
        told[row.replay_id][row.state] = row.n
    return told


def drop_waiting(session: Session, replay_id: int) -> None:
    """Take back what was not released yet."""
    session.execute(
        delete(ReplayItem).where(ReplayItem.replay_id == replay_id, ReplayItem.is_released.is_(False))
    )


def put_back(job: Replay, *, due_at: datetime, waits_for: str | None = None) -> None:
    job.state, job.claim_id, job.lease_until = "pending", None, None
    job.due_at, job.waits_for = due_at, waits_for


def end(job: Replay, state: str, *, tally: dict[str, Any], now: datetime) -> None:
    job.state, job.claim_id, job.lease_until = state, None, None
    job.finished_at, job.tally, job.waits_for = now, tally, None


def forget(session: Session, before: datetime) -> int:
    """Drop jobs that ended before a time; what they delivered stays."""
    gone = delete(Replay).where(Replay.state.not_in(ACTIVE), Replay.finished_at < before).returning(Replay.id)
    return len(session.execute(gone).all())


_SCAN = text("""
    SELECT id FROM events
    WHERE id > :after AND id <= :last AND at >= :since AND at <= :until
    ORDER BY id LIMIT :limit
""")
_SEEN = text("""
    SELECT e.id FROM unnest(CAST(:events AS bigint[])) AS e(id)
    WHERE EXISTS (SELECT FROM deliveries d WHERE d.event_id = e.id AND d.endpoint_id = :endpoint)
       OR EXISTS (SELECT FROM matches m WHERE m.event_id = e.id AND m.interest_id = :interest)
""")
_PROMISE_FAILED = text("""
    INSERT INTO replay_items (replay_id, event_id)
    SELECT :replay, d.event_id FROM deliveries d
    WHERE d.endpoint_id = :source AND d.state IN ('failed', 'suppressed', 'uncertain')
      AND d.finished_at >= :since AND d.finished_at <= :until
    ON CONFLICT DO NOTHING
    RETURNING event_id
""")
_ROOM = text(f"""
    SELECT (SELECT count(*) FROM deliveries d
            WHERE d.replay_id = :replay AND d.state IN ('pending', 'sending')) AS under_way,
           EXISTS (SELECT FROM deliveries d
                   WHERE d.endpoint_id = p.id AND d.state IN ('pending', 'retry') AND d.due_at <= :late
                     AND d.replay_id IS DISTINCT FROM :replay) AS has_late_calls,
           p.state, p.health, p.quota, {PACE} AS max_per_s
    FROM endpoints p WHERE p.id = :endpoint
""")
_TAKE = text("""
    UPDATE replay_items i SET is_released = true
    FROM (SELECT event_id FROM replay_items
          WHERE replay_id = :replay AND NOT is_released ORDER BY event_id LIMIT :limit) next
    WHERE i.replay_id = :replay AND i.event_id = next.event_id
    RETURNING i.event_id
""")
_REDELIVER = text("""
    INSERT INTO deliveries (channel, event_id, endpoint_id, replay_id, state, due_at, created_at)
    SELECT 'webhook', e.id, :endpoint, :replay, 'pending', :now, :now
    FROM unnest(CAST(:events AS bigint[])) AS e(id)
    ORDER BY e.id
    ON CONFLICT (event_id, endpoint_id) DO UPDATE
        SET state = 'pending', due_at = :now, attempts = 0, finished_at = NULL, detail = 'replayed',
            replay_id = :replay, part_of = NULL
        WHERE deliveries.state IN ('sent', 'failed', 'suppressed', 'uncertain')
    RETURNING id
""")
_RESEND = text("""
    UPDATE deliveries
    SET state = 'pending', due_at = :now, finished_at = NULL, detail = 'resent', replay_id = NULL,
        part_of = NULL,
        attempts = CASE WHEN state IN ('pending', 'retry') THEN attempts ELSE 0 END
    WHERE id = :delivery AND state NOT IN ('sending', 'waiting')
    RETURNING id
""")
