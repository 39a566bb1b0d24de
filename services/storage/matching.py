"""What match reads and writes: events with their documents, the live interests, and what met."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.drafts import text_of
from services.interests.documents import Document
from services.interests.shards import Shard
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


def events_as_documents(session: Session, event_ids: Sequence[int]) -> list[ToMatch]:
    """Events, oldest first, each with the notice as of its revision."""
    found = []
    for row in session.execute(_EVENTS, {"ids": list(event_ids)}):
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
_LIVE = """(EXISTS (SELECT FROM subscriptions s WHERE s.interest_id = i.id)
            OR EXISTS (SELECT FROM mutes u WHERE u.interest_id = i.id))"""
_IN_SHARD = "i.id % :of = :number"
_ALL_LIVE = text(f"SELECT i.id FROM interests i WHERE {_IN_SHARD} AND {_LIVE}")
_LOGGED = text("SELECT id, interest_id FROM interest_changes WHERE xact >= CAST(:since AS xid8)")
_STATES = text(
    f"SELECT i.id, i.canonical, {_LIVE} AS live FROM interests i WHERE i.id = ANY(:ids) AND {_IN_SHARD}"
)


def horizon(session: Session) -> str:
    """The oldest transaction that is still open: what it and later ones change is not to be seen for sure.

    To be asked before looking, and the log to be read from here next time: a change may then be met twice,
    but never not at all.
    """
    found = session.scalar(_HORIZON)
    assert found is not None
    return str(found)


def changes_since(session: Session, since: str) -> dict[int, int]:
    """What the change log holds from a horizon on: {entry: interest id}."""
    return {row.id: row.interest_id for row in session.execute(_LOGGED, {"since": since})}


def live_interests(session: Session, shard: Shard) -> Sequence[int]:
    """The ids of all interests of a shard that somebody uses."""
    return session.scalars(_ALL_LIVE, shard._asdict()).all()


def states(session: Session, interest_ids: Sequence[int], shard: Shard) -> list[tuple[int, str, bool]]:
    """(interest id, canonical form, is it used) of those of these that are in the shard."""
    rows = session.execute(_STATES, {"ids": list(interest_ids), **shard._asdict()})
    return [(row.id, row.canonical, row.live) for row in rows]


_MATCHES = """
    INSERT INTO matches (event_id, interest_id, witnesses, at)
    SELECT m.event_id, m.interest_id, string_to_array(m.witnesses, chr(31)), :now
    FROM unnest(CAST(:events AS bigint[]), CAST(:interests AS bigint[]), CAST(:witnesses AS text[]))
         AS m(event_id, interest_id, witnesses)
    WHERE m.event_id IN ({held})
    ON CONFLICT DO NOTHING
"""
_BY_EVENT = text(_MATCHES.format(held="SELECT id FROM events WHERE id = ANY(:events) AND claim_id = :claim"))
_BY_TURN = text(
    _MATCHES.format(
        held="SELECT event_id FROM match_turns WHERE event_id = ANY(:events) AND claim_id = :claim"
    )
)

_FINISH = text("""
    UPDATE events SET state = 'matched', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")
_FAIL = text("""
    UPDATE events SET state = 'pending', error = :error, due_at = :again, claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:events) AND claim_id = :claim
""")


def record(session: Session, held: Claim, matches: Sequence[Met], *, now: datetime, by_turn: bool) -> int:
    """Write which interests events met; returns how many are new.

    Only of events that the claim still holds: itself, or by a turn of its shard.
    """
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
    return _count(session.execute(_BY_TURN if by_turn else _BY_EVENT, bound))


def finish(session: Session, held: Claim, events: Sequence[int]) -> int:
    """These events are matched and told to everyone; returns how many the claim still held."""
    return _count(session.execute(_FINISH, {"events": list(events), "claim": held.id}))


def set_aside(session: Session, held: Claim, events: Sequence[int], *, error: str, again: datetime) -> None:
    """Events that could not be matched: kept, with the reason, and tried again at `again`."""
    session.execute(_FAIL, {"events": list(events), "claim": held.id, "error": error, "again": again})


def _count(result: object) -> int:
    return max(0, getattr(result, "rowcount", 0))
