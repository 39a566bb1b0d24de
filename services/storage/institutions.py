"""Institutions and consumers: who publishes, and who integrates."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.tables import Consumer, Institution


def add(
    session: Session, *, slug: str, name: str, kind: str, place: str | None, url: str | None,
    parent_id: int | None, now: datetime,
) -> Institution | None:  # fmt: skip
    """A new institution; None when the slug is taken."""
    return session.scalars(
        insert(Institution)
        .values(
            slug=slug, name=name, kind=kind, place=place, url=url, parent_id=parent_id, created_at=now
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Institution)
    ).one_or_none()  # fmt: skip


def by_slug(session: Session, slug: str) -> Institution | None:
    return session.scalars(select(Institution).where(Institution.slug == slug)).one_or_none()


def by_id(session: Session, institution_id: int) -> Institution | None:
    return session.get(Institution, institution_id)


def everyone(session: Session) -> Sequence[Institution]:
    """All institutions, by name."""
    return session.scalars(select(Institution).order_by(Institution.name, Institution.id)).all()


def slugs(session: Session) -> dict[int, str]:
    """{id: slug} of all institutions."""
    return {row.id: row.slug for row in session.execute(select(Institution.id, Institution.slug))}


def ensure_consumer(session: Session, name: str, *, now: datetime) -> Consumer:
    """The consumer of this name, made when there is none."""
    session.execute(
        insert(Consumer)
        .values(name=name, created_at=now)
        .on_conflict_do_nothing(index_elements=["name"])
    )  # fmt: skip
    return session.scalars(select(Consumer).where(Consumer.name == name)).one()


def consumer_by_id(session: Session, consumer_id: int) -> Consumer | None:
    return session.get(Consumer, consumer_id)


def consumer_by_name(session: Session, name: str) -> Consumer | None:
    return session.scalars(select(Consumer).where(Consumer.name == name)).one_or_none()
