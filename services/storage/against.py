"""What a difference is told against: fixed once for each delivery, so that every attempt tells the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.storage import telling

# The newest revision that this endpoint took before; an attempt under way counts for nothing yet.
_FIX = text("""
    UPDATE deliveries d SET base_revision = coalesce((
        SELECT max(te.revision)
        FROM events te JOIN deliveries t ON t.event_id = te.id AND t.endpoint_id = d.endpoint_id
        WHERE te.notice_id = e.notice_id AND te.revision < e.revision AND t.state = 'sent'
    ), 0)
    FROM events e
    WHERE e.id = d.event_id AND d.id = ANY(:ids) AND d.base_revision IS NULL
""")
_BASES = text("""
    SELECT d.id, e.notice_id, d.base_revision
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.id = ANY(:ids) AND d.base_revision > 0
""")


def hold(session: Session, delivery_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """{delivery: the notice as its endpoint had it}; those that were told nothing before are missing."""
    if not delivery_ids:
        return {}
    session.execute(_FIX, {"ids": list(delivery_ids)})
    rows = session.execute(_BASES, {"ids": list(delivery_ids)}).all()
    told = telling.snapshots(session, [(row.notice_id, row.base_revision) for row in rows])
    return {row.id: told[row.notice_id, row.base_revision] for row in rows}
