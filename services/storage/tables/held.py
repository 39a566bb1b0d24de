"""Readings that wait for a decision."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Texts


class Held(Base):
    """New entries of one source that were held back; one open batch a source. `held` waits, `released` was
    published, `dropped` never will be: its keys are remembered."""

    __tablename__ = "held"
    __table_args__ = (
        Index("uq_held_open", "source_id", unique=True, postgresql_where=text("state = 'held'")),
        Index("ix_held_source_id", "source_id"),
    )

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    reason: Mapped[str]
    drafts: Mapped[list[dict[str, Any]]]
    keys: Mapped[Texts]
    state: Mapped[str] = mapped_column(server_default="held")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
