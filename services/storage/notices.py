"""Notices, their revisions and their events: written together or not at all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, column, exists, insert, select, update, values
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, aliased

from services.domain.drafts import Draft
from services.domain.events import rfc3339
from services.storage.tables import Event, Institution, Notice, Revision, Source, Story

MAX_JOINING_URL = 2_000  # bytes; an entry of a B-tree has at most 2,704


@dataclass(frozen=True, slots=True)
class Door:
    """The source that a batch of drafts came through, with the institution that answers for it."""

    source_id: int
    institution_id: int
    institution_slug: str
    institution_name: str
    source_topics: tuple[str, ...]
    source_places: tuple[str, ...]
    source_language: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A draft that is new or differs from what is stored, cleaned and ready to be written."""

    draft: Draft
    hash: bytes
    published_at: datetime


def door(session: Session, source_id: int) -> Door | None:
    row = session.execute(
        select(
            Source.id, Institution.id, Institution.slug, Institution.name,
            Source.topics, Source.places, Source.language,
        )
        .join(Institution, Source.institution_id == Institution.id)
        .where(Source.id == source_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    of_source, of_institution, slug, name, topics, places, language = row
    return Door(of_source, of_institution, slug, name, tuple(topics), tuple(places), language)


def hold_known(session: Session, source_id: int, keys: Sequence[str]) -> dict[str, Notice]:
    """The stored notices of these keys, locked until the transaction ends."""
    rows = session.scalars(
        select(Notice)
        .where(Notice.source_id == source_id, Notice.key.in_(keys))
        .order_by(Notice.id)
        .with_for_update()
    )
    return {notice.key: notice for notice in rows}


def rename(session: Session, source_id: int, names: Mapping[str, str]) -> int:
    """Give stored notices, withdrawn ones too, the keys by which their source names them now; {old: new}.

    A new key that is taken leaves the old one as it is. Returns how many were renamed.
    """
    pairs = values(
        column("old", String), column("new", String), name="names"
    ).data(list(names.items()))  # fmt: skip
    taken = aliased(Notice)
    renamed = (
        update(Notice)
        .where(
            Notice.source_id == source_id,
            Notice.key == pairs.c.old,
            ~exists().where(taken.source_id == source_id, taken.key == pairs.c.new),
        )
        .values(key=pairs.c.new)
        .returning(Notice.id)
    )
    return len(session.scalars(renamed).all()) if names else 0


def add_notices(
    session: Session,
    where: Door,
    changes: Sequence[Change],
    *,
    now: datetime,
    quiet: frozenset[str],
    alike: Mapping[str, int],
) -> dict[str, tuple[int, int | None]]:
    """Store notices that were not there, with first revision and a `published` event.

    Keys in `quiet` get no event: they are stored for reading, not for telling. `alike` names the story of
    those that tell what another institution has told. Returns {key: (notice
    id, event id or None)} of those written; a key that another transaction wrote meanwhile is missing.
    """
    if not changes:
        return {}
    stories = _stories(session, where, changes, now=now, alike=alike)
    values = [
        {**_columns(change, where), "story_id": story, "revision": 1, "fetched_at": now}
        for change, story in zip(changes, stories, strict=True)
    ]
    upsert = postgresql.insert(Notice).on_conflict_do_nothing(index_elements=["source_id", "key"])
    added = session.scalars(upsert.returning(Notice), values).all()
    events = _record(session, added, where, now=now, kind="published", tell={n.key for n in added} - quiet)
    return {notice.key: (notice.id, events.get(notice.id)) for notice in added}


def revise(session: Session, notice: Notice, where: Door, change: Change, *, now: datetime) -> int:
    """Replace a notice by a newer revision; returns the id of its `revised` event."""
    columns = _columns(change, where)
    for name in ("source_id", "institution_id", "key", "published_at"):
        columns.pop(name)
    for name, value in columns.items():
        setattr(notice, name, value)
    notice.revision += 1
    notice.fetched_at = now
    session.flush()
    return _record(session, [notice], where, now=now, kind="revised", tell={notice.key})[notice.id]


def withdraw(session: Session, notice: Notice, where: Door, *, now: datetime) -> int:
    """Mark a notice as withdrawn, for good; returns the id of its `withdrawn` event."""
    notice.withdrawn_at = now
    notice.revision += 1
    session.flush()
    return _record(session, [notice], where, now=now, kind="withdrawn", tell={notice.key})[notice.id]


def _stories(
    session: Session, where: Door, changes: Sequence[Change], *, now: datetime, alike: Mapping[str, int]
) -> list[int]:
    """A story for each change. Tellers are joined when they are alike or link to one page, never within one
    institution: a wrong join is worse than a missed one."""
    own_ways = [change for change in changes if change.draft.key not in alike]
    told = dict(
        zip((c.draft.key for c in own_ways), _by_page(session, where, own_ways, now=now), strict=True)
    )
    return [alike.get(change.draft.key) or told[change.draft.key] for change in changes]


def _by_page(session: Session, where: Door, changes: Sequence[Change], *, now: datetime) -> list[int]:
    often = Counter(change.draft.url for change in changes)
    urls = {c.draft.url for c in changes if c.draft.url and often[c.draft.url] == 1 and _is_page(c.draft.url)}
    told_here = set(
        session.scalars(
            select(Story.url)
            .join(Notice, Notice.story_id == Story.id)
            .where(Story.url.in_(urls), Notice.institution_id == where.institution_id)
        )
    )
    shared: dict[str | None, int] = {}
    if joinable := sorted(urls - told_here):
        upsert = postgresql.insert(Story)
        rows = session.connection().execute(
            upsert.on_conflict_do_update(index_elements=["url"], set_={"url": upsert.excluded.url}).returning(
                Story.url, Story.id
            ),
            [{"url": url, "created_at": now} for url in joinable],
        )
        shared = {row.url: row.id for row in rows}
    alone = [c for c in changes if c.draft.url not in shared]
    rows_of_own = [{"url": None, "created_at": now} for _ in alone]
    own = iter(
        session.connection().scalars(insert(Story).returning(Story.id), rows_of_own).all() if alone else ()
    )
    return [shared[c.draft.url] if c.draft.url in shared else next(own) for c in changes]


def _is_page(url: str) -> bool:
    """Whether an address may join tellers: it leads to a page of its own, and fits the index."""
    return len(url.encode()) <= MAX_JOINING_URL and "/" in url.split("://", 1)[-1].rstrip("/")


def _columns(change: Change, where: Door) -> dict[str, Any]:
    draft = change.draft
    return {
        "source_id": where.source_id,
        "institution_id": where.institution_id,
        "key": draft.key,
        "content_hash": change.hash,
        "kind": draft.kind,
        "title": draft.title,
        "summary": draft.summary,
        "body_html": draft.body_html,
        "url": draft.url,
        "language": draft.language,
        "topics": list(draft.topics),
        "places": list(draft.places),
        "audience": list(draft.audience),
        "deadline_at": draft.deadline_at,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "commercial": draft.commercial,
        "urgent": draft.urgent,
        "published_at": change.published_at,
    }


def snapshot(notice: Notice, *, slug: str, name: str) -> dict[str, Any]:
    """A notice as everybody outside sees it."""
    times = {
        field: rfc3339(at) if (at := getattr(notice, field)) else None
        for field in ("published_at", "fetched_at", "deadline_at", "starts_at", "ends_at", "withdrawn_at")
    }
    return {
        "id": notice.id,
        "key": notice.key,
        "revision": notice.revision,
        "kind": notice.kind,
        "title": notice.title,
        "summary": notice.summary,
        "url": notice.url,
        "language": notice.language,
        "topics": notice.topics,
        "places": notice.places,
        "audience": notice.audience,
        "institution": {"slug": slug, "name": name},
        "source": notice.source_id,
        "story": notice.story_id,
        "commercial": notice.commercial,
        **times,
    }


def _record(
    session: Session, notices: Iterable[Notice], where: Door, *, now: datetime, kind: str, tell: set[str]
) -> dict[int, int]:
    """Write the revision of each notice and its event; returns {notice id: event id}."""
    notices = list(notices)
    if not notices:
        return {}
    shots = {n.id: snapshot(n, slug=where.institution_slug, name=where.institution_name) for n in notices}
    connection = session.connection()  # past the mapping of objects, which these rows do not need
    connection.execute(
        insert(Revision),
        [
            {"notice_id": n.id, "revision": n.revision, "content_hash": n.content_hash,
             "snapshot": shots[n.id], "recorded_at": now}
            for n in notices
        ],
    )  # fmt: skip
    told = [n for n in notices if n.key in tell]
    if not told:
        return {}
    rows = connection.execute(
        insert(Event).returning(Event.notice_id, Event.id),
        [
            {"type": kind, "notice_id": n.id, "revision": n.revision, "at": now, "due_at": now,
             "snapshot": shots[n.id]}
            for n in told
        ],
    )  # fmt: skip
    return {row.notice_id: row.id for row in rows}
