"""What ranking and telling need beside the events: how rare an interest is, and what a notice said before."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST_COUNTED = 2_000

_EVENTS = text("SELECT count(*) FROM (SELECT FROM events WHERE at >= :since LIMIT 20000) recent")
# Counted up to a limit: past it an interest is common, however much more it meets.
_MET = text("""
    SELECT i.id, c.met FROM unnest(CAST(:ids AS bigint[])) AS i(id)
    CROSS JOIN LATERAL (SELECT count(*) AS met FROM (
        SELECT FROM matches m WHERE m.interest_id = i.id AND m.at >= :since LIMIT :most
    ) found) c
""")
_REVISIONS = text("""
    SELECT r.notice_id, r.revision, r.snapshot
    FROM unnest(CAST(:notices AS bigint[]), CAST(:revisions AS bigint[])) AS v(notice_id, revision)
    JOIN revisions r ON r.notice_id = v.notice_id AND r.revision = v.revision
""")


def events_since(session: Session, since: datetime) -> int:
    return session.scalar(_EVENTS, {"since": since}) or 0


def met_since(session: Session, interest_ids: Iterable[int], since: datetime) -> dict[int, int]:
    """{interest: how many events it met since a time}."""
    rows = session.execute(_MET, {"ids": sorted(set(interest_ids)), "since": since, "most": MOST_COUNTED})
    return {row.id: row.met for row in rows}


def snapshots(
    session: Session, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], Mapping[str, Any]]:
    """{(notice, revision): what the notice said in it}."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}
    notices, revisions = (list(column) for column in zip(*pairs, strict=True))
    rows = session.execute(_REVISIONS, {"notices": notices, "revisions": revisions})
    return {(row.notice_id, row.revision): row.snapshot for row in rows}
