"""Replays: what is to go to an endpoint again, as a job with a row for each event that it promised."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class Replay(Work, Base):
    """One job: `what` (failed or all) happened to `source_id` from `since` to `until`, told to `endpoint_id`.

    First it gathers, up to the event `last_event_id`, and `scanned_to` is how far it came; then it releases
    what it gathered, no faster than `max_per_s`. `already` were on their way without it; `waits_for` says
    what holds it up. `tally` is what its deliveries had come to when it ended.
    """

    __tablename__ = "replays"
    __table_args__ = (
        Index(
            "uq_replays_endpoint_id_active",
            "endpoint_id",
            unique=True,
            postgresql_where=text("state IN ('pending', 'leased')"),
        ),
        Index("ix_replays_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
        Index("ix_replays_endpoint_id_id", "endpoint_id", "id"),
    )

    id: Mapped[Id]
    uid: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), unique=True, server_default=text("gen_random_uuid()")
    )
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("endpoints.id", ondelete="SET NULL"), index=True)
    what: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime]
    max_per_s: Mapped[float]
    last_event_id: Mapped[int]
    scanned_to: Mapped[int] = mapped_column(server_default="0")
    gathered_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(server_default="0")
    released: Mapped[int] = mapped_column(server_default="0")
    already: Mapped[int] = mapped_column(server_default="0")
    waits_for: Mapped[str | None]
    tally: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ReplayItem(Base):
    """One event that a replay promised; once released, its delivery stands where every other one does."""

    __tablename__ = "replay_items"
    __table_args__ = (
        Index(
            "ix_replay_items_waiting",
            "replay_id",
            "event_id",
            postgresql_where=text("NOT is_released"),
        ),
    )

    replay_id: Mapped[int] = mapped_column(ForeignKey("replays.id", ondelete="CASCADE"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    is_released: Mapped[bool] = mapped_column(server_default="false")
