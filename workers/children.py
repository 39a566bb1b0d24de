"""Parts as processes of their own: started, started again when they die, and drained together.

The parent does no work itself; it must be its main thread that runs this (a child ends with that thread).
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services import log
from services.embedded import bound_to_parent
from services.settings import Settings, child_environment

CHECK_S = 0.2
DRAIN_S = 25.0  # longer than a worker's own drain
STEADY_S = 30.0  # after this long alive, a death counts as the first again
MAX_BACKOFF_S = 30.0
ROOT = Path(__file__).resolve().parent.parent
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """One part: `drains_first` parts are stopped before the others."""

    name: str
    command: tuple[str, ...]
    drains_first: bool = False


@dataclass(slots=True)
class _Run:
    """What is known of a part between its starts; times are monotonic seconds."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = 0.0


class Children:
    """Keeps parts alive until SIGTERM or SIGINT, then stops them in order."""

    def __init__(
        self,
        settings: Settings,
        children: Sequence[Child],
        *,
        each_round: Callable[[], object] = lambda: None,
    ) -> None:
        self._environment = child_environment(settings)
        self._runs = [_Run(child) for child in children]
        self._each_round = each_round
        self._is_stopping = False

    def run(self) -> int:
        """Until asked to stop; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        try:
            while not self._is_stopping:
                self.tend()
                self._each_round()
                time.sleep(CHECK_S)
        finally:
            self.drain()
        return 0

    def tend(self) -> None:
        """Start what is not running and may start now."""
        now = time.monotonic()
        for run in self._runs:
            if run.process is None and now >= run.start_at:
                self._start(run, now)
            elif run.process is not None and run.process.poll() is not None:
                _note_death(run, now)

    def drain(self, *, within_s: float = DRAIN_S) -> None:
        """SIGTERM to all, those that drain first before the others; SIGKILL to what outstays its time."""
        for first in (True, False):
            group = [run.process for run in self._runs if run.process and run.child.drains_first is first]
            for process in group:
                if process.poll() is None:
                    process.terminate()
            _wait_for(group, within_s)
        for run in self._runs:
            run.process = None

    def pids(self) -> dict[str, int]:
        return {run.child.name: run.process.pid for run in self._runs if run.process}

    def _start(self, run: _Run, now: float) -> None:
        run.process = subprocess.Popen(
            bound_to_parent(run.child.command, signal.SIGTERM),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the parent, which drains
        )
        run.started_at = now
        _log.info("part.started", part=run.child.name, pid=run.process.pid)

    def _ask(self, *_: object) -> None:
        self._is_stopping = True


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this checkout with this interpreter."""
    return (sys.executable, "-m", module, *arguments)


def _note_death(run: _Run, now: float) -> None:
    assert run.process is not None
    run.deaths = 1 if now - run.started_at > STEADY_S else run.deaths + 1
    backoff_s = min(0.5 * 2.0 ** (run.deaths - 1), MAX_BACKOFF_S)
    _log.error("part.died", part=run.child.name, code=run.process.returncode, again_in_s=backoff_s)
    run.process = None
    run.start_at = now + backoff_s


def _wait_for(processes: Sequence[subprocess.Popen[bytes]], within_s: float) -> None:
    until = time.monotonic() + within_s
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.error("part.killed", pid=process.pid)
            process.kill()
            process.wait()
