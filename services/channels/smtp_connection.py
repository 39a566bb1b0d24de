"""One conversation with a mail server (RFC 5321), pipelined where it offers that (RFC 2920).

Speaks and listens; which letter is next, and what an answer means for it, is decided in smtp.py.
Credentials never travel in clear to another machine.
"""

import select
import socket
import ssl
import time
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote, urlsplit

from services.channels.smtp_replies import Reply
from services.errors import SettingsError

_MAX_REPLY_BYTES = 65_536
Security = Literal["tls", "starttls", "offered"]
_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("offered", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for a connection, for an answer, and for the answer to a whole message."""

    connect_s: float = 10.0
    reply_s: float = 30.0
    message_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """Whom to dial and how. `offered`: STARTTLS where the server has it; a login always needs it."""

    host: str
    port: int
    security: Security
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    helo: str = ""
    timeouts: Timeouts = Timeouts()
    tls: ssl.SSLContext | None = None

    @classmethod
    def read(
        cls, url: str, *, helo: str = "", timeouts: Timeouts | None = None, tls: ssl.SSLContext | None = None
    ) -> "Server":
        """From smtp://, smtp+starttls:// or smtps://user:password@host:port. Raises SettingsError."""
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise SettingsError("GONIEC_SMTP_URL must be an address such as smtp://user:password@host:587.")
        security, port = _SCHEMES[parts.scheme]
        return cls(
            host=parts.hostname,
            port=parts.port or port,
            security=security,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            helo=helo,
            timeouts=timeouts or Timeouts(),
            tls=tls,
        )


class Lost(Exception):
    """The conversation is over. `status` is the server's last word, where it had one."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Connection:
    """An open, greeted and, where asked for, encrypted and logged-in connection."""

    def __init__(self, server: Server) -> None:
        """Raises Lost."""
        self._server = server
        self._timeouts = server.timeouts
        self._buffer = bytearray()
        self.served = 0
        self.needs_reset = False
        self.extensions: dict[str, str] = {}
        try:
            self._socket: socket.socket = socket.create_connection(
                (server.host, server.port), self._timeouts.connect_s
            )
        except OSError as exc:
            raise Lost(f"cannot connect to the mail server: {exc.strerror or type(exc).__name__}") from exc
        try:
            self._open()
        except BaseException:
            self._socket.close()
            raise

    @property
    def peer(self) -> str | None:
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return None

    @property
    def is_pipelined(self) -> bool:
        return "PIPELINING" in self.extensions

    @property
    def max_bytes(self) -> int:
        """The largest message the server takes; 0 when it does not say."""
        size = self.extensions.get("SIZE", "")
        return int(size) if size.isdigit() else 0

    @property
    def message_timeout_s(self) -> float:
        return self._timeouts.message_s

    def is_quiet(self) -> bool:
        """False when the server spoke unasked or hung up while the connection was kept."""
        return not self._buffer and not select.select([self._socket], [], [], 0)[0]

    def write(self, data: bytes, timeout_s: float | None = None) -> None:
        """Raises Lost."""
        try:
            self._wait_at_most(timeout_s or self._timeouts.reply_s)
            self._socket.sendall(data)
        except OSError as exc:
            raise self._last_word() or Lost(f"the mail server hung up: {_why(exc)}") from exc

    def reply(self, timeout_s: float | None = None) -> Reply:
        """The next answer, waited for as a whole. 421 ends the conversation. Raises Lost."""
        reply = self._read_reply(time.monotonic() + (timeout_s or self._timeouts.reply_s))
        if reply.code == 421:
            self.close()
            raise Lost("the mail server closes the connection: 421", status=421)
        return reply

    def quit(self) -> None:
        """Say good-bye without waiting for the answer."""
        try:
            self._socket.settimeout(1.0)
            self._socket.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        server = self._server
        if server.security == "tls":
            self._encrypt()
        self._expect(self.reply(), "the greeting")
        self._hello()
        if server.security == "starttls" or (server.security == "offered" and "STARTTLS" in self.extensions):
            self._start_tls()
        if server.user:
            self._log_in()

    def _hello(self) -> None:
        name = self._server.helo or _literal(str(self._socket.getsockname()[0]))
        reply = self._ask(f"EHLO {name}")
        if reply.code in (500, 502, 504):
            reply = self._ask(f"HELO {name}")
            self.extensions = {}
        else:
            lines = [line.strip().upper() for line in reply.text.split("\n")[1:]]
            self.extensions = {word: rest for word, _, rest in (line.partition(" ") for line in lines)}
        self._expect(reply, "EHLO")

    def _start_tls(self) -> None:
        self._expect(self._ask("STARTTLS"), "STARTTLS")
        if self._buffer:
            raise Lost("the mail server sent more than an answer before encryption")
        self._encrypt()
        self._hello()

    def _encrypt(self) -> None:
        server = self._server
        context = server.tls or ssl.create_default_context()
        if server.tls is None and server.security == "offered" and not server.user:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=server.host)
        except (OSError, ValueError) as exc:
            raise Lost(f"no encryption with the mail server: {_why(exc)}") from exc

    def _log_in(self) -> None:
        server = self._server
        if not isinstance(self._socket, ssl.SSLSocket) and not _is_loopback(self.peer):
            raise Lost("the mail server offers no encryption, so the password was not sent")
        if "LOGIN" in self.extensions.get("AUTH", "") and "PLAIN" not in self.extensions["AUTH"]:
            self._expect(self._ask("AUTH LOGIN"), "the login")
            self._expect(self._ask(_base64(server.user)), "the login")
            reply = self._ask(_base64(server.password))
        else:
            reply = self._ask(f"AUTH PLAIN {_base64(f'{chr(0)}{server.user}{chr(0)}{server.password}')}")
        self._expect(reply, "the login")

    def _ask(self, line: str) -> Reply:
        self.write(line.encode() + b"\r\n")
        return self.reply()

    def _expect(self, reply: Reply, what: str) -> None:
        if not reply.is_positive:
            raise Lost(f"the mail server refused {what}: {reply.code}", status=reply.code)

    def _read_reply(self, deadline: float) -> Reply:
        lines: list[str] = []
        while True:
            line = self._read_line(deadline)
            if len(line) < 3 or not line[:3].isdigit():
                raise Lost("the mail server does not speak SMTP")
            lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), "\n".join(lines))
            if sum(map(len, lines)) > _MAX_REPLY_BYTES:
                raise Lost("the mail server's answer does not end")

    def _read_line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MAX_REPLY_BYTES:
                raise Lost("the mail server's answer does not end")
            self._receive(deadline)
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    def _receive(self, deadline: float) -> None:
        try:
            self._wait_at_most(max(deadline - time.monotonic(), 0.001))
            received = self._socket.recv(65_536)
        except TimeoutError as exc:
            raise Lost("the mail server did not answer in time") from exc
        except OSError as exc:
            raise Lost(f"the mail server hung up: {_why(exc)}") from exc
        if not received:
            raise Lost("the mail server hung up")
        self._buffer += received

    def _wait_at_most(self, seconds: float) -> None:
        """Up to a twentieth longer: telling the socket anew costs a switch of threads for each letter."""
        told = self._socket.gettimeout()
        if told is None or not seconds <= told <= seconds * 1.05:
            self._socket.settimeout(seconds)

    def _last_word(self) -> Lost | None:
        """A 421 that the server sent before it hung up on what we were writing."""
        try:
            reply = self._read_reply(time.monotonic() + 0.2)
        except Lost:
            return None
        return Lost(f"the mail server closes the connection: {reply.code}", reply.code)


def _why(exc: Exception) -> str:
    reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None)
    return str(reason or type(exc).__name__)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _literal(address: str) -> str:
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _is_loopback(address: str | None) -> bool:
    return address is not None and ip_address(address.partition("%")[0]).is_loopback
