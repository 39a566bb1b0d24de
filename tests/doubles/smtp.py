"""A mail server on loopback that keeps what it is given and misbehaves for chosen recipients.

Threads and blocking sockets, so that it can share a process with a test and take thousands of messages.
"""

import socket
import ssl
import threading
import time
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer RCPT with this."""

    code: int
    text: str = "no"


@dataclass(frozen=True, slots=True)
class RefuseMessage:
    """Answer the whole message with this."""

    code: int
    text: str = "no"


@dataclass(frozen=True, slots=True)
class DropAtRecipient:
    """Hang up at RCPT."""


@dataclass(frozen=True, slots=True)
class DropBeforeDot:
    """Hang up at DATA, before the message."""


@dataclass(frozen=True, slots=True)
class DropAfterDot:
    """Take and keep the message, then hang up instead of answering."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing at RCPT for this long."""

    seconds: float


Behaviour = Refuse | RefuseMessage | DropAtRecipient | DropBeforeDot | DropAfterDot | Hang


@dataclass(frozen=True, slots=True)
class Received:
    """One message that was taken, dots unstuffed."""

    sender: str
    recipient: str
    message: bytes
    at: float


@dataclass
class Script:
    """What the server offers, and how it behaves; may be changed while it runs. What it does not offer it
    refuses: commands before their answer (PIPELINING), bytes above 127 (8BITMIME), such addresses (SMTPUTF8).
    """

    speaks_ehlo: bool = True
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10485760")
    greeting: str = "220 sink ESMTP"
    behaviours: dict[str, deque[Behaviour]] = field(default_factory=dict)
    user: str = ""
    password: str = ""
    max_messages_per_connection: int = 0
    tls: ssl.SSLContext | None = None
    tls_from_the_start: bool = False
    delay_s: float = 0.0  # between taking a message and saying so
    on_message: Callable[[], object] = lambda: None  # called when one was taken


class SmtpSink:
    """Use as a context manager; `url` is where it listens."""

    def __init__(self, script: Script | None = None, port: int = 0) -> None:
        self.script = script or Script()
        self.received: list[Received] = []
        self.connections = 0
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._arrived = threading.Condition()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def on_recipient(self, address: str, *behaviours: Behaviour) -> None:
        """Behave so the next times this address is given, one after the other; the last one stays."""
        self.script.behaviours[address] = deque(behaviours)

    def once_for_recipient(self, address: str, behaviour: Behaviour) -> None:
        """Behave so once, and properly afterwards."""
        self.script.behaviours[address] = deque([behaviour, Refuse(250, "ok")])

    def behaviour_for(self, address: str) -> Behaviour | None:
        waiting = self.script.behaviours.get(address)
        if not waiting:
            return None
        return waiting.popleft() if len(waiting) > 1 else waiting[0]

    def keep(self, received: Received) -> None:
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[Received]:
        """All messages, once there are at least `count`; an AssertionError when they do not come."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.received) >= count, timeout_s)
            assert came, f"{len(self.received)} of {count} messages came within {timeout_s} s"
            return list(self.received)

    def to(self, address: str) -> list[Received]:
        return [one for one in self.received if one.recipient == address]

    def drop_connections(self) -> None:
        """Hang up on everybody now."""
        for connection in list(self._open):
            _shut(connection)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        _shut(self._listener)
        self._listener.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True, name="mail-sink")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = _Session(self, connection)
        try:
            session.run()
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(connection)
            session.close()


class _Session:
    """One connection's conversation. Answers to pipelined commands leave together."""

    def __init__(self, sink: SmtpSink, connection: socket.socket) -> None:
        self._sink = sink
        self._script = sink.script
        self._socket = connection
        self._input = bytearray()
        self._output: list[bytes] = []
        self._sender: str | None = None
        self._recipient: str | None = None
        self._behaviour: Behaviour | None = None
        self._taken = 0

    def run(self) -> None:
        if self._script.tls_from_the_start:
            self._encrypt()
        self._say(self._script.greeting)
        if not self._script.greeting.startswith("2"):
            return self._flush()
        while self._command(self._line().decode("utf-8", "replace")):
            if self._input and not self._offers("PIPELINING"):
                self._say("503 5.5.0 improper command pipelining")
                break
        return self._flush()

    def _offers(self, extension: str) -> bool:
        return extension in self._script.extensions

    def close(self) -> None:
        _shut(self._socket)
        self._socket.close()

    def _command(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        self._sink.commands.append(verb.upper())
        match verb.upper():
            case "EHLO" if not self._script.speaks_ehlo:
                self._say("502 5.5.1 what")
            case "EHLO" | "HELO":
                self._hello(verb.upper())
            case "STARTTLS" if self._script.tls is not None:
                self._say("220 go")
                self._flush()
                self._encrypt()
            case "AUTH":
                self._authenticate(rest)
            case "MAIL":
                return self._mail(rest)
            case "RCPT":
                return self._rcpt(rest)
            case "DATA":
                return self._data()
            case "RSET" | "NOOP":
                self._sender = self._recipient = None
                self._say("250 2.0.0 ok")
            case "QUIT":
                self._say("221 2.0.0 bye")
                return False
            case _:
                self._say("500 5.5.2 what")
        return True

    def _hello(self, verb: str) -> None:
        extensions = list(self._script.extensions) if verb == "EHLO" else []
        if verb == "EHLO" and self._script.tls and not isinstance(self._socket, ssl.SSLSocket):
            extensions.append("STARTTLS")
        lines = ["sink", *extensions]
        for number, extension in enumerate(lines):
            self._say(f"250{'-' if number < len(lines) - 1 else ' '}{extension}")

    def _authenticate(self, rest: str) -> None:
        how, _, answer = rest.partition(" ")
        if how.upper() == "LOGIN":
            self._say("334 VXNlcm5hbWU6")
            user = b64decode(self._line()).decode()
            self._say("334 UGFzc3dvcmQ6")
            password = b64decode(self._line()).decode()
        else:
            _, user, password = b64decode(answer).decode().split("\0")
        right = (user, password) == (self._script.user, self._script.password)
        self._say("235 2.7.0 welcome" if right else "535 5.7.8 wrong")

    def _mail(self, rest: str) -> bool:
        limit = self._script.max_messages_per_connection
        if limit and self._taken >= limit:
            self._say("421 4.7.0 enough for one connection")
            return False
        if self._sender is not None:
            self._say("503 5.5.1 nested MAIL")
            return True
        if not rest.isascii() and not self._offers("SMTPUTF8"):
            self._say("553 5.6.7 no addresses outside ASCII")
            return True
        self._sender = _within_brackets(rest)
        self._say("250 2.1.0 ok")
        return True

    def _rcpt(self, rest: str) -> bool:
        address = _within_brackets(rest)
        behaviour = self._sink.behaviour_for(address)
        match behaviour:
            case DropAtRecipient():
                return False
            case Hang():
                self._flush()
                self._sink.closing.wait(behaviour.seconds)
            case Refuse() if behaviour.code != 250:
                self._say(f"{behaviour.code} {behaviour.text}")
                return behaviour.code != 421
        self._recipient, self._behaviour = address, behaviour
        self._say("250 2.1.5 ok")
        return True

    def _data(self) -> bool:
        if self._sender is None or self._recipient is None:
            self._say("503 5.5.1 nobody to send to")
            return True
        if isinstance(self._behaviour, DropBeforeDot):
            self._flush()
            return False
        self._say("354 go")
        message = self._until_dot()
        if not message.isascii() and not self._offers("8BITMIME"):
            self._say("554 5.6.3 no bytes above 127")
            self._sender = self._recipient = None
            return True
        if isinstance(self._behaviour, RefuseMessage):
            self._say(f"{self._behaviour.code} {self._behaviour.text}")
            self._sender = self._recipient = None
            return self._behaviour.code != 421
        self._sink.keep(Received(self._sender, self._recipient, message, time.time()))
        if isinstance(self._behaviour, DropAfterDot):
            self._output.clear()
            return False
        self._script.on_message()
        if self._script.delay_s:
            self._sink.closing.wait(self._script.delay_s)
        self._taken += 1
        self._sender = self._recipient = None
        self._say("250 2.0.0 kept")
        return True

    def _until_dot(self) -> bytes:
        looked = 0
        while (end := self._input.find(b"\r\n.\r\n", looked)) < 0:
            looked = max(len(self._input) - 4, 0)
            self._receive()
        message = bytes(self._input[: end + 2])
        del self._input[: end + 5]
        return message.replace(b"\r\n..", b"\r\n.")

    def _line(self) -> bytes:
        while (end := self._input.find(b"\r\n")) < 0:
            self._receive()
        line = bytes(self._input[:end])
        del self._input[: end + 2]
        return line

    def _receive(self) -> None:
        self._flush()
        received = self._socket.recv(262_144)
        if not received:
            raise EOFError
        self._input += received

    def _encrypt(self) -> None:
        assert self._script.tls is not None
        self._socket = self._script.tls.wrap_socket(self._socket, server_side=True)

    def _say(self, line: str) -> None:
        self._output.append(line.encode() + b"\r\n")

    def _flush(self) -> None:
        if self._output:
            self._socket.sendall(b"".join(self._output))
            self._output.clear()


def _within_brackets(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
