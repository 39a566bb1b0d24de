"""The accounts: what became of every candidate of a notice, and of every round of composing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from services.storage.tables import ComposeRun


@dataclass(frozen=True, slots=True)
class Account:
    """How many candidates of one event ended so. `outcome`: delivered, on_the_way, undelivered (`reason` is
    the delivery's state), excluded (with its reason), waiting, or shown (in a private feed)."""

    event_id: int
    event_type: str
    at: datetime
    outcome: str
    reason: str | None
    number: int


_OF_NOTICE = text("""
    SELECT e.id, e.type, e.at, o.outcome, o.reason, count(c.id) AS number
    FROM events e
    LEFT JOIN candidates c ON c.event_id = e.id
    LEFT JOIN deliveries d ON d.issue_id = c.issue_id
    LEFT JOIN LATERAL (SELECT
        CASE WHEN c.state = 'excluded' THEN 'excluded'
             WHEN c.state = 'shown' THEN 'shown'
             WHEN c.state <> 'issued' THEN 'waiting'
             WHEN d.state = 'sent' THEN 'delivered'
             WHEN d.state IN ('pending', 'sending', 'retry') THEN 'on_the_way'
             ELSE 'undelivered' END AS outcome,
        CASE WHEN c.state = 'excluded' THEN c.reason
             WHEN c.state = 'issued' AND d.state NOT IN ('sent', 'pending', 'sending', 'retry')
             THEN d.state END AS reason
    ) o ON c.id IS NOT NULL
    WHERE e.notice_id = :notice
    GROUP BY e.id, e.type, e.at, o.outcome, o.reason
    ORDER BY e.id, o.outcome, o.reason
""")


def of_notice(session: Session, notice_id: int) -> list[Account]:
    """Every event of a notice with its accounts; an event that reached nobody has one of none."""
    return [
        Account(r.id, r.type, r.at, r.outcome or "waiting", r.reason, r.number)
        for r in session.execute(_OF_NOTICE, {"notice": notice_id})
    ]


def record(
    session: Session, *, at: datetime, kind: str, windows: int, issues: int, candidates: int, issued: int,
    reasons: Sequence[str],
) -> None:  # fmt: skip
    """One round of composing, in the transaction of what it did; `reasons` are of those excluded."""
    session.add(
        ComposeRun(
            at=at, kind=kind, windows=windows, issues=issues, candidates=candidates, issued=issued,
            excluded=len(reasons), waiting=candidates - issued - len(reasons), reasons=dict(Counter(reasons)),
        )
    )  # fmt: skip


def runs(session: Session, *, before: int | None, limit: int) -> Sequence[ComposeRun]:
    """The newest rounds first."""
    found = select(ComposeRun).order_by(ComposeRun.id.desc()).limit(limit)
    return session.scalars(found if before is None else found.where(ComposeRun.id < before)).all()


def forget(session: Session, before: datetime) -> int:
    """Rounds before a time are kept no longer; returns how many."""
    gone = delete(ComposeRun).where(ComposeRun.at < before).returning(ComposeRun.id)
    return len(session.scalars(gone).all())
