"""Hubs that tell us of our sources' news, and what they sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class SourceHub(Work, Base):
    """The hub that a source names, and its topic there; `uid` is the callback's, known to the hub alone.

    As work: `pending` is to be asked at `due_at` (to follow, to renew, or with `mode` unsubscribe to leave),
    `stopped` has been left. `secret` is sealed. For `good` to `missed_at` see services.domain.source_hubs.
    """

    __tablename__ = "source_hubs"
    __table_args__ = (
        CheckConstraint("mode IN ('subscribe', 'unsubscribe')", name="mode"),
        Index("uq_source_hubs_source_id", "source_id", unique=True,
              postgresql_where=text("mode = 'subscribe'")),
        Index("ix_source_hubs_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
    )  # fmt: skip

    id: Mapped[Id]
    uid: Mapped[str] = mapped_column(unique=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id", ondelete="SET NULL"))
    hub: Mapped[str]
    topic: Mapped[str]
    secret: Mapped[str]
    mode: Mapped[str] = mapped_column(server_default="subscribe")
    asked_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    follows_until: Mapped[datetime | None]
    pushes: Mapped[int] = mapped_column(server_default="0")
    last_push_at: Mapped[datetime | None]
    good: Mapped[int] = mapped_column(server_default="0")
    missed: Mapped[int] = mapped_column(server_default="0")
    missed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SourcePush(Work, Base):
    """A body that a hub sent, signed rightly, on its way to be read; it goes when it was."""

    __tablename__ = "source_pushes"
    __table_args__ = (Index("ix_source_pushes_hub_id_id", "hub_id", "id"),)

    id: Mapped[Id]
    hub_id: Mapped[int] = mapped_column(ForeignKey("source_hubs.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    content_type: Mapped[str]
    body: Mapped[bytes]
