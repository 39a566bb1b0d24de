"""A real little web server on loopback whose answers are scripted path by path, good and bad.

It stands for feeds, webhook receivers and hosts that mean harm; it never leaves a thread behind.
"""

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK = 64 * 1024
ROBOTS = "/robots.txt"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: header names in lower case; `connection` counts connections from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. Times in seconds.

    `delay_s` before anything is sent; `drip_s` between single bytes of the body; `endless` repeats the body
    for ever; `hang` never answers; `drop` closes the connection: "silent" before any answer, "half" in the
    middle of the body; `close` ends the connection after the answer, though keeping it was promised;
    `raw` is sent instead of all else.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_s: float = 0.0
    drip_s: float = 0.0
    endless: bool = False
    hang: bool = False
    drop: str = ""
    close: bool = False
    raw: bytes | None = None


Script = Answer | Callable[[Received], Answer]


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status=status, headers=(("Location", location),))


def gzip_bomb(megabytes: int) -> Answer:
    """A small body that unpacks to `megabytes` of zeros."""
    body = gzip.compress(bytes(megabytes * 1024 * 1024), compresslevel=9)
    return Answer(headers=(("Content-Encoding", "gzip"),), body=body)


@dataclass
class _State:
    """What the handler threads share."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)
    scripts: dict[str, list[Script]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    sockets: set[socket.socket] = field(default_factory=set)
    connections: int = 0

    def next_script(self, path: str) -> Script:
        """The next answer for this path; the last one stays."""
        with self.lock:
            scripts = self.scripts.get(path) or self.scripts.get("*") or [Answer(status=404)]
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]


class WebDouble:
    """`with WebDouble() as web:`, then `web.answer("/feed", Answer(body=b"…"))`; ask `web.url("/feed")`."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._state = _State()
        self._server = _Server(self._state, tls)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self.hang_up()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def received(self) -> list[Received]:
        """All requests so far, oldest first; those for a robots.txt only where there is one."""
        with self._state.lock:
            return list(self._state.received)

    @property
    def calls(self) -> list[Received]:
        """What was posted so far, without what was only asked (OPTIONS)."""
        return [one for one in self.received if one.method == "POST"]

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._state.connections

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(self, path: str, *scripts: Script) -> None:
        """Script the answers of a path (`*`: of every other path), one after another; the last one stays."""
        with self._state.lock:
            self._state.scripts[path] = list(scripts)

    def hang_up(self) -> None:
        """Close all open connections, as a server does that restarts."""
        with self._state.lock:
            sockets = list(self._state.sockets)
        for open_socket in sockets:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Received]:
        """The requests, once there are `count`."""
        deadline = time.monotonic() + timeout_s
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.received)} of {count} requests came within {timeout_s} s")
            time.sleep(0.005)
        return self.received


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close joins them
    request_queue_size = 256

    def __init__(self, state: _State, tls: ssl.SSLContext | None) -> None:
        self.state = state
        self.tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request_thread(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        try:
            if self.tls is not None:
                request = self.tls.wrap_socket(request, server_side=True)
        except OSError:
            request.close()
            return
        with self.state.lock:
            self.state.sockets.add(request)
            self.state.connections += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.state.lock:
                self.state.sockets.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Peers that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.number = self.server.state.connections

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def handle_any(self) -> None:
        state = self.server.state
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        received = Received(self.command, self.path, headers, body, time.monotonic(), self.number)
        path = urlsplit(self.path).path
        if path == ROBOTS and path not in state.scripts:  # asked of every host; no test is about it
            self.play(Answer(status=404))
            return
        with state.lock:
            state.received.append(received)
        script = state.next_script(path)
        self.play(script if isinstance(script, Answer) else script(received))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = handle_any

    def play(self, answer: Answer) -> None:
        if self.server.state.stopping.wait(3600 if answer.hang else answer.delay_s):
            self.close_connection = True
            return
        if answer.drop == "silent":
            self.close_connection = True
        elif answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
        else:
            self.send_head(answer)
            for chunk in self.chunks(answer):
                self.wfile.write(chunk)
            self.close_connection = self.close_connection or answer.close or bool(answer.drop)

    def send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.endless:
            self.close_connection = True
            self.send_header("Connection", "close")
        elif answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def chunks(self, answer: Answer) -> Iterator[bytes]:
        stopping = self.server.state.stopping
        if self.command == "HEAD":
            return
        if answer.drop == "half":
            yield answer.body[: len(answer.body) // 2]
        elif answer.drip_s:
            for place in range(len(answer.body)):
                yield answer.body[place : place + 1]
                if stopping.wait(answer.drip_s):
                    return
        elif answer.endless:
            chunk = (answer.body or b"\0") * (CHUNK // max(1, len(answer.body)) + 1)
            while not stopping.is_set():
                yield chunk
        else:
            yield answer.body
