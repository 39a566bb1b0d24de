"""Who publishes and who holds keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id


class Institution(Base):
    __tablename__ = "institutions"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    place: Mapped[str | None]
    url: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    created_at: Mapped[datetime]


class Consumer(Base):
    """An integrator: owns endpoints and keys."""

    __tablename__ = "consumers"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A key, of which only the SHA-256 is kept; `scope` is institution, consumer or operator."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(
            "(scope = 'institution') = (institution_id IS NOT NULL)"
            " AND (scope = 'consumer') = (consumer_id IS NOT NULL)",
            name="scope_has_its_owner",
        ),
    )

    id: Mapped[Id]
    hash: Mapped[bytes] = mapped_column(unique=True)
    prefix: Mapped[str]
    scope: Mapped[str]
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"))
    consumer_id: Mapped[int | None] = mapped_column(ForeignKey("consumers.id"))
    label: Mapped[str | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AuditLine(Base):
    """What an operator, editor or key did; append-only."""

    __tablename__ = "audit_lines"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
