"""Notices that may be each other's answer: offers, needs and infrastructure that stand and are still open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.storage import search
from services.storage.search import Listed
from services.storage.tables import Institution, Notice


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with the kind and the place of its institution."""

    listed: Listed
    institution_id: int
    kind: str
    seat: str | None


def told(session: Session, ids: Sequence[int]) -> list[Told]:
    """These notices, by id."""
    owners = {
        row.id: row
        for row in session.execute(
            select(Notice.id, Institution.id.label("owner"), Institution.kind, Institution.place)
            .join(Institution, Institution.id == Notice.institution_id)
            .where(Notice.id.in_(ids))
        )
    }
    return [Told(one, owners[one.id].owner, owners[one.id].kind, owners[one.id].place)
            for one in search.some(session, ids)]  # fmt: skip


def open_ones(
    session: Session, *, kinds: Sequence[str], but: int, since: datetime, now: datetime, limit: int
) -> list[Told]:
    """The newest of these kinds that stand, are not over, and come from another institution than `but`."""
    ids = session.scalars(
        select(Notice.id)
        .where(
            Notice.kind.in_(kinds),
            Notice.institution_id != but,
            Notice.withdrawn_at.is_(None),
            Notice.published_at >= since,
            or_(Notice.deadline_at.is_(None), Notice.deadline_at > now),
            or_(Notice.ends_at.is_(None), Notice.ends_at > now),
        )
        .order_by(Notice.published_at.desc(), Notice.id.desc())
        .limit(limit)
    ).all()
    return told(session, ids)
