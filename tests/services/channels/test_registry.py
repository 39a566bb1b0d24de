"""The settings decide which way mail goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.channels import outbox
from services.channels.base import OutcomeKind
from services.channels.registry import mail_channel
from services.http import Client
from services.settings import Settings
from tests.doubles.sendgrid import SendGridDouble
from tests.doubles.smtp import SmtpSink
from tests.services.channels.letters import letter


@pytest.fixture
def http() -> Iterator[Client]:
    client = Client("test", guarded=False)
    yield client
    client.close()


def sent(settings: Settings, http: Client) -> bool:
    channel = mail_channel(settings, http)
    [(_, outcome)] = channel.send([letter()])
    channel.close()
    assert channel.name == settings.mail
    return outcome.state is OutcomeKind.SENT


def test_mail_goes_to_the_outbox_when_nothing_else_is_set(tmp_path: Path, http: Client) -> None:
    assert sent(Settings(data_dir=tmp_path), http)
    assert len(outbox.list_messages(tmp_path / "outbox")) == 1


def test_mail_goes_to_the_smtp_server_signed(tmp_path: Path, http: Client) -> None:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with SmtpSink() as sink:
        assert sent(
            Settings(
                data_dir=tmp_path,
                base_url="https://goniec.example",
                mail="smtp",
                mail_from="goniec@goniec.example",
                smtp_url=sink.url,
                dkim_domain="goniec.example",
                dkim_selector="s1",
                dkim_key=key.decode(),
            ),
            http,
        )
        assert sink.received[0].message.startswith(b"DKIM-Signature: v=1; a=ed25519-sha256;")


def test_mail_goes_to_sendgrid(tmp_path: Path, http: Client) -> None:
    with SendGridDouble() as double:
        settings = Settings(
            data_dir=tmp_path,
            mail="sendgrid",
            mail_from="goniec@goniec.example",
            sendgrid_api_key="SG.test",
            sendgrid_host=double.host,
        )
        assert sent(settings, http)
        assert len(double.sent) == 1


def test_the_sandbox_of_sendgrid_is_a_setting(tmp_path: Path, http: Client) -> None:
    with SendGridDouble() as double:
        asked = Settings(
            data_dir=tmp_path,
            mail="sendgrid",
            mail_from="goniec@goniec.example",
            sendgrid_api_key="SG.test",
            sendgrid_host=double.host,
            sendgrid_sandbox=True,
        )
        assert sent(asked, http)
        assert (len(double.calls), double.sent) == (1, [])
