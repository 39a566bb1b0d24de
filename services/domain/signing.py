"""Signatures of webhooks after Standard Webhooks 1.0: `v1` (HMAC-SHA256) and `v1a` (Ed25519).

Never shows a secret in a message, and compares in constant time.
"""

import base64
import binascii
import hashlib
import hmac
import secrets as system_random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.errors import BadInput

SYMMETRIC = "whsec_"
PRIVATE = "whsk_"
PUBLIC = "whpk_"
MIN_KEY_BYTES = 24
MAX_KEY_BYTES = 64
NEW_KEY_BYTES = 32
TOLERANCE = timedelta(minutes=5)


def new_secret(random: Callable[[int], bytes] = system_random.token_bytes) -> str:
    """A fresh shared secret, `whsec_…`."""
    return SYMMETRIC + base64.b64encode(random(NEW_KEY_BYTES)).decode("ascii")


def new_private_key(random: Callable[[int], bytes] = system_random.token_bytes) -> str:
    """A fresh Ed25519 key, `whsk_…`: the seed and the public key after it, 64 bytes."""
    seed = random(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return PRIVATE + base64.b64encode(seed + public).decode("ascii")


def public_key(private: str) -> str:
    """What a receiver checks `v1a` by, `whpk_…`."""
    key = Ed25519PrivateKey.from_private_bytes(_decode(private.removeprefix(PRIVATE))[:32])
    return PUBLIC + base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")


def jwk_x(public: str) -> str:
    """The `x` of a public key `whpk_…` as a JWK (RFC 8037, section 2)."""
    raw = _decode(public.removeprefix(PUBLIC))
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> str:
    """The value of `webhook-signature`: one entry for each secret (`whsec_…` or `whsk_…`), in their order.

    `at` is the time of the attempt. Raises BadInput when there is no secret, or one cannot be read.
    """
    if not secrets:
        raise BadInput("A webhook needs at least one secret.")
    content = _content(message_id, str(int(at.timestamp())), body)
    return " ".join(_signature(secret, content) for secret in secrets)


def verify(
    secrets: Sequence[str], *, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime
) -> None:
    """Hold a received webhook against `secrets` (`whsec_…` or `whpk_…`): any pair that fits will do.

    Raises BadInput when none fits, or the time is more than five minutes off.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadInput("The webhook's timestamp is not a number of seconds.")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise BadInput("The webhook's timestamp is more than five minutes off.")
    content = _content(message_id, timestamp, body)
    entries = signatures.split()
    if not any(_fits(secret, content, entry) for secret in secrets for entry in entries):
        raise BadInput("No signature of the webhook fits.")


def _content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return b"".join((message_id.encode(), b".", timestamp.encode(), b".", body))


def _signature(secret: str, content: bytes) -> str:
    if secret.startswith(PRIVATE):
        key = Ed25519PrivateKey.from_private_bytes(_decode(secret.removeprefix(PRIVATE))[:32])
        return "v1a," + base64.b64encode(key.sign(content)).decode("ascii")
    return "v1," + base64.b64encode(_mac(secret, content)).decode("ascii")


def _fits(secret: str, content: bytes, entry: str) -> bool:
    version, _, text = entry.partition(",")
    try:
        given = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    if version == "v1" and not secret.startswith((PRIVATE, PUBLIC)):
        return hmac.compare_digest(_mac(secret, content), given)
    if version == "v1a" and secret.startswith(PUBLIC):
        return _is_signed(secret, content, given)
    return False


def _is_signed(public: str, content: bytes, signature: bytes) -> bool:
    key = Ed25519PublicKey.from_public_bytes(_decode(public.removeprefix(PUBLIC))[:32])
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _mac(secret: str, content: bytes) -> bytes:
    return hmac.digest(_decode(secret.removeprefix(SYMMETRIC)), content, hashlib.sha256)


def _decode(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadInput("A webhook secret is not base64.") from exc
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise BadInput(f"A webhook secret must hold {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes.")
    return key
