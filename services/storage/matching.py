"""What match reads and writes: events with their documents, the live interests, and what met."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.drafts import text_of
from services.interests.documents import Document
from services.storage.work import Claim

Met = tuple[int, int, tuple[str, ...]]  # event id, interest id, witnesses
SEPARATOR = "\x1f"  # of witnesses, on their way


@dataclass(frozen=True, slots=True)
class ToMatch:
    """A claimed event with the notice as of its revision."""

    event_id: int
    type: str
    notice_id: int
    document: Document


@dataclass(frozen=True, slots=True)
class InterestState:
    """An interest as the change log leaves it; not `live` when nobody uses it any more."""

    id: int
    canonical: str
    live: bool


_EVENTS = text("""
    WITH RECURSIVE chain AS (
        SELECT i.id AS leaf, i.id, i.slug, i.parent_id, 0 AS depth
        FROM institutions i
        WHERE i.id IN (SELECT n.institution_id FROM events e JOIN notices n ON n.id = e.notice_id
                       WHERE e.id = ANY(:ids))
        UNION ALL
        SELECT c.leaf, p.id, p.slug, p.parent_id, c.depth + 1
        FROM chain c JOIN institutions p ON p.id = c.parent_id WHERE c.depth < 10
    ), chains AS (
        SELECT leaf, array_agg(slug ORDER BY depth) AS slugs FROM chain GROUP BY leaf
    )
    SELECT e.id, e.type, e.at, e.notice_id, e.snapshot, n.body_html, n.source_id, n.deadline_at,
           n.published_at, c.slugs
    FROM events e JOIN notices n ON n.id = e.notice_id JOIN chains c ON c.leaf = n.institution_id
    WHERE e.id = ANY(:ids)
    ORDER BY e.id
""")


def claimed_events(session: Session, held: Claim) -> list[ToMatch]:
    """The events of a claim, oldest first, as documents."""
    found = []
    for row in session.execute(_EVENTS, {"ids": list(held.rows)}):
        shot = row.snapshot
        document = Document(
            notice_id=row.notice_id,
            kind=shot["kind"],
            title=shot["title"],
            summary=shot["summary"],
            body=text_of(row.body_html),
            language=shot["language"],
            topics=tuple(shot["topics"]),
            places=tuple(shot["places"]),
            source=str(row.source_id),
            institutions=tuple(row.slugs),
            audience=tuple(shot["audience"]),
            deadline_at=datetime.fromisoformat(shot["deadline_at"]) if shot["deadline_at"] else None,
            published_at=row.published_at,
        )
        found.append(ToMatch(row.id, row.type, row.notice_id, document))
    return found


_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
_LIVE = "EXISTS (SELECT FROM subscriptions s WHERE s.interest_id = i.id)"
_ALL = text(f"SELECT i.id, i.canonical, true AS live FROM interests i WHERE {_LIVE}")
_CHANGED = text(f"""
    SELECT i.id, i.canonical, {_LIVE} AS live FROM interests i
    WHERE i.id IN (SELECT interest_id FROM interest_changes WHERE xact >= CAST(:since AS xid8))
""")


def interests_since(session: Session, since: str | None) -> tuple[list[InterestState], str]:
    """Interests that changed since a horizon (all live ones when None), and the next horizon.

    A horizon is the oldest transaction that was still open when we looked: a change may be told twice,
    which harms nothing, but never not at all.
    """
    horizon = session.scalar(_HORIZON)
    assert horizon is not None
    rows = session.execute(_ALL) if since is None else session.execute(_CHANGED, {"since": since})
    return [InterestState(row.id, row.canonical, row.live) for row in rows], horizon


_MATCHES = text("""
    INSERT INTO matches (event_id, interest_id, witnesses, at)
    SELECT e.id, m.interest_id, string_to_array(m.witnesses, chr(31)), :now
    FROM unnest(CAST(:events AS bigint[]), CAST(:interests AS bigint[]), CAST(:witnesses AS text[]))
         AS m(event_id, interest_id, witnesses)
    JOIN events e ON e.id = m.event_id AND e.claim_id = :claim
    ON CONFLICT DO NOTHING
""")

_FINISH = text("""
    UPDATE events SET state = 'matched', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")
_FAIL = text("""
    UPDATE events SET state = 'pending', error = :error, due_at = :again, claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")


def record(session: Session, held: Claim, matches: Sequence[Met], *, now: datetime) -> int:
    """Write which interests events met, of events that the claim still holds; returns how many are new."""
    if not matches:
        return 0
    events, interests, witnesses = (list(column) for column in zip(*matches, strict=True))
    bound = {
        "events": events,
        "interests": interests,
        "witnesses": [SEPARATOR.join(texts) for texts in witnesses],
        "claim": held.id,
        "now": now,
    }
    return _count(session.execute(_MATCHES, bound))


def finish(session: Session, held: Claim, events: Sequence[int]) -> int:
    """These events are matched and told to everyone; returns how many the claim still held."""
    return _count(session.execute(_FINISH, {"events": list(events), "claim": held.id}))


def set_aside(session: Session, held: Claim, events: Sequence[int], *, error: str, again: datetime) -> None:
    """Events that could not be matched: kept, with the reason, and tried again at `again`."""
    session.execute(_FAIL, {"events": list(events), "claim": held.id, "error": error, "again": again})


def _count(result: object) -> int:
    return max(0, getattr(result, "rowcount", 0))
