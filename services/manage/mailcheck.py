"""Would mail go out? Knocks at the mail server or the provider; sends nothing to anybody."""

import os
import socket
import ssl
from urllib.parse import urlsplit

from services.channels import sendgrid_events
from services.errors import SettingsError
from services.http import Request, Response
from services.manage.findings import Finding, bad, good
from services.runtime import Runtime

KNOCK_S = 5.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def check_mail(rt: Runtime) -> list[Finding]:
    """What is to be said of the way that GONIEC_MAIL names, and of the way back."""
    return [*_way_out(rt), *_way_back(rt)]


def _way_out(rt: Runtime) -> list[Finding]:
    match rt.settings.mail:
        case "outbox":
            return [_outbox(rt)]
        case "smtp":
            return [_smtp(rt)]
        case "sendgrid":
            return [_sendgrid(rt)]


def _way_back(rt: Runtime) -> list[Finding]:
    folder = rt.settings.bounces_dir
    if folder is None:
        return []
    new = folder / "new"
    if new.is_dir() and os.access(new, os.R_OK | os.W_OK | os.X_OK):
        return [good("bounces", f"Mail that comes back is read from {folder}.")]
    return [
        bad("bounces", f"{new} is no folder that can be read and emptied.",
            "Let GONIEC_BOUNCES_DIR name a Maildir of this user, with `new` and `cur`.")
    ]  # fmt: skip


def _outbox(rt: Runtime) -> Finding:
    folder = rt.settings.data_dir / "outbox"
    nearest = folder if folder.exists() else folder.parent
    if nearest.is_dir() and not os.access(nearest, os.W_OK):
        return bad("mail", f"{folder} cannot be written.", "Give the folder to this user.")
    return good("mail", f"Mail is kept in {folder} and sent to nobody (GONIEC_MAIL=outbox).")


def _smtp(rt: Runtime) -> Finding:
    parts = urlsplit(rt.settings.smtp_url or "")
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 25)
    try:
        greeting = _greeting(host, port, is_tls=parts.scheme == "smtps")
    except OSError as error:
        return bad(
            "mail",
            f"The mail server {host}:{port} cannot be reached ({error.strerror or type(error).__name__}).",
            "Correct GONIEC_SMTP_URL, or let this machine through to that port.",
        )
    if not greeting.startswith(b"220"):
        return bad("mail", f"{host}:{port} answers, but not like a mail server.", "Correct GONIEC_SMTP_URL.")
    return good("mail", f"The mail server {host}:{port} answers.")


def _greeting(host: str, port: int, *, is_tls: bool) -> bytes:
    with socket.create_connection((host, port), timeout=KNOCK_S) as plain:
        if not is_tls:
            return plain.recv(512)
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as sealed:
            return sealed.recv(512)


def _sendgrid(rt: Runtime) -> Finding:
    host = rt.settings.sendgrid_host
    key = rt.settings.sendgrid_api_key or ""
    answer = rt.trusted_http.fetch_one(
        Request(f"{host}/v3/scopes", headers=(("Authorization", f"Bearer {key}"),), total_timeout_s=KNOCK_S)
    )
    if not isinstance(answer, Response):
        return bad(
            "mail", f"{host} cannot be reached ({answer.kind}).", "Let this machine through to it, or wait."
        )
    if answer.status in (401, 403):
        return bad("mail", "SendGrid refuses the key.", "Correct GONIEC_SENDGRID_API_KEY.")
    if not rt.settings.sendgrid_events_key:
        return bad(
            "mail", "SendGrid answers, but nobody tells us of bounces and complaints.",
            "Turn on its signed Event Webhook to /hooks/sendgrid and set GONIEC_SENDGRID_EVENTS_KEY.",
            is_grave=False,
        )  # fmt: skip
    try:
        sendgrid_events.check_key(rt.settings.sendgrid_events_key)
    except SettingsError as error:
        return bad("mail", error.message, "Copy the verification key whole, without line breaks.")
    return good("mail", f"SendGrid answers ({answer.status}) and knows the key.")
