"""Endpoints that are told in digests: what waits for a window, and the calls that windows become.

An event that waits is a delivery in the state `waiting`. When its window closes it becomes part of a call
(`part_of`), and ends as that call ends, so that accounts close event by event.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Window:
    """An endpoint's window that fell due, held until the transaction ends."""

    id: int
    endpoint_id: int
    cadence: str
    timezone: str
    since: datetime
    due_at: datetime
    is_paused: bool


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """An event that waits for an endpoint's window; `was_told`: the endpoint took something of the notice."""

    delivery_id: int
    notice_id: int
    revision: int
    event_type: str
    was_told: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One event of a digest call."""

    delivery_id: int
    uid: uuid.UUID
    type: str
    at: datetime
    snapshot: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """What a digest call tells of; a window with very much in it becomes several calls."""

    since: datetime
    until: datetime
    part: int
    parts: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an endpoint is told, in which zone, and when its window closes."""

    cadence: str
    timezone: str
    due_at: datetime


_SET = text("""
    INSERT INTO endpoint_windows (endpoint_id, cadence, timezone, since, due_at)
    VALUES (:endpoint, :cadence, :timezone, :now, :due)
    ON CONFLICT (endpoint_id) DO UPDATE
        SET cadence = :cadence, timezone = :timezone, due_at = :due, state = 'pending',
            since = CASE WHEN endpoint_windows.cadence = 'instant' THEN :now ELSE endpoint_windows.since END
""")
_DUE = text("""
    SELECT w.id, w.endpoint_id, w.cadence, w.timezone, w.since, w.due_at, p.state = 'paused' AS is_paused
    FROM endpoint_windows w JOIN endpoints p ON p.id = w.endpoint_id
    WHERE w.state = 'pending' AND w.due_at <= :now
    ORDER BY w.due_at, w.id LIMIT :limit FOR UPDATE OF w SKIP LOCKED
""")
_WAITING = text("""
    SELECT d.id, e.notice_id, e.revision, e.type,
           EXISTS (SELECT FROM events te JOIN deliveries t ON t.event_id = te.id
                   WHERE te.notice_id = e.notice_id AND t.endpoint_id = d.endpoint_id AND t.state = 'sent'
           ) AS was_told
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.endpoint_id = :endpoint AND d.state = 'waiting' AND d.part_of IS NULL
    ORDER BY e.id FOR UPDATE OF d
""")
_DROP = text("""
    UPDATE deliveries d SET state = 'suppressed', detail = v.reason, finished_at = :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS v(id, reason)
    WHERE d.id = v.id
""")
_ADD = text("""
    WITH added AS (
        INSERT INTO deliveries (channel, endpoint_id, state, due_at, created_at)
        VALUES ('webhook', :endpoint, 'pending', :now, :now) RETURNING id
    ), told AS (
        INSERT INTO call_digests (delivery_id, endpoint_id, since, until, part, parts)
        SELECT id, :endpoint, :since, :until, :part, :parts FROM added
    )
    UPDATE deliveries d SET part_of = added.id FROM added WHERE d.id = ANY(:ids)
""")
_RELEASE = text("""
    UPDATE deliveries SET state = 'pending', due_at = :now
    WHERE endpoint_id = :endpoint AND state = 'waiting' AND part_of IS NULL
""")
_ADVANCE = text("UPDATE endpoint_windows SET since = :since, due_at = :due, state = :state WHERE id = :id")
_SPANS = text("SELECT delivery_id, since, until, part, parts FROM call_digests WHERE delivery_id = ANY(:ids)")
_PARTS = text("""
    SELECT d.part_of, d.id, e.uid, e.type, e.at, e.snapshot
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.part_of = ANY(:ids) ORDER BY d.part_of, e.id
""")
_OF_ENDPOINTS = text(
    "SELECT endpoint_id, cadence, timezone, due_at FROM endpoint_windows WHERE endpoint_id = ANY(:ids)"
)


def set_window(
    session: Session, endpoint_id: int, *, cadence: str, timezone: str, due_at: datetime, now: datetime
) -> None:
    """Tell an endpoint so often from now on; what waits stays in the window that is open."""
    bound = {"endpoint": endpoint_id, "cadence": cadence, "timezone": timezone, "due": due_at, "now": now}
    session.execute(_SET, bound)


def due(session: Session, *, now: datetime, limit: int) -> list[Window]:
    rows = session.execute(_DUE, {"now": now, "limit": limit})
    return [
        Window(r.id, r.endpoint_id, r.cadence, r.timezone, r.since, r.due_at, r.is_paused) for r in rows
    ]  # fmt: skip


def waiting(session: Session, endpoint_id: int) -> list[WaitingCall]:
    """What waits for an endpoint's window, in the order of the log."""
    rows = session.execute(_WAITING, {"endpoint": endpoint_id})
    return [WaitingCall(r.id, r.notice_id, r.revision, r.type, r.was_told) for r in rows]


def drop(session: Session, reasons: Mapping[int, str], *, now: datetime) -> None:
    """What is told in no call, each with its reason."""
    if reasons:
        session.execute(_DROP, {"ids": list(reasons), "reasons": list(reasons.values()), "now": now})


def add(session: Session, endpoint_id: int, ids: Sequence[int], span: Span, *, now: datetime) -> None:
    """A digest call of these deliveries, ready to go; unique by endpoint, end of the window and part."""
    session.execute(
        _ADD,
        {"endpoint": endpoint_id, "ids": list(ids), "now": now, "since": span.since, "until": span.until,
         "part": span.part, "parts": span.parts},
    )  # fmt: skip


def release(session: Session, endpoint_id: int, *, now: datetime) -> None:
    """What waits goes now, event by event."""
    session.execute(_RELEASE, {"endpoint": endpoint_id, "now": now})


def advance(
    session: Session, window_id: int, *, since: datetime, due_at: datetime, is_over: bool = False
) -> None:
    bound = {"id": window_id, "since": since, "due": due_at, "state": "done" if is_over else "pending"}
    session.execute(_ADVANCE, bound)


def spans(session: Session, delivery_ids: Sequence[int]) -> dict[int, Span]:
    """{delivery: what it tells of} of those that are digest calls."""
    rows = session.execute(_SPANS, {"ids": list(delivery_ids)}) if delivery_ids else ()
    return {r.delivery_id: Span(r.since, r.until, r.part, r.parts) for r in rows}


def parts(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[Part]]:
    """{digest call: its events in the order of the log}: the same at every attempt."""
    found: dict[int, list[Part]] = defaultdict(list)
    for r in session.execute(_PARTS, {"ids": list(delivery_ids)}) if delivery_ids else ():
        found[r.part_of].append(Part(r.id, r.uid, r.type, r.at, r.snapshot))
    return found


def rhythms(session: Session, endpoint_ids: Sequence[int]) -> dict[int, Rhythm]:
    """{endpoint: its rhythm} of those that are, or were, told in digests."""
    rows = session.execute(_OF_ENDPOINTS, {"ids": list(endpoint_ids)})
    return {r.endpoint_id: Rhythm(r.cadence, r.timezone, r.due_at) for r in rows}
