"""Checks who signed a webhook (Standard Webhooks 1.0). Copy it beside your receiver.

`v1` needs no library; for `v1a` (keys that begin with whpk_) install `cryptography`.
"""

import base64
import hmac
import time

TOLERANCE_S = 300


def is_signed(headers, body, keys, now=None):
    """Whether one of `keys` (whsec_… or whpk_…) signed these bytes, at most five minutes from now."""
    uid, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    now = time.time() if now is None else now
    if not (at.isascii() and at.isdecimal() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE_S:
        return False
    content = f"{uid}.{at}.".encode() + body
    return any(_fits(key, content, one) for key in keys for one in given.split())


def _fits(key, content, entry):
    version, _, text = entry.partition(",")
    raw = base64.b64decode(key.partition("_")[2])
    try:
        given = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    if key.startswith("whsec_"):
        return version == "v1" and hmac.compare_digest(hmac.digest(raw, content, "sha256"), given)
    return version == "v1a" and _is_of(raw, content, given)


def _is_of(public, content, signature):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except InvalidSignature:
        return False
    return True
