"""An endpoint's signing secrets while they change: sealed at rest, several valid at once, none for ever.

Stored newest first as [{"sealed": …, "expires_at": RFC 3339 or null}].
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.domain import seal
from services.domain.events import rfc3339

Sealed = dict[str, Any]


def first(secret_key: str, secret: str) -> list[Sealed]:
    """What a new endpoint stores."""
    return [{"sealed": seal.seal(secret_key, secret), "expires_at": None}]


def rotated(
    secret_key: str, stored: Sequence[Mapping[str, Any]], secret: str, *, now: datetime, until: datetime
) -> list[Sealed]:
    """A new secret before the old ones, which stay valid `until` then at the latest; the expired go."""
    kept = [
        {"sealed": one["sealed"], "expires_at": min(_expiry(one) or rfc3339(until), rfc3339(until))}
        for one in stored
        if _is_valid(one, now)
    ]
    return [*first(secret_key, secret), *kept]


def valid_secrets(secret_key: str, stored: Sequence[Mapping[str, Any]], now: datetime) -> tuple[str, ...]:
    """The secrets to sign with now, newest first."""
    return tuple(seal.unseal(secret_key, one["sealed"]) for one in stored if _is_valid(one, now))


def _expiry(one: Mapping[str, Any]) -> str | None:
    return one.get("expires_at")


def _is_valid(one: Mapping[str, Any], now: datetime) -> bool:
    expires_at = _expiry(one)
    return expires_at is None or datetime.fromisoformat(expires_at) > now
