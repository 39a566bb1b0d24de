"""WebSub's own rules (W3C Recommendation, 2018): signatures, challenges, leases, callbacks. Pure."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")  # section 7.1: what a receiver must know
SIGN_WITH = "sha256"
MAX_SECRET_BYTES = 200
MIN_LEASE_S, MAX_LEASE_S = 3_600, 30 * 86_400
USUAL_LEASE_S = 10 * 86_400


@dataclass(frozen=True, slots=True)
class Links:
    """Where a topic is found and which hub tells of its changes."""

    hub: str
    topic: str

    @property
    def header(self) -> str:
        """The value of the Link header (RFC 8288) that both discovery and distribution carry."""
        return f'<{self.hub}>; rel="hub", <{self.topic}>; rel="self"'


def signature(secret: str, body: bytes, *, algorithm: str = SIGN_WITH) -> str:
    """The value of X-Hub-Signature: `method=hex` (section 7.1)."""
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def is_signed(secret: str, body: bytes, given: str | None) -> bool:
    """Whether a body carries the signature of who knows the secret; compared in constant time."""
    algorithm, _, digest = (given or "").strip().partition("=")
    if algorithm.lower() not in ALGORITHMS or not digest.isascii():
        return False
    right = hmac.new(secret.encode(), body, algorithm.lower()).hexdigest()
    return hmac.compare_digest(right, digest.strip().lower())


def lease_s(asked: int | None) -> int:
    """How long a subscription lasts: what was asked, within bounds; a lease always ends (section 5.1)."""
    return min(max(USUAL_LEASE_S if asked is None else asked, MIN_LEASE_S), MAX_LEASE_S)


def new_challenge() -> str:
    return secrets.token_urlsafe(32)


def with_query(callback: str, parameters: Mapping[str, str]) -> str:
    """A callback with further parameters; its own query string is kept as it is (section 5.1)."""
    parts = urlsplit(callback)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query, fragment=""))


def digest(body: bytes) -> bytes:
    """What a body is known by."""
    return hashlib.sha256(body).digest()
