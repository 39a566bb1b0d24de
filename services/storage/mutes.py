"""What a person wants no more of: rows that the fan-out looks at, and what waited and is not sent now.

A muted word or institution is an interest that the matchers hold; whoever adds or drops one tells them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage import subscriptions as uses
from services.storage.tables import Candidate, Interest, Mute, Notice

OVER_A_BATCH = 500


@dataclass(frozen=True, slots=True)
class Muted:
    """A mute with the canonical form of what it holds against everything, where it does."""

    row: Mute
    canonical: str | None


def put(
    session: Session, subscriber_id: int, *, kind: str, target: Mapping[str, int], label: str,
    until: datetime | None, now: datetime,
) -> Mute:  # fmt: skip
    """Mute a `target` ({"story_id": n}, {"subscription_id": n} or {"interest_id": n}, interned and held).

    The same once more changes how long it lasts.
    """
    interest_id = target.get("interest_id")
    is_first = interest_id is not None and not uses.is_used(session, interest_id)
    said = {"kind": kind, "label": label, "until": until}
    row = session.scalars(
        insert(Mute)
        .values(subscriber_id=subscriber_id, created_at=now, **target, **said)
        .on_conflict_do_update(
            constraint="uq_mutes_subscriber_id_subscription_id_story_id_interest_id", set_=said
        )
        .returning(Mute)
        .execution_options(populate_existing=True)
    ).one()
    if interest_id is not None and is_first:
        uses.tell_matchers(session, [interest_id])
    return row


def lift(session: Session, subscriber_id: int, mute_id: int) -> bool:
    """Take back one's own mute; False when there is none of this id."""
    return bool(_drop(session, [Mute.subscriber_id == subscriber_id, Mute.id == mute_id]))


def drop_all(session: Session, subscriber_id: int) -> None:
    """All mutes of a person who leaves."""
    _drop(session, [Mute.subscriber_id == subscriber_id])


def forget_over(session: Session, now: datetime) -> int:
    """Take out mutes whose time is over; returns how many."""
    over = session.scalars(
        select(Mute.id).where(Mute.until <= now).order_by(Mute.id).limit(OVER_A_BATCH)
    ).all()
    return _drop(session, [Mute.id.in_(over), Mute.until <= now])  # one may be renewed at this moment


def held(session: Session, subscriber_id: int) -> list[int]:
    """The interests that the matchers hold for a person's mutes."""
    return _interests(session, [Mute.subscriber_id == subscriber_id])


def _interests(session: Session, wanted: Sequence[ColumnElement[bool]]) -> list[int]:
    found = select(Mute.interest_id).where(*wanted, Mute.interest_id.is_not(None))
    return [one for one in session.scalars(found) if one is not None]


def _drop(session: Session, wanted: Sequence[ColumnElement[bool]]) -> int:
    interests = _interests(session, wanted)
    uses.hold(session, interests)
    gone = session.scalars(delete(Mute).where(*wanted).returning(Mute.id)).all()
    uses.tell_matchers(session, [one for one in sorted(set(interests)) if not uses.is_used(session, one)])
    return len(gone)


def of_subscriber(session: Session, subscriber_id: int, *, now: datetime) -> list[Muted]:
    """A person's mutes that are not over, oldest first."""
    rows = session.execute(
        select(Mute, Interest.canonical)
        .outerjoin(Interest, Interest.id == Mute.interest_id)
        .where(Mute.subscriber_id == subscriber_id, or_(Mute.until.is_(None), Mute.until > now))
        .order_by(Mute.id)
    )
    return [Muted(row, canonical) for row, canonical in rows]


def number_of(session: Session, subscriber_id: int) -> int:
    return session.scalar(select(func.count()).where(Mute.subscriber_id == subscriber_id)) or 0


def story_of(session: Session, story_id: int) -> str | None:
    """The title by which a story is known here; None for one that nobody tells."""
    first = select(Notice.title).where(Notice.story_id == story_id).order_by(Notice.id).limit(1)
    return session.scalar(first)


_WAITING = text("""
    SELECT c.id, c.event_id, c.subscription_id, n.story_id
    FROM candidates c JOIN events e ON e.id = c.event_id JOIN notices n ON n.id = e.notice_id
    WHERE c.subscriber_id = :subscriber AND c.state = 'pending' AND e.type <> 'withdrawn' AND c.id > :after
    ORDER BY c.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Waits:
    """A candidate that waits for its letter."""

    id: int
    event_id: int
    subscription_id: int
    story_id: int


def waiting(session: Session, subscriber_id: int, *, after: int, limit: int) -> list[Waits]:
    """What waits for a person, by id: news and changes, no withdrawals."""
    rows = session.execute(_WAITING, {"subscriber": subscriber_id, "after": after, "limit": limit})
    return [Waits(row.id, row.event_id, row.subscription_id, row.story_id) for row in rows]


def exclude(session: Session, candidates: Sequence[int], reason: str) -> int:
    """End what still waits; returns how many ended."""
    ended = session.scalars(
        update(Candidate)
        .where(Candidate.id.in_(candidates), Candidate.state == "pending")
        .values(state="excluded", reason=reason)
        .returning(Candidate.id)
    )
    return len(ended.all())
