"""What match reads and writes: events with their documents, the live interests, and the fan-out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.drafts import text_of
from services.interests.documents import Document
from services.storage.work import Claim


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
    SELECT m.event_id, m.interest_id, string_to_array(m.witnesses, chr(31)), :now
    FROM unnest(CAST(:events AS bigint[]), CAST(:interests AS bigint[]), CAST(:witnesses AS text[]))
         AS m(event_id, interest_id, witnesses)
    ON CONFLICT DO NOTHING
""")

# Readers: everyone whose subscription met the event, and for a revision also those who got what it corrects;
# each with the reason when they are left out. A pause drops alerts; what waits for a digest is kept and comes
# in one when the pause ends.
_FAN_OUT_READERS = text("""
    WITH told AS (
        SELECT m.event_id, s.id AS subscription_id
        FROM matches m JOIN subscriptions s ON s.interest_id = m.interest_id
        WHERE m.event_id = ANY(:events) AND s.subscriber_id IS NOT NULL
        UNION
        SELECT g.id, c.subscription_id
        FROM events g
        JOIN events e ON e.notice_id = g.notice_id AND e.revision < g.revision
        JOIN candidates c ON c.event_id = e.id AND c.state = 'issued'
        WHERE g.id = ANY(:events) AND g.type = 'revised'
    )
    INSERT INTO candidates (subscription_id, subscriber_id, event_id, cadence, state, reason, due_at, at)
    SELECT s.id, r.id, e.id, s.cadence,
           CASE WHEN w.reason IS NOT NULL THEN 'excluded' WHEN s.channel = 'feed' THEN 'shown'
                ELSE 'pending' END,
           w.reason, :now, :now
    FROM told
    JOIN events e ON e.id = told.event_id AND e.type <> 'withdrawn'
    JOIN notices n ON n.id = e.notice_id
    JOIN subscriptions s ON s.id = told.subscription_id
    JOIN subscribers r ON r.id = s.subscriber_id
    LEFT JOIN suppressions x ON x.email_hash = r.email_hash
    CROSS JOIN LATERAL (SELECT CASE
        WHEN r.state <> 'active' THEN 'not_confirmed'
        WHEN x.email_hash IS NOT NULL THEN 'suppressed'
        WHEN s.cadence = 'instant' AND greatest(r.paused_until, s.paused_until) > :now THEN 'paused'
        WHEN n.commercial AND NOT r.commercial THEN 'no_commercial_consent'
        WHEN n.withdrawn_at IS NOT NULL THEN 'withdrawn'
        END AS reason) w
    ON CONFLICT DO NOTHING
""")

# A withdrawal goes to exactly those who got the notice; who still waits for it no longer does. These are two
# statements, the second with a newer look: what a composer took up between them counts as got.
_STOP_WAITING = text("""
    UPDATE candidates c SET state = 'excluded', reason = 'withdrawn'
    FROM events g JOIN events e ON e.notice_id = g.notice_id AND e.id <> g.id
    WHERE g.id = ANY(:events) AND g.type = 'withdrawn' AND c.event_id = e.id AND c.state = 'pending'
""")
_FAN_OUT_WITHDRAWN = text("""
    INSERT INTO candidates (subscription_id, subscriber_id, event_id, cadence, state, due_at, at)
    SELECT DISTINCT ON (g.id, c.subscriber_id) c.subscription_id, c.subscriber_id, g.id, s.cadence,
           'pending', CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM events g
    JOIN events e ON e.notice_id = g.notice_id
    JOIN candidates c ON c.event_id = e.id AND c.state IN ('issued', 'leased')
    JOIN subscriptions s ON s.id = c.subscription_id
    JOIN subscribers r ON r.id = c.subscriber_id AND r.state = 'active'
    WHERE g.id = ANY(:events) AND g.type = 'withdrawn'
    ORDER BY g.id, c.subscriber_id, c.id DESC
    ON CONFLICT DO NOTHING
""")

# Endpoints: those whose subscription met the event, and for a change or a withdrawal those told before.
_FAN_OUT_ENDPOINTS = text("""
    INSERT INTO deliveries (channel, event_id, endpoint_id, state, due_at, created_at)
    SELECT 'webhook', told.event_id, p.id, 'pending', :now, :now
    FROM (
        SELECT m.event_id, s.endpoint_id
        FROM matches m JOIN subscriptions s ON s.interest_id = m.interest_id
        WHERE m.event_id = ANY(:events) AND s.endpoint_id IS NOT NULL
        UNION
        SELECT g.id, d.endpoint_id
        FROM events g JOIN events e ON e.notice_id = g.notice_id JOIN deliveries d ON d.event_id = e.id
        WHERE g.id = ANY(:events) AND g.type IN ('revised', 'withdrawn') AND d.endpoint_id IS NOT NULL
          AND e.id <> g.id
    ) told
    JOIN endpoints p ON p.id = told.endpoint_id AND p.state <> 'disabled'
    ON CONFLICT DO NOTHING
""")

_FINISH = text("""
    UPDATE events SET state = 'matched', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
    RETURNING id
""")
_FAIL = text("""
    UPDATE events SET state = 'pending', error = :error, due_at = :again, claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")


@dataclass(frozen=True, slots=True)
class FannedOut:
    """How many rows a fan-out made."""

    readers: int
    endpoints: int


def fan_out(
    session: Session,
    held: Claim,
    hits: Mapping[int, Sequence[tuple[int, tuple[str, ...]]]],
    *,
    now: datetime,
) -> FannedOut:
    """Write the matches {event id: [(interest id, witnesses)]}, then everyone they reach, set at a time.

    Idempotent: a batch that was killed and taken up again writes nothing twice.
    """
    events = list(hits)
    rows = [(event, interest, "\x1f".join(w)) for event, found in hits.items() for interest, w in found]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        session.execute(
            _MATCHES, {"events": columns[0], "interests": columns[1], "witnesses": columns[2], "now": now}
        )
    bound = {"events": events, "now": now}
    readers = _count(session.execute(_FAN_OUT_READERS, bound))
    session.execute(_STOP_WAITING, bound)
    readers += _count(session.execute(_FAN_OUT_WITHDRAWN, bound))
    endpoints = _count(session.execute(_FAN_OUT_ENDPOINTS, bound))
    session.execute(_FINISH, {"events": events, "claim": held.id})
    return FannedOut(readers, endpoints)


def set_aside(session: Session, held: Claim, events: Sequence[int], *, error: str, again: datetime) -> None:
    """Events that could not be matched: kept, with the reason, and tried again at `again`."""
    session.execute(_FAIL, {"events": list(events), "claim": held.id, "error": error, "again": again})


def _count(result: object) -> int:
    return max(0, getattr(result, "rowcount", 0))
