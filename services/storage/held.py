"""Held readings, and what must be known of a source to judge one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.domain.drafts import Draft
from services.storage.tables import Held, Institution, Notice, Source

_DRAFTS = TypeAdapter(list[Draft])
RECENT = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A notice as far as it tells which entry it is."""

    key: str
    url: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Past:
    """What a source has said so far: how much, and the texts of its last notices.

    `taken` are keys of notices, `waiting` of an open batch, `dropped` of batches that nobody wanted;
    `excused` are reasons for which a batch was released.
    """

    known: int
    texts: tuple[str, ...]
    taken: frozenset[str]
    waiting: frozenset[str]
    dropped: frozenset[str]
    excused: frozenset[str]


_PAST = text("""
    SELECT (SELECT count(*) FROM notices WHERE source_id = :id) AS known,
        ARRAY(SELECT title || '. ' || summary FROM notices WHERE source_id = :id
              ORDER BY id DESC LIMIT :recent) AS texts,
        ARRAY(SELECT key FROM notices WHERE source_id = :id AND key = ANY(CAST(:keys AS text[]))) AS taken,
        ARRAY(SELECT unnest(keys) FROM held WHERE source_id = :id AND state = 'held') AS waiting,
        ARRAY(SELECT unnest(keys) FROM held WHERE source_id = :id AND state = 'dropped') AS dropped,
        ARRAY(SELECT reason FROM held WHERE source_id = :id AND state = 'released'
              AND decided_at >= :since) AS excused
""")


def past(session: Session, source_id: int, keys: Sequence[str], *, excused_since: datetime) -> Past:
    """`excused` are the reasons for which a batch of this source was released since a time."""
    row = session.execute(
        _PAST, {"id": source_id, "keys": list(keys), "since": excused_since, "recent": RECENT}
    ).one()
    return Past(
        known=row.known,
        texts=tuple(row.texts),
        taken=frozenset(row.taken),
        waiting=frozenset(row.waiting),
        dropped=frozenset(row.dropped),
        excused=frozenset(row.excused),
    )


def same_entries(session: Session, source_id: int, urls: Sequence[str]) -> list[Stored]:
    """The notices of a source that link to these pages."""
    rows = session.execute(
        select(Notice.key, Notice.url, Notice.title).where(
            Notice.source_id == source_id, Notice.url.in_(urls)
        )
    )
    return [Stored(*row) for row in rows]


def hold(
    session: Session, source_id: int, drafts: Sequence[Draft], *, reason: str, now: datetime
) -> int | None:
    """Put drafts into the open batch of a source, which is made when there is none.

    Of two drafts with one key the newer counts. Returns the id of a batch that was made now.
    """
    rows = _DRAFTS.dump_python(list(drafts), mode="json")
    made = session.scalar(
        insert(Held)
        .values(
            source_id=source_id, at=now, reason=reason, drafts=rows, keys=[d.key for d in drafts],
            state="held",
        )
        .on_conflict_do_nothing(index_elements=["source_id"], index_where=Held.state == "held")
        .returning(Held.id)
    )  # fmt: skip
    if made is None and drafts:
        batch = session.scalars(
            select(Held).where(Held.source_id == source_id, Held.state == "held").with_for_update()
        ).one()
        by_key = {str(row["key"]): row for row in (*batch.drafts, *rows)}
        batch.drafts, batch.keys = list(by_key.values()), list(by_key)
    return made


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A batch with the names that people know it by."""

    id: int
    source_id: int
    source_title: str | None
    address: str | None
    institution: str
    at: datetime
    reason: str
    state: str
    drafts: tuple[Draft, ...]


def listed(session: Session, *, state: str = "held") -> list[HeldRow]:
    return [_row(row) for row in session.execute(_LISTED.where(Held.state == state).order_by(Held.id))]


def by_id(session: Session, held_id: int) -> HeldRow | None:
    row = session.execute(_LISTED.where(Held.id == held_id)).one_or_none()
    return _row(row) if row else None


def decide(session: Session, held_id: int, *, state: str, by: str, now: datetime) -> bool:
    """Close an open batch; False when somebody has closed it before."""
    closed = (
        update(Held)
        .where(Held.id == held_id, Held.state == "held")
        .values(state=state, decided_at=now, decided_by=by)
    )
    return session.scalar(closed.returning(Held.id)) is not None


_LISTED = (
    select(Held, Source.title, Source.address, Institution.name)
    .join_from(Held, Source, Source.id == Held.source_id)
    .join(Institution, Institution.id == Source.institution_id)
)


def _row(row: Any) -> HeldRow:
    held, title, address, institution = row
    drafts = tuple(_DRAFTS.validate_python(held.drafts))
    return HeldRow(
        held.id, held.source_id, title, address, institution, held.at, held.reason, held.state, drafts
    )
