"""Doors by which content comes in, and what each visit found."""

from datetime import datetime

from sqlalchemy import Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Texts, Work

# Host and port: who is asked one request at a time.
HOST = "lower(substring(address from '^[a-zA-Z]+://(?:[^/@?#]*@)?([^/?#]+)'))"


class Source(Work, Base):
    """An address with the door that stands there (`kind`), or an institution's push door (no address).

    `rules` are an editor's words to the door's reader, `memory` what the reader keeps between its visits.

    As work: `pending` waits for `due_at`, `leased` is being polled, `stopped` is not polled at all.
    Validators are opaque and belong to `validators_url` alone (RFC 9110, section 13).
    """

    __tablename__ = "sources"
    __table_args__ = (
        Index("ix_sources_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
        Index("uq_sources_push", "institution_id", unique=True, postgresql_where=text("kind = 'push'")),
    )

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    kind: Mapped[str]
    address: Mapped[str | None] = mapped_column(unique=True)
    host: Mapped[str | None] = mapped_column(Computed(HOST, persisted=True), index=True)
    title: Mapped[str | None]
    topics: Mapped[Texts]
    places: Mapped[Texts]
    language: Mapped[str | None]
    zone: Mapped[str] = mapped_column(server_default="Europe/Warsaw")
    stopped_because: Mapped[str | None]
    rules: Mapped[dict[str, str]] = mapped_column(server_default="{}")
    memory: Mapped[dict[str, str]] = mapped_column(server_default="{}")

    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    validators_url: Mapped[str | None]
    body_hash: Mapped[bytes | None]
    ladder: Mapped[str] = mapped_column(server_default="guid")
    encoding: Mapped[str | None]
    asked_s: Mapped[int] = mapped_column(server_default="0")
    skew_s: Mapped[int] = mapped_column(server_default="0")
    dialled: Mapped[str | None]
    moved_to: Mapped[str | None]
    moved_times: Mapped[int] = mapped_column(server_default="0")
    moved_since: Mapped[datetime | None]

    errors: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    alarm: Mapped[str | None]
    last_status: Mapped[int | None]
    last_checked_at: Mapped[datetime | None]
    last_entry_at: Mapped[datetime | None]
    first_read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    told_health: Mapped[str] = mapped_column(server_default="well")


class Fetch(Base):
    """One visit to a source: what was answered and what came of it."""

    __tablename__ = "fetches"
    __table_args__ = (Index("ix_fetches_source_id_at", "source_id", "at"),)

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    outcome: Mapped[str]
    status: Mapped[int | None]
    took_ms: Mapped[int]
    bytes: Mapped[int] = mapped_column(server_default="0")
    published: Mapped[int] = mapped_column(server_default="0")
    revised: Mapped[int] = mapped_column(server_default="0")
    detail: Mapped[str | None]


class RobotsFile(Base):
    """A site's robots.txt as last seen; its rules hold for a day (RFC 9309, section 2.4)."""

    __tablename__ = "robots_files"

    origin: Mapped[str] = mapped_column(primary_key=True)
    fetched_at: Mapped[datetime]
    status: Mapped[int | None]
    body: Mapped[str]
