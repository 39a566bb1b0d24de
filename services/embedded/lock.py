"""One holder for one data folder. The kernel lets go of the lock when the holder dies, however it dies."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from services.errors import Conflict


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the folder, and where its engines answer once they do. Beside them, commands go by its
    `base_url` and `allow_networks`: links and checks are those of the Goniec that runs."""

    pid: int
    database_url: str = ""
    redis_url: str = ""
    socket_dir: str = ""
    is_ready: bool = False
    base_url: str = ""
    allow_networks: tuple[str, ...] = ()


class FolderLock:
    """Held from `take` to `release`; the file says who holds it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> Holder | None:
        """Hold the folder; answers what a holder that died left written. Raises Conflict when it is held."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(descriptor, tries=5):
            os.close(descriptor)
            holder = self.read()
            who = f"process {holder.pid}" if holder else "another process"
            raise Conflict(
                f"The data folder {self._folder} is in use by a running Goniec ({who}): "
                "stop it first, or name another folder with --data-dir or GONIEC_DATA_DIR.",
                pid=holder.pid if holder else None,
            )
        self._descriptor = descriptor
        return self.read()

    def write(self, holder: Holder) -> None:
        assert self._descriptor is not None, "the lock is taken first"
        text = json.dumps(asdict(holder))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def read(self) -> Holder | None:
        """What the file says; None when it says nothing (yet)."""
        try:
            return Holder(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def is_held(self) -> bool:
        """Whether somebody (this process included) holds the folder now."""
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locked(descriptor, tries=1)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None


def _locked(descriptor: int, *, tries: int) -> bool:
    """Whether the lock could be had; a few tries, because asking `is_held` holds it for a moment."""
    for attempt in range(tries):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < tries:
                time.sleep(0.05)
        else:
            return True
    return False
