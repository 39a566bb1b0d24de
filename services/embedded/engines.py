"""The engines of one data folder, held by one process, started and stopped together."""

import os
import re
import shutil
import tempfile
import time
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Self

from services import log
from services import settings as settings_module
from services.embedded import postgres, redis
from services.embedded.lock import FolderLock, Holder
from services.embedded.process import Engine
from services.errors import SettingsError, Unavailable
from services.settings import Settings

# A socket's path has at most 107 bytes (Linux; 103 elsewhere); this leaves room for the name in the folder.
MAX_FOLDER_BYTES = 75
PLAIN_PATH = re.compile(r"[\w/.+-]+", re.ASCII)  # PostgreSQL reads its socket folders as a list with quotes
CONNECT_TIMEOUT_S = 60.0
_log = log.get(__name__)


class Engines:
    """Where the database and Redis answer, and the processes that this one must stop; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres: Engine | None = None
        self.redis: Engine | None = None
        self._lock: FolderLock | None = None
        self._borrowed_folder: Path | None = None

    @property
    def database_url(self) -> str:
        return self.settings.database_url or ""

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url or ""

    def revive(self) -> list[str]:
        """Start again what has died; the names of those. Call it, again and again, from the thread that
        started them: an engine that cannot start yet gets its next chance at the next call."""
        dead = [engine for engine in (self.postgres, self.redis) if engine and not engine.is_running()]
        for engine in dead:
            _log.error("engine.died", engine=engine.name)
            try:
                engine.start()
            except Unavailable as error:
                _log.error("engine.not_revived", engine=engine.name, reason=error.message)
        return [engine.name for engine in dead]

    def stop(self) -> None:
        """Stop what was started here, the database last; safe to call twice."""
        for engine in (self.redis, self.postgres):
            if engine is not None:
                engine.stop()
        if self._borrowed_folder is not None:
            shutil.rmtree(self._borrowed_folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()
        self.postgres = self.redis = self._lock = self._borrowed_folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _hold(self, *, durable: bool) -> None:
        """Take the folder, start what has no address, and write where it answers."""
        folder = self.settings.data_dir
        self._lock = FolderLock(folder)
        self._sweep(self._lock.take())
        self._lock.write(Holder(os.getpid()))
        sockets = self._sockets(folder)
        if not self.settings.database_url:
            self.postgres = postgres.prepare(folder, sockets, durable=durable)
            self.postgres.start()
        if not self.settings.redis_url:
            self.redis = redis.prepare(folder, sockets, durable=durable)
            self.redis.start()
        self._know(
            self.settings.database_url or postgres.url(sockets), self.settings.redis_url or redis.url(sockets)
        )
        borrowed = str(self._borrowed_folder or "")
        # Only what runs here is written: an address that was given may carry a password.
        self._lock.write(
            Holder(
                os.getpid(),
                database_url=self.database_url if self.postgres else "",
                redis_url=self.redis_url if self.redis else "",
                socket_dir=borrowed,
                is_ready=True,
                base_url=self.settings.base_url,
                allow_networks=tuple(str(network) for network in self.settings.allow_networks),
            )
        )

    def _sockets(self, folder: Path) -> Path:
        sockets = folder / "run"
        if len(os.fsencode(sockets)) > MAX_FOLDER_BYTES or not PLAIN_PATH.fullmatch(str(sockets)):
            roots = sorted({tempfile.gettempdir(), "/tmp"}, key=len)
            sockets = self._borrowed_folder = Path(tempfile.mkdtemp(prefix="goniec-", dir=roots[0]))
        sockets.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            for way in (folder, sockets):  # let the database's own user through, not look around
                way.chmod(way.stat().st_mode | 0o011)
        return sockets

    def _sweep(self, dead: Holder | None) -> None:
        """Remove the socket folder that a killed holder borrowed from the system."""
        if dead and dead.socket_dir and Path(dead.socket_dir).name.startswith("goniec-"):
            shutil.rmtree(dead.socket_dir, ignore_errors=True)

    def _know(self, database_url: str, redis_url: str) -> None:
        self.settings = self.settings.model_copy(
            update={"database_url": database_url, "redis_url": redis_url}
        )

    def _go_by(self, holder: Holder) -> None:
        networks = tuple(ip_network(name) for name in holder.allow_networks)
        self.settings = self.settings.model_copy(
            update={"base_url": holder.base_url, "allow_networks": networks}
        )


def start(settings: Settings, *, durable: bool = True) -> Engines:
    """Start what `settings` give no address for. Conflict when another process holds the folder."""
    engines = Engines(settings)
    if settings.database_url and settings.redis_url:
        return engines
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        engines._hold(durable=durable)
    except OSError as error:
        engines.stop()
        raise Unavailable(f"The data folder {settings.data_dir} cannot be used: {error}") from error
    except BaseException:
        engines.stop()
        raise
    return engines


def connect(settings: Settings) -> Engines:
    """The engines that a running Goniec holds on this folder, else own ones for the caller's while."""
    engines = Engines(settings)
    if settings.database_url and settings.redis_url:
        return engines
    lock = FolderLock(settings.data_dir)
    until = time.monotonic() + CONNECT_TIMEOUT_S
    while lock.is_held():
        holder = lock.read()
        if holder and holder.is_ready:
            engines._know(*_shared(settings, holder))
            engines._go_by(holder)
            return engines
        if time.monotonic() > until:
            raise Unavailable(f"The Goniec that holds {settings.data_dir} has not started within a minute.")
        time.sleep(0.1)
    return start(settings)


def _shared(settings: Settings, holder: Holder) -> tuple[str, str]:
    database_url = settings.database_url or holder.database_url
    redis_url = settings.redis_url or holder.redis_url
    if not (database_url and redis_url):
        name = "GONIEC_REDIS_URL" if database_url else "GONIEC_DATABASE_URL"
        raise SettingsError(
            f"{name} is missing: the Goniec that runs here was given one, and this one was not."
        )
    return database_url, redis_url


def start_scratch(folder: Path) -> Engines:
    """Engines that answer sooner and may forget at a crash, with `settings` to go with them."""
    return start(settings_module.of(data_dir=folder, secret_key="scratch-" * 4), durable=False)
