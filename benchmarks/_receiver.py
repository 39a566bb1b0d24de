"""A receiver of webhooks in a process of its own, on all of loopback, that counts by `webhook-id`.

What it has counted is asked for under `/-/`; everything else is a call, thanked for with 204, or refused with
503 while it is told to. It trusts nobody's books: an id that came twice is counted twice.
"""

import _here  # noqa: F401  before all others: `email` is the standard library's from here on

# isort: split
import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Came:
    """What arrived: {id: how often}, and {id: when first}, in seconds of `time.time`."""

    times: dict[str, int]
    first: dict[str, float]
    titles: dict[str, str]  # what each was about

    @property
    def at(self) -> dict[str, float]:
        """{title: when the first call about it came}, where each call has a title of its own."""
        return {self.titles[name]: at for name, at in self.first.items()}


class Receiver:
    """Asks the process about what it has counted."""

    def __init__(self, port: int) -> None:
        self.port = port

    def count(self) -> int:
        """How many different ids have come."""
        return int(self._ask("/-/count")["unique"])

    def came(self) -> Came:
        return Came(**self._ask("/-/came"))

    def refuse(self, *, wanted: bool) -> None:
        self._ask("/-/refuse" if wanted else "/-/take")

    def forget(self) -> None:
        self._ask("/-/forget")

    def _ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def receiver(port: int) -> Iterator[Receiver]:
    """The process, running."""
    process = subprocess.Popen([sys.executable, __file__, str(port)], env=dict(os.environ))
    asked = Receiver(port)
    try:
        for _ in range(200):
            with suppress(OSError):
                asked.count()
                break
            time.sleep(0.05)
        yield asked
    finally:
        process.terminate()
        process.wait()


class _Book:
    def __init__(self) -> None:
        self.forget()
        self.refuses = False

    def forget(self) -> None:
        self.times: dict[str, int] = {}
        self.first: dict[str, float] = {}
        self.titles: dict[str, str] = {}

    def note(self, name: str, title: str) -> None:
        self.times[name] = self.times.get(name, 0) + 1
        self.first.setdefault(name, time.time())
        self.titles[name] = title

    def answer(self, path: str) -> bytes:
        told: object = {}
        if path == "/-/count":
            told = {"unique": len(self.times)}
        elif path == "/-/came":
            told = {"times": self.times, "first": self.first, "titles": self.titles}
        elif path in ("/-/refuse", "/-/take"):
            self.refuses = path == "/-/refuse"
        elif path == "/-/forget":
            self.forget()
        body = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class _Web(asyncio.Protocol):
    """Just enough HTTP/1.1 for requests with a Content-Length."""

    book = _Book()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._input = bytearray()

    def data_received(self, data: bytes) -> None:
        self._input += data
        while (head := self._input.find(b"\r\n\r\n")) >= 0:
            line, *lines = bytes(self._input[:head]).split(b"\r\n")
            headers = dict(one.split(b": ", 1) for one in lines)
            headers = {name.lower(): value for name, value in headers.items()}
            end = head + 4 + int(headers.get(b"content-length", b"0"))
            if len(self._input) < end:
                return
            body = bytes(self._input[head + 4 : end])
            del self._input[:end]
            self._transport.write(self._answer(line, headers, body))

    def _answer(self, line: bytes, headers: dict[bytes, bytes], body: bytes) -> bytes:
        path = line.split(b" ")[1].decode()
        if path.startswith("/-/"):
            return self.book.answer(path)
        if self.book.refuses:
            return _REFUSED
        self.book.note(headers.get(b"webhook-id", b"").decode(), _title(body))
        return _TAKEN


def _title(body: bytes) -> str:
    """The title in a body of ours, without reading all of it as JSON."""
    start = body.find(b'"title":')
    if start < 0:
        return ""
    start = body.find(b'"', start + 8) + 1
    return body[start : body.find(b'"', start)].decode("utf-8", "replace")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Web, "", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
