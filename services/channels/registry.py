"""Which way mail goes, as the settings say. The only place that knows all mail channels."""

from typing import assert_never
from urllib.parse import urlsplit

from services.channels.base import MailChannel
from services.channels.dkim_signing import Signer
from services.channels.outbox import OutboxChannel
from services.channels.sendgrid import SendGridChannel, Transport
from services.channels.smtp import SmtpChannel
from services.channels.smtp_connection import Server
from services.settings import Settings


def mail_channel(settings: Settings, http: Transport) -> MailChannel:
    """The channel for e-mail; `http` is for services that the operator names. Raises SettingsError."""
    match settings.mail:
        case "outbox":
            return OutboxChannel(settings.data_dir / "outbox")
        case "smtp":
            server = Server.read(settings.smtp_url or "", helo=_own_name(settings.base_url))
            return SmtpChannel(server, sign=_signer(settings))
        case "sendgrid":
            return SendGridChannel(
                settings.sendgrid_api_key or "", http,
                host=settings.sendgrid_host, sandbox=settings.sendgrid_sandbox,
            )  # fmt: skip
        case _ as other:
            assert_never(other)


def _signer(settings: Settings) -> Signer | None:
    if not (settings.dkim_domain and settings.dkim_selector and settings.dkim_key):
        return None
    return Signer(settings.dkim_domain, settings.dkim_selector, settings.dkim_key)


def _own_name(base_url: str) -> str:
    """The name to greet a mail server with; empty when there is none that means anything outside."""
    host = urlsplit(base_url).hostname or ""
    return host if "." in host and any(letter.isalpha() for letter in host) else ""
