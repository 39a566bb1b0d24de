"""The far ends of benchmarks, in processes of their own, and the floors: how fast anything can get there.

postfix's smtp-source and smtp-sink are taken from the PATH, else unpacked from Debian's package into a folder
that is removed afterwards. Where neither works the figures say so, and a plain sender of ours is the floor.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 4  # as many as the channel keeps
_OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Postfix:
    """Its two programs, and the environment that finds their libraries."""

    source: str
    sink: str
    environment: dict[str, str]


@contextmanager
def postfix() -> Iterator[Postfix | None]:
    """smtp-source and smtp-sink; None where they cannot be had."""
    source, sink = (shutil.which(name, path=_PATH) for name in ("smtp-source", "smtp-sink"))
    if source and sink:
        yield Postfix(source, sink, dict(os.environ))
        return
    with tempfile.TemporaryDirectory(prefix="goniec-postfix-") as folder:
        yield _unpacked(Path(folder))


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _unpacked(folder: Path) -> Postfix | None:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 60}
    try:
        subprocess.run(["apt-get", "download", "postfix"], check=True, **quiet)  # type: ignore[call-overload]
        package = next(folder.glob("postfix_*.deb"))
        subprocess.run(["dpkg", "-x", package, "unpacked"], check=True, **quiet)  # type: ignore[call-overload]
    except (subprocess.SubprocessError, OSError, StopIteration):
        return None
    root = folder / "unpacked" / "usr"
    libraries = {"LD_LIBRARY_PATH": str(root / "lib" / "postfix")}
    found = Postfix(str(root / "sbin" / "smtp-source"), str(root / "sbin" / "smtp-sink"), libraries)
    folder.chmod(0o755)
    told = subprocess.run([found.source], env=libraries, capture_output=True, check=False)
    return found if b"usage" in told.stderr else None


@contextmanager
def mail_sink(programs: Postfix | None) -> Iterator[int]:
    """A mail server that takes everything and keeps nothing: the port it listens on."""
    port = free_port()
    if programs is None:
        command, environment = [sys.executable, __file__, "mail", str(port)], dict(os.environ)
    else:
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command, environment = [programs.sink, *user, f"127.0.0.1:{port}", "500"], programs.environment
    with _running(command, environment, port):
        yield port


@contextmanager
def web_sink() -> Iterator[int]:
    """A receiver that answers 204 to everything, on all of loopback."""
    port = free_port()
    with _running([sys.executable, __file__, "web", str(port)], dict(os.environ), port):
        yield port


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment)
    try:
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def mail_floor(programs: Postfix | None, port: int, *, messages: int, size_bytes: int) -> float:
    """Messages a second from a sender that does nothing else, over as many kept connections."""
    began = time.perf_counter()
    if programs is None:
        _blast(port, messages, size_bytes)
    else:
        options = ["-s", CONNECTIONS, "-m", messages, "-l", size_bytes, "-d", f"127.0.0.1:{port}"]
        subprocess.run([programs.source, *map(str, options)], env=programs.environment, check=True)
    return messages / (time.perf_counter() - began)


def _blast(port: int, messages: int, size_bytes: int) -> None:
    def send() -> None:
        with socket.create_connection(("127.0.0.1", port)) as peer, peer.makefile("rb") as answers:
            answers.readline()
            peer.sendall(b"HELO bench\r\n")
            answers.readline()
            for _ in range(messages // CONNECTIONS):
                peer.sendall(b"MAIL FROM:<a@bench.example>\r\nRCPT TO:<b@bench.example>\r\nDATA\r\n")
                for _ in range(3):
                    answers.readline()
                peer.sendall(b"x" * size_bytes + b"\r\n.\r\n")
                answers.readline()

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Web(asyncio.Protocol):
    """Just enough HTTP/1.1 to thank for each POST with a Content-Length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._input = bytearray()

    def data_received(self, data: bytes) -> None:
        self._input += data
        while (head := self._input.find(b"\r\n\r\n")) >= 0:
            lines = self._input[:head].lower().split(b"\r\n")
            lengths = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
            end = head + 4 + (lengths[0] if lengths else 0)
            if len(self._input) < end:
                return
            del self._input[:end]
            self._transport.write(_OK)


async def _serve_web(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Web, "", port, backlog=1000)
    await server.serve_forever()


def _serve_mail(port: int) -> None:
    import _here  # noqa: F401

    from tests.doubles.smtp import SmtpSink

    with SmtpSink(port=port) as sink:
        while True:
            time.sleep(0.2)
            sink.received.clear()


if __name__ == "__main__":
    if sys.argv[1] == "web":
        asyncio.run(_serve_web(int(sys.argv[2])))
    else:
        _serve_mail(int(sys.argv[2]))
