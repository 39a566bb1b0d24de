"""Passwords and letters travel encrypted where they must, and a server without it gets neither."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.channels.base import Outcome, OutcomeKind
from services.channels.smtp import SmtpChannel
from services.channels.smtp_connection import Server
from services.errors import SettingsError
from tests.doubles.smtp import Script, SmtpSink
from tests.services.channels.letters import letter


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own signing for 127.0.0.1, in one file."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, None)
    )
    path = tmp_path_factory.mktemp("tls") / "sink.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def sink(certificate: Path) -> Iterator[SmtpSink]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    script = Script(
        extensions=("PIPELINING", "AUTH PLAIN LOGIN"), tls=context, user="goniec", password="p@ss:wörd"
    )
    with SmtpSink(script) as running:
        yield running


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def send(server: Server) -> Outcome:
    channel = SmtpChannel(server)
    [(_, outcome)] = channel.send([letter()])
    channel.close()
    return outcome


def url(sink: SmtpSink, scheme: str = "smtp", login: str = "") -> str:
    return f"{scheme}://{login}127.0.0.1:{sink.port}"


LOGIN = "goniec:p%40ss%3Aw%C3%B6rd@"


@pytest.mark.parametrize("mechanisms", ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH PLAIN"])
def test_a_login_goes_over_starttls(sink: SmtpSink, certificate: Path, mechanisms: str) -> None:
    sink.script.extensions = ("PIPELINING", mechanisms)
    outcome = send(Server.read(url(sink, login=LOGIN), tls=trusting(certificate)))
    assert outcome.state is OutcomeKind.SENT
    assert sink.commands.index("STARTTLS") < sink.commands.index("AUTH")


def test_smtps_is_encrypted_from_the_start(sink: SmtpSink, certificate: Path) -> None:
    sink.script.tls_from_the_start = True
    outcome = send(Server.read(url(sink, "smtps", LOGIN), tls=trusting(certificate)))
    assert outcome.state is OutcomeKind.SENT
    assert "STARTTLS" not in sink.commands


def test_a_wrong_password_is_a_matter_for_the_operator_not_for_the_reader(
    sink: SmtpSink, certificate: Path
) -> None:
    outcome = send(Server.read(url(sink, login="goniec:wrong@"), tls=trusting(certificate)))
    assert outcome.state is OutcomeKind.RETRY
    assert outcome.status == 535
    assert "wrong" not in outcome.detail


def test_an_unknown_certificate_gets_no_password(sink: SmtpSink) -> None:
    outcome = send(Server.read(url(sink, login=LOGIN)))
    assert outcome.state is OutcomeKind.RETRY
    assert "AUTH" not in sink.commands


def test_without_a_login_an_unknown_certificate_is_better_than_none(sink: SmtpSink) -> None:
    assert send(Server.read(url(sink))).state is OutcomeKind.SENT
    assert "STARTTLS" in sink.commands


def test_required_encryption_is_required(certificate: Path) -> None:
    with SmtpSink() as plain:
        outcome = send(Server.read(url(plain, "smtp+starttls"), tls=trusting(certificate)))
        assert outcome.state is OutcomeKind.RETRY
        assert plain.received == []


@pytest.mark.parametrize("address", ["http://a.example", "smtp://", "mail.example:25"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError, match="GONIEC_SMTP_URL"):
        Server.read(address)


def test_a_server_never_shows_its_password() -> None:
    assert "geheim" not in repr(Server.read("smtps://me:geheim@mail.example"))
