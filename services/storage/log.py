"""The event log, read from a cursor: in order, nothing skipped, nothing told before its time.

Ids are given out before commits, so an order by id alone skips what a slower transaction commits later.
The log is ordered by (transaction, id) and read only below the oldest transaction still open: what lies
below that line can no longer change.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the log; `str()` gives what consumers keep."""

    xact: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.xact}-{self.id}"

    @classmethod
    def parse(cls, cursor: str) -> "Cursor":
        """Raises ValueError when it is not a cursor that we gave out."""
        xact, _, event_id = cursor.partition("-")
        if not (xact.isdecimal() and event_id.isdecimal() and len(cursor) < 40):
            raise ValueError("not a cursor")
        place = cls(int(xact), int(event_id))
        if place.xact >= 2**64 or place.id >= 2**63:
            raise ValueError("not a cursor")
        return place


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it stands in the log."""

    cursor: Cursor
    id: int
    uid: uuid.UUID
    type: str
    at: datetime
    notice_id: int
    revision: int
    snapshot: dict[str, Any]


_READ = text("""
    SELECT xact::text::numeric AS xact, id, uid, type, at, notice_id, revision, snapshot
    FROM events
    WHERE (xact, id) > (CAST(CAST(:xact AS text) AS xid8), CAST(:id AS bigint))
      AND xact < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xact, id
    LIMIT :limit
""")


def read_log(session: Session, *, after: Cursor, limit: int) -> Sequence[Logged]:
    """The next `limit` events after the cursor, oldest first."""
    rows = session.execute(_READ, {"xact": str(after.xact), "id": after.id, "limit": limit})
    return [_logged(row) for row in rows]


_READ_BACK = text("""
    SELECT xact::text::numeric AS xact, id, uid, type, at, notice_id, revision, snapshot
    FROM events
    WHERE (xact, id) < (CAST(CAST(:xact AS text) AS xid8), CAST(:id AS bigint))
      AND xact < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xact DESC, id DESC
    LIMIT :limit
""")
_END = Cursor(2**64 - 1, 2**63 - 1)


def read_back(session: Session, *, before: Cursor | None, limit: int) -> Sequence[Logged]:
    """The last `limit` events before a place (or of all), the newest first."""
    place = before or _END
    rows = session.execute(_READ_BACK, {"xact": str(place.xact), "id": place.id, "limit": limit})
    return [_logged(row) for row in rows]


def _logged(row: Row[Any]) -> Logged:
    return Logged(
        cursor=Cursor(int(row.xact), row.id), id=row.id, uid=row.uid, type=row.type, at=row.at,
        notice_id=row.notice_id, revision=row.revision, snapshot=row.snapshot,
    )  # fmt: skip
