"""What one person was sent and what became of it, and what waits for them. Only ever of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST = 200


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter with its delivery. `state` is that of the delivery; `detail` is told when it failed."""

    issue_id: int
    kind: str
    subject: str
    composed_at: datetime
    items: int
    state: str
    finished_at: datetime | None
    detail: str | None


_SENT = text("""
    SELECT i.id, i.kind, c.subject, i.created_at, coalesce(d.state, 'pending') AS state, d.finished_at,
           CASE WHEN d.state NOT IN ('sent', 'pending', 'sending') THEN d.detail END AS detail,
           (SELECT count(*) FROM issue_items t WHERE t.issue_id = i.id) AS items
    FROM issues i JOIN contents c ON c.hash = i.content_hash
    LEFT JOIN deliveries d ON d.issue_id = i.id
    WHERE i.subscriber_id = :subscriber
    ORDER BY i.id DESC LIMIT :most
""")
_WAITING = text("""
    SELECT DISTINCT ON (n.story_id) n.id, n.title, c.cadence
    FROM candidates c JOIN events e ON e.id = c.event_id JOIN notices n ON n.id = e.notice_id
    WHERE c.subscriber_id = :subscriber AND c.state = 'pending' AND n.withdrawn_at IS NULL
    ORDER BY n.story_id DESC, n.id DESC LIMIT :most
""")


def of_subscriber(session: Session, subscriber_id: int) -> list[SentLetter]:
    """The newest letters first."""
    rows = session.execute(_SENT, {"subscriber": subscriber_id, "most": MOST})
    return [
        SentLetter(r.id, r.kind, r.subject, r.created_at, r.items, r.state, r.finished_at, r.detail)
        for r in rows
    ]


def waiting_for(session: Session, subscriber_id: int) -> Sequence[dict[str, Any]]:
    """Stories that wait for a later letter, the newest first."""
    rows = session.execute(_WAITING, {"subscriber": subscriber_id, "most": MOST})
    return [{"id": r.id, "title": r.title, "cadence": r.cadence} for r in rows]
