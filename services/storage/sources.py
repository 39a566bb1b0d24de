"""Sources as people manage them; their polling is `storage/polling.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.tables import Fetch, Institution, Notice, Source, Story

Listed = tuple[Source, str, int]  # the source, its institution's slug, its notices


def add(
    session: Session, *, institution_id: int, kind: str, address: str, title: str | None,
    topics: Sequence[str], places: Sequence[str], language: str | None, now: datetime,
    rules: Mapping[str, str] | None = None,
) -> Source | None:  # fmt: skip
    """A new source, due at once; None when the address is one already."""
    return session.scalars(
        insert(Source)
        .values(
            institution_id=institution_id, kind=kind, address=address, title=title, topics=list(topics),
            places=list(places), language=language, rules=dict(rules or {}),
            state="pending", due_at=now, created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["address"])
        .returning(Source)
    ).one_or_none()  # fmt: skip


def ensure_push(session: Session, institution_id: int, *, now: datetime) -> int:
    """The id of an institution's push door, made when there is none. It is never polled."""
    known = select(Source.id).where(Source.institution_id == institution_id, Source.kind == "push")
    if (source_id := session.scalar(known)) is not None:
        return source_id
    session.execute(
        insert(Source)
        .values(institution_id=institution_id, kind="push", state="stopped", due_at=now, created_at=now)
        .on_conflict_do_nothing(index_elements=["institution_id"], index_where=text("kind = 'push'"))
    )
    return session.scalars(known).one()


def everything(session: Session) -> list[Listed]:
    return [_listed(row) for row in session.execute(_LISTED.order_by(Source.id))]


def by_id(session: Session, source_id: int) -> Listed | None:
    row = session.execute(_LISTED.where(Source.id == source_id)).one_or_none()
    return _listed(row) if row else None


def id_of_address(session: Session, address: str) -> int | None:
    return session.scalar(select(Source.id).where(Source.address == address))


def fetches(session: Session, source_id: int, *, limit: int) -> Sequence[Fetch]:
    """The last visits, newest first."""
    newest = select(Fetch).where(Fetch.source_id == source_id).order_by(Fetch.at.desc(), Fetch.id.desc())
    return session.scalars(newest.limit(limit)).all()


def make_due(session: Session, ids: Sequence[int] | None, *, now: datetime) -> list[int]:
    """Let these sources (all that have an address, when None) be polled now; returns those it holds for.

    One that had been stopped is tried again; one being polled at this moment is left alone.
    """
    pollable = update(Source).where(Source.kind != "push", Source.state.in_(("pending", "stopped")))
    if ids is not None:
        pollable = pollable.where(Source.id.in_(ids))
    made = pollable.values(state="pending", due_at=now, stopped_because=None).returning(Source.id)
    return sorted(session.scalars(made))


def stop(session: Session, source_id: int, *, because: str) -> bool:
    """Poll a source no more, until someone polls it by hand."""
    stopped = update(Source).where(Source.id == source_id, Source.kind != "push")
    values = {"state": "stopped", "stopped_because": because, "claim_id": None, "lease_until": None}
    return session.scalar(stopped.values(**values).returning(Source.id)) is not None


_NOTICES = select(func.count()).where(Notice.source_id == Source.id).correlate(Source).scalar_subquery()
_LISTED: Select[Source, str, int] = select(Source, Institution.slug, _NOTICES).join(
    Institution, Institution.id == Source.institution_id
)


def _listed(row: Row[Source, str, int]) -> Listed:
    source, slug, notices = row
    return source, slug, notices


_BARE = text("""
    SELECT id, address FROM sources
    WHERE rtrim(lower(regexp_replace(address, '^https?://(www\\.)?', '', 'i')), '/') = ANY(:near)
    ORDER BY id LIMIT 20
""")


def by_bare_address(session: Session, near: Iterable[str]) -> list[tuple[int, str]]:
    """(id, address) of sources whose address is one of these but for scheme, `www.` and a last slash."""
    rows = session.execute(_BARE, {"near": [one.lower() for one in near]})
    return [(row.id, row.address) for row in rows]


def telling(session: Session, urls: Sequence[str]) -> list[tuple[int, str, int]]:
    """(id, address, how many) of sources with notices about these pages, the most first."""
    number = func.count(Notice.id.distinct())
    rows = session.execute(
        select(Source.id, Source.address, number)
        .join(Notice, Notice.source_id == Source.id)
        .join(Story, Story.id == Notice.story_id)
        .where(Story.url.in_(urls))
        .group_by(Source.id)
        .order_by(number.desc(), Source.id)
        .limit(20)
    )
    return [(source_id, address or "", count) for source_id, address, count in rows]
