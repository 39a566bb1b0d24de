"""Keys: who may push notices, own endpoints or operate. A key is shown once; only its hash is stored."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from services.errors import BadInput, NotFound, Unauthorized
from services.manage.checks import one_line
from services.runtime import Runtime
from services.storage import audit
from services.storage import institutions as owners
from services.storage import keys as store

PREFIX = "gon_"
SHOWN = 12  # characters of a key by which people tell it from others
_KEY = re.compile(r"gon_[A-Za-z0-9_-]{20,100}")


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; `key` is never shown again."""

    id: int
    key: str
    prefix: str
    scope: str
    institution: str | None
    consumer: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class KeyView:
    id: int
    prefix: str
    scope: str
    institution: str | None
    consumer: str | None
    label: str | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request speaks for. `scope` is institution, consumer or operator."""

    key_id: int
    prefix: str
    scope: str
    institution_id: int | None = None
    institution_slug: str | None = None
    consumer_id: int | None = None
    consumer_name: str | None = None

    @property
    def actor(self) -> str:
        """How the audit ledger names the principal."""
        return f"key:{self.prefix}"


def create_key(
    rt: Runtime, *, institution: str | None = None, consumer: str | None = None, operator: bool = False,
    label: str | None = None, by: str = "operator",
) -> CreatedKey:  # fmt: skip
    """A key for an institution (by slug), a consumer (by name, made when new) or an operator."""
    if [institution is not None, consumer is not None, operator].count(True) != 1:
        raise BadInput("A key is for one: an institution, a consumer or an operator.")
    label = one_line(label, "The label", limit=100) if label else None
    consumer = one_line(consumer, "The consumer's name", limit=100) if consumer is not None else None
    key = PREFIX + secrets.token_urlsafe(32)
    now = rt.clock.now()
    scope = "institution" if institution else "consumer" if consumer else "operator"
    with rt.begin() as session:
        institution_id = consumer_id = None
        if institution is not None:
            found = owners.by_slug(session, institution)
            if found is None:
                raise NotFound(f"There is no institution “{institution}”. See `goniec institution list`.")
            institution_id = found.id
        if consumer is not None:
            consumer_id = owners.ensure_consumer(session, consumer, now=now).id
        made = store.add(
            session, digest=_digest(key), prefix=key[:SHOWN], scope=scope, institution_id=institution_id,
            consumer_id=consumer_id, label=label, now=now,
        )  # fmt: skip
        target = institution or consumer or "operator"
        audit.write_line(session, at=now, actor=by, action="key.create", target=target, prefix=made.prefix)
        return CreatedKey(made.id, key, made.prefix, scope, institution, consumer, label)


def authenticate(rt: Runtime, key: str) -> Principal:
    """Who holds this key. Raises Unauthorized for an unknown or revoked one, and says no more than that."""
    with rt.begin() as session:
        found = store.live_by_hash(session, _digest(key)) if _KEY.fullmatch(key) else None
        if found is None:
            raise Unauthorized("This key is not valid. Send a key as `Authorization: Bearer gon_…`.")
        row = found.key
        return Principal(
            row.id, row.prefix, row.scope, row.institution_id, found.institution_slug, row.consumer_id,
            found.consumer_name,
        )  # fmt: skip


def list_keys(rt: Runtime) -> list[KeyView]:
    """All keys, newest first, revoked ones too."""
    with rt.begin() as session:
        return [
            KeyView(
                one.key.id, one.key.prefix, one.key.scope, one.institution_slug, one.consumer_name,
                one.key.label, one.key.created_at, one.key.revoked_at,
            )
            for one in store.everything(session)
        ]  # fmt: skip


def revoke_key(rt: Runtime, key_id: int, *, by: str = "operator") -> None:
    """End a key at once, for good."""
    now = rt.clock.now()
    with rt.begin() as session:
        prefix = store.revoke(session, key_id, now=now)
        if prefix is None:
            raise NotFound(f"There is no live key {key_id}. See `goniec key list`.")
        audit.write_line(session, at=now, actor=by, action="key.revoke", target=str(key_id), prefix=prefix)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
