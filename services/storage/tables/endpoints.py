"""Webhook destinations."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id


class Endpoint(Base):
    """`state` is active, paused or disabled; `secrets` are sealed, newest first, with their expiry."""

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
    secrets: Mapped[list[dict[str, Any]]]
    state: Mapped[str] = mapped_column(server_default="active")
    state_because: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
