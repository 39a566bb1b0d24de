"""Webhook destinations."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class Endpoint(Base):
    """`state` is active, paused or disabled; `secrets` are sealed, newest first, with their expiry. `content`
    is how much of an event it is told (services.domain.telling).

    How well it is (`health` to `warned_at`, see services.domain.health) is found out by calling it. Its owner
    may ask for a pace (`max_per_s`; what is claimed is spread up to `paced_until`), for the order of each
    institution's events (`is_ordered`), and for other waits between attempts (`schedule_s`). What the
    receiver said of being called is `consent`, with the most calls a minute. `contact_id` is
    told by letter when it fails, once they confirmed that they want that.
    """

    __tablename__ = "endpoints"

    id: Mapped[Id]
    uid: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), unique=True, server_default=text("gen_random_uuid()")
    )
    consumer_id: Mapped[int] = mapped_column(ForeignKey("consumers.id"), index=True)
    url: Mapped[str]
    host: Mapped[str]
    label: Mapped[str | None]
    format: Mapped[str]
    content: Mapped[str] = mapped_column(server_default="fat")
    secrets: Mapped[list[dict[str, Any]]]
    state: Mapped[str] = mapped_column(server_default="active")
    state_because: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    health: Mapped[str] = mapped_column(server_default="healthy")
    quota: Mapped[int] = mapped_column(server_default="100")
    failing_since: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    warned_at: Mapped[int] = mapped_column(server_default="0")
    max_per_s: Mapped[float | None]
    paced_until: Mapped[datetime | None]
    is_ordered: Mapped[bool] = mapped_column(server_default="false")
    schedule_s: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    consent: Mapped[str | None]
    consent_because: Mapped[str | None]
    consent_at: Mapped[datetime | None]
    allowed_per_min: Mapped[int | None]
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscribers.id", ondelete="SET NULL"), index=True
    )
    contact_confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class EndpointWindow(Work, Base):
    """When the window of an endpoint that is told in digests closes next. One that is told at once again
    (`instant`) lets go what still waits, and is `done`."""

    __tablename__ = "endpoint_windows"

    id: Mapped[Id]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"), unique=True)
    cadence: Mapped[str]
    timezone: Mapped[str]
    since: Mapped[datetime]


class OwnerWord(Work, Base):
    """One step of an outage that its owner is to be told of: 50, 70 or 90 (per cent of the way to being
    disabled), disabled, recovered. Then it is `told`, or there was `nobody` to tell."""

    __tablename__ = "owner_words"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "step", "since"),
        Index("ix_owner_words_due", "due_at", postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[Id]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    step: Mapped[str]
    since: Mapped[datetime]
    at: Mapped[datetime]
    because: Mapped[str]


class EndpointChange(Base):
    """One change of an endpoint's health, with the reason."""

    __tablename__ = "endpoint_changes"
    __table_args__ = (Index("ix_endpoint_changes_endpoint_id_id", "endpoint_id", "id"),)

    id: Mapped[Id]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    health: Mapped[str]
    because: Mapped[str]
