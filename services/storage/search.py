"""Notices for reading: pages in order of time, single ones, and as documents for queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.domain.drafts import text_of
from services.interests.documents import Document
from services.storage.matching import events_as_documents
from services.storage.notices import snapshot
from services.storage.tables import Institution, Notice, Revision, Subscriber


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of notices, newest first; by it the next page begins."""

    published_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A notice in its public form, with what is needed to hold a query against it."""

    id: int
    revision: int
    published_at: datetime
    body_html: str
    institutions: tuple[str, ...]
    form: Mapping[str, Any]

    @property
    def place(self) -> Place:
        return Place(self.published_at, self.id)

    def document(self) -> Document:
        form = self.form
        return Document(
            notice_id=self.id,
            kind=form["kind"],
            title=form["title"],
            summary=form["summary"],
            body=text_of(self.body_html),
            language=form["language"],
            topics=tuple(form["topics"]),
            places=tuple(form["places"]),
            source=str(form["source"]),
            institutions=self.institutions,
            audience=tuple(form["audience"]),
            deadline_at=datetime.fromisoformat(form["deadline_at"]) if form["deadline_at"] else None,
            published_at=self.published_at,
        )


def page(
    session: Session, *, after: Place | None, since: datetime | None = None, without: str = "", limit: int
) -> list[Listed]:
    """Notices that stand (not withdrawn), newest first, from a place on; none of the kind `without`."""
    wanted = _WITH_INSTITUTION.where(Notice.withdrawn_at.is_(None), Notice.kind != without)
    if after is not None:
        wanted = wanted.where(
            (Notice.published_at < after.published_at)
            | ((Notice.published_at == after.published_at) & (Notice.id < after.id))
        )
    if since is not None:
        wanted = wanted.where(Notice.published_at >= since)
    rows = session.execute(
        wanted.order_by(Notice.published_at.desc(), Notice.id.desc()).limit(limit)
    ).all()  # fmt: skip
    return _listed(session, [(row[0], row[1]) for row in rows])


def standing(session: Session, *, since: datetime) -> dict[int, int]:
    """{id: revision} of the notices of a span that were not withdrawn, newest first."""
    wanted = select(Notice.id, Notice.revision).where(
        Notice.published_at >= since, Notice.withdrawn_at.is_(None)
    )
    rows = session.execute(wanted.order_by(Notice.published_at.desc(), Notice.id.desc()))
    return {row.id: row.revision for row in rows}


def some(session: Session, ids: Sequence[int]) -> list[Listed]:
    """These notices, withdrawn ones too, in order of id."""
    rows = session.execute(_WITH_INSTITUTION.where(Notice.id.in_(ids)).order_by(Notice.id)).all()
    return _listed(session, [(row[0], row[1]) for row in rows])


def revisions(session: Session, notice_id: int) -> Sequence[Revision]:
    """A notice as it stood, oldest first."""
    wanted = select(Revision).where(Revision.notice_id == notice_id).order_by(Revision.revision)
    return session.scalars(wanted).all()


def documents_of(session: Session, event_ids: Sequence[int]) -> list[tuple[int, Document]]:
    """(event id, the notice as of its revision) of events that tell something, oldest first."""
    told = events_as_documents(session, event_ids)
    return [(one.event_id, one.document) for one in told if one.type != "withdrawn"]


def tellers(session: Session, story_id: int) -> list[Listed]:
    """The notices that tell a story and stand, oldest first."""
    wanted = _WITH_INSTITUTION.where(Notice.story_id == story_id, Notice.withdrawn_at.is_(None))
    rows = session.execute(wanted.order_by(Notice.published_at, Notice.id).limit(20)).all()
    return _listed(session, [(row[0], row[1]) for row in rows])


def counts(session: Session, *, since: datetime) -> dict[str, int]:
    """How much there is: institutions, confirmed subscribers, notices, and notices since a time."""
    stand = Notice.withdrawn_at.is_(None)
    asked = {
        "institutions": select(func.count()).select_from(Institution),
        "subscribers": select(func.count()).select_from(Subscriber).where(Subscriber.state == "active"),
        "notices": select(func.count()).select_from(Notice).where(stand),
        "recent_notices": select(func.count()).select_from(Notice).where(stand, Notice.published_at >= since),
    }
    return {name: session.scalar(query) or 0 for name, query in asked.items()}


_WITH_INSTITUTION = select(Notice, Institution).join(Institution, Institution.id == Notice.institution_id)

_LINEAGE = text("""
    WITH RECURSIVE chain AS (
        SELECT id AS leaf, slug, parent_id, 0 AS depth FROM institutions WHERE id = ANY(:ids)
        UNION ALL
        SELECT c.leaf, p.slug, p.parent_id, c.depth + 1
        FROM chain c JOIN institutions p ON p.id = c.parent_id WHERE c.depth < 10
    )
    SELECT leaf, array_agg(slug ORDER BY depth) AS slugs FROM chain GROUP BY leaf
""")


def _listed(session: Session, rows: Sequence[tuple[Notice, Institution]]) -> list[Listed]:
    ids = sorted({institution.id for _, institution in rows})
    lineage = {row.leaf: tuple(row.slugs) for row in session.execute(_LINEAGE, {"ids": ids})} if ids else {}
    return [
        Listed(
            notice.id,
            notice.revision,
            notice.published_at,
            notice.body_html,
            lineage[institution.id],
            snapshot(notice, slug=institution.slug, name=institution.name),
        )
        for notice, institution in rows
    ]
