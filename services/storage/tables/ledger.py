"""What each round of composing did with the candidates that it took up: the accounts that must close."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id


class ComposeRun(Base):
    """One round, of alerts or of digests: every candidate is issued, excluded (by reason), or waits on.

    Holds no personal data, so that it may be shown.
    """

    __tablename__ = "compose_runs"
    __table_args__ = (
        CheckConstraint("candidates = issued + excluded + waiting", name="accounts_close"),
        Index("ix_compose_runs_at", "at"),
    )

    id: Mapped[Id]
    at: Mapped[datetime]
    kind: Mapped[str]
    windows: Mapped[int]
    issues: Mapped[int]
    candidates: Mapped[int]
    issued: Mapped[int]
    excluded: Mapped[int]
    waiting: Mapped[int]
    reasons: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
