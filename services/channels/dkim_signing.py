"""Signs messages that leave straight for a mail server (DKIM, RFC 6376; Ed25519, RFC 8463).

With OpenSSL's keys, because dkimpy signs ten times slower and has no Ed25519 without another library; its
verifier judges these signatures in the tests. Headers relaxed, body simple: our bodies have no loose spaces.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.errors import SettingsError

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"mime-version",
    b"content-type",
)
_HEADER = re.compile(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)\r\n")


class Signer:
    """Adds a DKIM-Signature in front of a message."""

    def __init__(self, domain: str, selector: str, key: str) -> None:
        """`key` is PEM (RSA or Ed25519), or an Ed25519 seed in base64. Raises SettingsError."""
        private = _read_key(key)
        self._algorithm = "rsa-sha256" if isinstance(private, RSAPrivateKey) else "ed25519-sha256"
        self._sign = _signing(private)
        self._head = f"v=1; a={self._algorithm}; c=relaxed/simple; d={domain}; s={selector};"

    def __call__(self, message: bytes) -> bytes:
        """The same message with its signature; the same bytes each time (no time in it)."""
        head, _, body = message.partition(b"\r\n\r\n")
        found = {name.lower(): (name, value) for name, value in _HEADER.findall(head + b"\r\n")}
        names = [name for name in SIGNED if name in found]
        listed = b":".join([*names, b"from", b"subject"])  # named once more: nobody can add a second
        digest = b64encode(sha256(body.rstrip(b"\r\n") + b"\r\n").digest())
        value = f" {self._head}\r\n h={listed.decode()};\r\n bh={digest.decode()};\r\n b="
        signed = [_relaxed(name, found[name][1]) + b"\r\n" for name in names]
        signed.append(_relaxed(b"dkim-signature", value.encode()))
        signature = b64encode(self._sign(b"".join(signed))).decode()
        folded = "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return f"DKIM-Signature:{value}{folded}\r\n".encode() + message


def _relaxed(name: bytes, value: bytes) -> bytes:
    """RFC 6376, section 3.4.2."""
    return name.lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def _signing(private: RSAPrivateKey | Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    if isinstance(private, RSAPrivateKey):
        return lambda data: private.sign(data, padding.PKCS1v15(), SHA256())
    return lambda data: private.sign(sha256(data).digest())  # RFC 8463 signs the hash


def _read_key(key: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        if "-----BEGIN" not in key:
            return Ed25519PrivateKey.from_private_bytes(b64decode(key.strip(), validate=True))
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise SettingsError("GONIEC_DKIM_KEY_FILE holds no private key that can be read.") from exc
    if isinstance(private, RSAPrivateKey) and private.key_size >= 1024:
        return private
    if isinstance(private, Ed25519PrivateKey):
        return private
    raise SettingsError("GONIEC_DKIM_KEY_FILE must hold an RSA key of 1,024 bits or more, or an Ed25519 key.")
