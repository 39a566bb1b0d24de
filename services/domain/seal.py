"""What the secret key protects: secrets kept in the database, and addresses kept only as a keyed hash.

Each use has its own key, derived from the settings' one. It must never store or log what it is given.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.errors import SettingsError


def seal(secret_key: str, plain: str) -> str:
    """`plain` as text that only `unseal` with the same key reads; different each time."""
    return _fernet(secret_key).encrypt(plain.encode()).decode()


def unseal(secret_key: str, sealed: str) -> str:
    """What was sealed; a `SettingsError` when the key is not the one that sealed it."""
    try:
        return _fernet(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken as exc:
        raise SettingsError(
            "A stored secret cannot be opened: GONIEC_SECRET_KEY is not the key that sealed it."
        ) from exc


def email_hash(secret_key: str, email: str) -> bytes:
    """HMAC-SHA-256 of an address in lower case: recognises it, and tells it to nobody without the key."""
    key = derived_key(secret_key, "email-hash")
    return hmac.new(key, email.strip().lower().encode(), hashlib.sha256).digest()


@lru_cache(maxsize=32)
def derived_key(secret_key: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF, RFC 5869)."""
    info = f"goniec {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret_key.encode())


@lru_cache(maxsize=8)
def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(secret_key, "seal")))
