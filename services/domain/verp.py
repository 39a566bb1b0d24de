"""Envelope senders by which a bounce names its delivery (VERP), signed so that nobody can forge one."""

import hashlib
import hmac
import uuid


def envelope_sender(secret: str, delivery: uuid.UUID, domain: str) -> str:
    """`bounce+<delivery>-<mac>@domain`; fits the 64 octets of a local part (RFC 5321, section 4.5.3.1.1)."""
    return f"bounce+{delivery.hex}-{_mac(secret, delivery)}@{domain}"


def delivery_of(secret: str, address: str) -> uuid.UUID | None:
    """The delivery that a bounce address names; None when we did not make it."""
    local = address.strip("<> ").partition("@")[0].lower()
    word, _, rest = local.partition("+")
    name, _, mac = rest.partition("-")
    try:
        delivery = uuid.UUID(hex=name)
    except ValueError:
        return None
    genuine = word == "bounce" and hmac.compare_digest(mac.encode(), _mac(secret, delivery).encode())
    return delivery if genuine else None


def _mac(secret: str, delivery: uuid.UUID) -> str:
    return hmac.digest(b"verp:" + secret.encode(), delivery.bytes, hashlib.sha256).hex()[:16]
