"""Signed tokens for links that need no session: who may do what, until when, in one URL-safe word.

A token is signed, not sealed: never put in it what its bearer must not read.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from services.errors import BadInput

MAC_BYTES = 16  # half of SHA-256, RFC 2104 section 5
MAX_LENGTH = 2048

Payload = dict[str, int | str]

_encoded = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def sign(
    secret: str | bytes, purpose: str, payload: Mapping[str, int | str], expires_at: datetime | None = None
) -> str:
    """A token for one purpose; the same arguments always give the same token."""
    until = None if expires_at is None else int(expires_at.timestamp())
    body = _encoded([until, dict(payload)]).encode()
    return _to_text(_mac(_key(secret, purpose), body) + body)


def read(secret: str | bytes, purpose: str, token: str, now: datetime) -> Payload:
    """What a token carries. Raises BadInput when it was not signed for `purpose`, was changed, or is over."""
    raw = _from_text(token)
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(_mac(_key(secret, purpose), body), mac):
        raise BadInput("This link is not valid. Copy it whole, or ask for a new one.")
    until, payload = json.loads(body)
    if until is not None and now.timestamp() >= until:
        raise BadInput("This link is no longer valid. Ask for a new one.", expired=True)
    return dict(payload)


@functools.lru_cache(maxsize=64)
def _key(secret: str | bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that no token serves another."""
    root = secret.encode() if isinstance(secret, str) else secret
    if not root:
        raise ValueError("tokens need a secret")
    return hmac.digest(root, b"goniec.token.1:" + purpose.encode(), hashlib.sha256)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:MAC_BYTES]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _from_text(token: str) -> bytes:
    try:
        if len(token) > MAX_LENGTH:
            raise ValueError("too long")
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if _to_text(raw) != token:  # one token has one spelling
            raise ValueError("another spelling")
    except (binascii.Error, ValueError) as exc:
        raise BadInput("This link is not valid. Copy it whole, or ask for a new one.") from exc
    return raw
