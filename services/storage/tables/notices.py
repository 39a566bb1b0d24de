"""What institutions say, its revisions, and the log of events about it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from services.storage.tables.base import Base, Id, Texts, Work


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, by which a log is read without gaps."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


class Story(Base):
    """The same news, whoever tells it; `url` joins tellers that link to one page."""

    __tablename__ = "stories"

    id: Mapped[Id]
    url: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Notice(Base):
    """The newest revision. (source, key) is its identity; a withdrawn notice stays as a tombstone."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("source_id", "key"),
        Index("ix_notices_published_at_id", "published_at", "id"),
    )

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    key: Mapped[str]
    revision: Mapped[int]
    content_hash: Mapped[bytes]
    kind: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str]
    body_html: Mapped[str]
    url: Mapped[str | None]
    language: Mapped[str | None]
    topics: Mapped[Texts]
    places: Mapped[Texts]
    audience: Mapped[Texts]
    deadline_at: Mapped[datetime | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    commercial: Mapped[bool]
    urgent: Mapped[bool]
    published_at: Mapped[datetime]
    fetched_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Revision(Base):
    """A notice as it once stood; `snapshot` is its public form (`services.storage.notices.snapshot`)."""

    __tablename__ = "revisions"
    __table_args__ = (PrimaryKeyConstraint("notice_id", "revision"),)

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    revision: Mapped[int]
    content_hash: Mapped[bytes]
    snapshot: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class Event(Work, Base):
    """An immutable fact about a notice; the Work columns alone change, while it is being matched.

    `xact` orders the log: a reader who stays below the oldest transaction still open misses nothing.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("notice_id", "revision", "type"),
        Index("ix_events_xact_id", "xact", "id"),
        Index("ix_events_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
    )

    id: Mapped[Id]
    uid: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), unique=True, server_default=text("gen_random_uuid()")
    )
    xact: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    type: Mapped[str]
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    revision: Mapped[int]
    at: Mapped[datetime]
    snapshot: Mapped[dict[str, Any]]
    error: Mapped[str | None]
