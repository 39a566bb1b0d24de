"""How far back `interest_changes` still goes: what every matcher has had time to read is forgotten.

    mark the horizon → an hour later: `pruned` := that mark, what lies before it goes, mark anew

A matcher that slept for so long finds its own horizon before `pruned` and looks at all interests instead. So
`pruned` is committed before anything goes, and a matcher reads the log first and `pruned` after it.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

# Numbers of transactions begin anew in a database that was restored from a dump: a mark that lies ahead is
# another life's, and says nothing.
_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
_MARK = text(f"""
    INSERT INTO interest_log AS l (id, pruned, mark, marked_at) VALUES (1, '0', {_XMIN}, :now)
    ON CONFLICT (id) DO UPDATE
    SET pruned = CASE WHEN l.mark <= {_XMIN} THEN l.mark ELSE '0' END, mark = excluded.mark, marked_at = :now
    WHERE l.marked_at <= :before OR l.mark > {_XMIN}
""")
_FORGET = text(f"""
    DELETE FROM interest_changes WHERE id IN (
        SELECT c.id FROM interest_changes c JOIN interest_log l ON c.xact < l.pruned
        WHERE l.pruned <= {_XMIN}
        LIMIT :limit
    )
""")
_IS_WHOLE = text(f"""
    SELECT NOT EXISTS (SELECT FROM interest_log WHERE pruned > CAST(:since AS xid8) AND pruned <= {_XMIN})
""")


def mark(session: Session, *, now: datetime, keep: timedelta) -> None:
    """What was marked `keep` ago is read by everybody who is awake; to be committed before `forget`."""
    session.execute(_MARK, {"now": now, "before": now - keep})


def forget(session: Session, *, limit: int) -> int:
    """Delete up to `limit` entries that nobody awake will read again; returns how many."""
    return max(0, getattr(session.execute(_FORGET, {"limit": limit}), "rowcount", 0))


def is_whole(session: Session, since: str) -> bool:
    """Whether what was read of the log from this horizon on was all there was; to be asked after reading."""
    return bool(session.scalar(_IS_WHOLE, {"since": since}))
