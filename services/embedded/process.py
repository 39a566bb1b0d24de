"""One engine's process: started as the right user, ready before it counts as started, stopped for good.

It must be started from a thread that lives as long as the process: Linux ends the child with that thread.
"""

import contextlib
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from services import log
from services.errors import Unavailable

LAUNCHER = Path(__file__).with_name("launch.py")
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}  # nothing of PG*, nothing of ours
MAX_LOG_BYTES = 5_000_000
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class User:
    """Whom an engine runs as, when not as whoever started it."""

    uid: int
    gid: int


def unprivileged(folder: Path) -> User | None:
    """PostgreSQL refuses root: the owner of its folder, else `nobody`. None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run, and how it dies with its parent."""

    command: Sequence[str]
    log_path: Path
    death: signal.Signals = signal.SIGTERM
    user: User | None = None
    reach: tuple[Path, ...] = ()

    def begin(self) -> subprocess.Popen[bytes]:
        _shorten(self.log_path)
        with self.log_path.open("ab") as output:
            return subprocess.Popen(
                self._whole_command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for the parent, which stops its engines last
            )

    def run(self, text: str = "") -> None:
        """Run to the end with `text` on its input; Unavailable with its last words when it fails."""
        done = subprocess.run(
            self._whole_command(),
            input=text.encode(),
            capture_output=True,
            env=ENVIRONMENT,
            check=False,
        )
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise Unavailable(
                f"{Path(self.command[0]).name} failed: {words[-1] if words else 'no reason told'}"
            )

    def _whole_command(self) -> list[str]:
        if self.user is None:
            return bound_to_parent(self.command, self.death)
        closed = not all(_is_open(path, self.user) for path in (Path(self.command[0]), *self.reach))
        return bound_to_parent(
            self.command, self.death, {"uid": self.user.uid, "gid": self.user.gid, "reach": closed}
        )


def bound_to_parent(
    command: Sequence[str], death: signal.Signals, become: Mapping[str, int | bool] | None = None
) -> list[str]:
    """The command behind a launcher: the kernel sends `death` when the calling thread ends (Linux)."""
    wish = {"signal": int(death), "parent": os.getpid(), **(become or {})}
    return [sys.executable, "-I", str(LAUNCHER), json.dumps(wish), *command]


class Engine:
    """A server with one folder: `launch` says how to run it, `is_ready` when it answers."""

    def __init__(
        self, name: str, launch: Launch, *, is_ready: Callable[[int], bool], stops: Sequence[signal.Signals]
    ) -> None:
        self.name = name
        self._launch = launch
        self._is_ready = is_ready
        self._stops = stops
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, timeout_s: float = 120.0) -> None:
        """Returns when the engine answers; Unavailable with its last words when it ends or never does."""
        process = self._process = self._launch.begin()
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Unavailable(f"{self.name} did not start: {last_words(self._launch.log_path)}")
            if self._is_ready(process.pid):
                return
            time.sleep(0.02)
        self.stop()
        raise Unavailable(f"{self.name} did not answer within {timeout_s:.0f} s")

    def stop(self, *, patience_s: float = 20.0) -> None:
        """Ask ever more firmly; never raises, and nothing runs after it."""
        if self._process is not None:
            if self._process.poll() is None:
                end(self._process.pid, self._stops, patience_s=patience_s)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would (for tests of the rest)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def end(pid: int, stops: Sequence[signal.Signals], *, patience_s: float) -> None:
    """Send the signals in turn, `patience_s` after each, then SIGKILL; returns when the process is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for number in (*stops, signal.SIGKILL):
            process.send_signal(number)
            if _has_ended(process, patience_s):
                return


def end_orphan(pid: int, folder: Path, stops: Sequence[signal.Signals]) -> None:
    """End what an earlier Goniec left running on `folder`, never a process that only got its number."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()).resolve() != folder.resolve():
            return
    except psutil.Error:
        return
    _log.warning("engine.orphan", pid=pid, folder=str(folder))
    end(pid, stops, patience_s=15.0)


def last_words(path: Path) -> str:
    """The line of a log that says why: the last complaint, else the last line."""
    lines = path.read_text(errors="replace").strip().splitlines()[-40:] if path.exists() else []
    complaints = [line for line in lines if "FATAL" in line or "ERROR" in line or line.startswith("***")]
    words = (complaints or lines or ["no reason told"])[-1]
    return f"{words} (see {path})"


def _has_ended(process: psutil.Process, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def _is_open(path: Path, user: User) -> bool:
    """Whether every folder on the way lets `user` through."""
    for folder in path.resolve().parents:
        status = folder.stat()
        needed = stat.S_IXUSR if status.st_uid == user.uid else stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return path.is_dir() or bool(path.stat().st_mode & stat.S_IXOTH)


def _shorten(path: Path) -> None:
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.write_bytes(path.read_bytes()[-MAX_LOG_BYTES // 10 :])
