"""Receives the mail that comes back, by SMTP: a mail server hands bounces and complaints over to this port.

A message is answered with 250 only once it is committed; else 451, and the sender keeps it and tries again.
It takes mail for bounce addresses that we signed and for the mailboxes of complaints, and relays nothing.
"""

import asyncio
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services import log
from services.domain import reports, verp
from services.errors import GoniecError, SettingsError
from services.pipeline import intake
from services.runtime import Runtime
from services.settings import Settings
from workers.main import listen_for_signals

COMPLAINTS = frozenset({"abuse", "fbl", "complaints", "postmaster"})
MAX_RECIPIENTS = 50
IDLE_S = 60.0
MAX_AT_ONCE = 8  # messages being read
_log = log.get(__name__)


class Handler:
    """What the mail server asks of us; each message is read in a thread of its own."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._room = threading.Semaphore(MAX_AT_ONCE)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        local = address.partition("@")[0].lower()
        secret = self._rt.settings.secret_key
        if local not in COMPLAINTS and verp.delivery_of(secret, address) is None:
            return "550 5.1.1 This is not an address that we gave out"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes), "decode_data is off"
        return await asyncio.to_thread(self._take, raw, list(envelope.rcpt_tos))

    def _take(self, raw: bytes, recipients: list[str]) -> str:
        with self._room:
            try:
                kind = intake.take_report(self._rt, raw, recipients=recipients)
            except GoniecError as error:
                _log.warning("intake.refused", reason=type(error).__name__)
                return "451 4.3.0 Try again later"
            except Exception:
                _log.exception("intake.failed")
                self._rt.metrics.error("intake")
                return "451 4.3.0 Try again later"
        if kind == "unknown":  # a person's letter must not vanish here
            return "554 5.6.0 Only reports are read at this address; please write to the operator"
        return "250 2.0.0 Taken"


def controller(rt: Runtime, *, host: str, port: int) -> Controller:
    """The server, to be started and stopped by its owner."""
    return Controller(
        Handler(rt), hostname=host, port=port, data_size_limit=reports.MAX_BYTES, ident="Goniec",
        timeout=IDLE_S, enable_SMTPUTF8=True, command_call_limit=200, ready_timeout=15.0,
    )  # fmt: skip


def run(settings: Settings) -> int:
    """Receive until SIGTERM or SIGINT; the exit code. Raises SettingsError when the port cannot be had."""
    if settings.intake_port is None:
        raise SettingsError("GONIEC_INTAKE_PORT is missing: name the port for mail that comes back.")
    rt = Runtime.open(settings)
    listen_for_signals(rt.stopping.set)
    server = controller(rt, host=settings.intake_host, port=settings.intake_port)
    try:
        server.start()
    except OSError as error:
        rt.close()
        raise SettingsError(
            f"GONIEC_INTAKE_PORT {settings.intake_port} cannot be used ({error.strerror}): name another."
        ) from error
    _log.info("intake.started", port=settings.intake_port)
    rt.stopping.wait()
    server.stop()
    rt.close()
    _log.info("intake.stopped")
    return 0
