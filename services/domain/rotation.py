"""An endpoint's signing secrets while they change: sealed at rest, several valid at once, none for ever.

Stored newest first as [{"sealed": …, "expires_at": RFC 3339 or null}]; an Ed25519 key has its public half
beside it, as "public".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.domain import seal, signing
from services.domain.events import rfc3339

Sealed = dict[str, Any]


def first(secret_key: str, *secrets: str) -> list[Sealed]:
    """What a new endpoint stores."""
    return [_sealed(secret_key, secret) for secret in secrets]


def _sealed(secret_key: str, secret: str) -> Sealed:
    kept: Sealed = {"sealed": seal.seal(secret_key, secret), "expires_at": None}
    if secret.startswith(signing.PRIVATE):
        kept["public"] = signing.public_key(secret)
    return kept


def rotated(
    secret_key: str, stored: Sequence[Mapping[str, Any]], *secrets: str, now: datetime, until: datetime
) -> list[Sealed]:
    """New secrets before the old ones, which stay valid `until` then at the latest; the expired go."""
    kept = [
        {**one, "expires_at": min(_expiry(one) or rfc3339(until), rfc3339(until))}
        for one in stored
        if _is_valid(one, now)
    ]
    return [*first(secret_key, *secrets), *kept]


def valid_secrets(secret_key: str, stored: Sequence[Mapping[str, Any]], now: datetime) -> tuple[str, ...]:
    """The secrets to sign with now, newest first."""
    return tuple(seal.unseal(secret_key, one["sealed"]) for one in stored if _is_valid(one, now))


def public_keys(stored: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
    """The public halves of the Ed25519 keys that sign now (`whpk_…`), newest first."""
    return [one["public"] for one in stored if "public" in one and _is_valid(one, now)]


def _expiry(one: Mapping[str, Any]) -> str | None:
    return one.get("expires_at")


def _is_valid(one: Mapping[str, Any], now: datetime) -> bool:
    expires_at = _expiry(one)
    return expires_at is None or datetime.fromisoformat(expires_at) > now
