"""API keys, of which only the hash is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.storage.tables import ApiKey, Consumer, Institution


@dataclass(frozen=True, slots=True)
class OwnedKey:
    """A key with the names of its owner."""

    key: ApiKey
    institution_slug: str | None
    consumer_name: str | None


def add(
    session: Session, *, digest: bytes, prefix: str, scope: str, institution_id: int | None,
    consumer_id: int | None, label: str | None, now: datetime,
) -> ApiKey:  # fmt: skip
    key = ApiKey(
        hash=digest, prefix=prefix, scope=scope, institution_id=institution_id, consumer_id=consumer_id,
        label=label, created_at=now,
    )  # fmt: skip
    session.add(key)
    session.flush()
    return key


def live_by_hash(session: Session, digest: bytes) -> OwnedKey | None:
    """The key with this hash, unless it was revoked."""
    row = session.execute(_OWNED.where(ApiKey.hash == digest, ApiKey.revoked_at.is_(None))).one_or_none()
    return OwnedKey(row[0], row[1], row[2]) if row else None


def is_live(session: Session, key_id: int) -> bool:
    """Whether there is such a key, not revoked."""
    return (
        session.scalar(select(ApiKey.id).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))) is not None
    )


def everything(session: Session) -> Sequence[OwnedKey]:
    """All keys, revoked ones too, newest first."""
    rows = session.execute(_OWNED.order_by(ApiKey.id.desc()))
    return [OwnedKey(row[0], row[1], row[2]) for row in rows]


def revoke(session: Session, key_id: int, *, now: datetime) -> str | None:
    """End a key; returns its prefix, or None when there is no such live key."""
    return session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.prefix)
    )


_OWNED = (
    select(ApiKey, Institution.slug, Consumer.name)
    .outerjoin(Institution, Institution.id == ApiKey.institution_id)
    .outerjoin(Consumer, Consumer.id == ApiKey.consumer_id)
)
