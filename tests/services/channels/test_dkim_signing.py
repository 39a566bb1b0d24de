"""Signatures that others accept: judged by dkimpy, and for Ed25519 by OpenSSL as well."""

import re
from base64 import b64decode, b64encode
from hashlib import sha256

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from services.channels import mime
from services.channels.dkim_signing import Signer
from services.errors import SettingsError
from tests.services.channels.letters import letter

RSA = generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()


def pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def published(name: bytes, timeout: int = 5) -> bytes:
    """The keys' records, in place of DNS."""
    assert timeout
    if name == b"s2._domainkey.goniec.example.":
        return b"v=DKIM1; k=ed25519; p=" + b64encode(ED25519.public_key().public_bytes_raw())
    assert name == b"s1._domainkey.goniec.example."
    public = RSA.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + b64encode(public)


def test_dkimpy_accepts_an_rsa_signature() -> None:
    signed = Signer("goniec.example", "s1", pem(RSA))(mime.write(letter()))
    assert dkim.verify(signed, dnsfunc=published)


@pytest.mark.parametrize(("selector", "key"), [("s1", RSA), ("s2", ED25519)], ids=["rsa", "ed25519"])
@settings(max_examples=40, deadline=None)
@given(subject=st.text(), text=st.text())
def test_dkimpy_accepts_whatever_is_written(
    selector: str, key: RSAPrivateKey | Ed25519PrivateKey, subject: str, text: str
) -> None:
    signed = Signer("goniec.example", selector, pem(key))(mime.write(letter(subject=subject, text=text)))
    assert dkim.verify(signed, dnsfunc=published)


def test_a_letter_may_carry_both_signatures_and_each_is_accepted() -> None:
    once = Signer("goniec.example", "s2", pem(ED25519))(mime.write(letter()))
    both = dkim.DKIM(Signer("goniec.example", "s1", pem(RSA))(once))
    assert [both.verify(idx=number, dnsfunc=published) for number in (0, 1)] == [True, True]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"To: reader@", b"To: other@"),
        (b"List-Unsubscribe: <https://goniec", b"List-Unsubscribe: <https://goniac"),
        (b"<h1>", b"<h2>"),
        (b"From: ", b"From: x@y.example\r\nFrom: "),
    ],
)
@pytest.mark.parametrize(("selector", "key"), [("s1", RSA), ("s2", ED25519)], ids=["rsa", "ed25519"])
def test_a_changed_message_is_not_accepted(
    selector: str, key: RSAPrivateKey | Ed25519PrivateKey, before: bytes, after: bytes
) -> None:
    signed = Signer("goniec.example", selector, pem(key))(mime.write(letter()))
    assert before in signed
    assert not dkim.verify(signed.replace(before, after), dnsfunc=published)


@pytest.mark.parametrize("given_as", ["pem", "seed"])
def test_an_ed25519_signature_signs_the_hash_of_the_headers(given_as: str) -> None:
    key = pem(ED25519) if given_as == "pem" else b64encode(ED25519.private_bytes_raw()).decode()
    signed = Signer("goniec.example", "s1", key)(mime.write(letter()))
    head, _, body = signed.partition(b"\r\n\r\n")
    value = re.match(rb"DKIM-Signature:(.*?)\r\n(?=[A-Z])", head, re.DOTALL)
    assert value is not None
    tags = dict(part.strip().split(b"=", 1) for part in re.sub(rb"\s+", b"", value.group(1)).split(b";"))
    assert tags[b"a"] == b"ed25519-sha256"
    assert tags[b"bh"] == b64encode(sha256(body).digest())
    fields = {
        name.lower(): re.sub(rb"\s+", b" ", text).strip()
        for name, text in re.findall(rb"(?m)^([A-Za-z-]+):((?:.|\r\n[ \t])*?)\r?$(?!\n[ \t])", head)
    }
    lines = [name + b":" + fields[name] for name in dict.fromkeys(tags[b"h"].split(b":"))]
    without = re.sub(rb"\s+", b" ", value.group(1).replace(b"\r\n", b"")).strip()
    unsigned = without[: without.index(b" b=") + 3]
    ED25519.public_key().verify(
        b64decode(tags[b"b"]),
        sha256(b"\r\n".join([*lines, b"dkim-signature:" + unsigned])).digest(),
    )


@pytest.mark.parametrize("key", ["", "rubbish", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"])
def test_a_key_that_cannot_be_read_stops_the_start(key: str) -> None:
    with pytest.raises(SettingsError, match="GONIEC_DKIM_KEY"):
        Signer("goniec.example", "s1", key)
