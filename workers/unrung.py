"""Work without the bell: while Redis is away a worker looks for itself, about once a second.

Rows are the queue, so nothing waits for Redis but the saving of a second. It must stay quiet while the bell
answers, and hold no rules: it calls the stages that the actors call.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from services import log
from services.errors import Unavailable
from services.pipeline import sweep
from services.queue import Stage
from services.runtime import Runtime

PERIOD_S = 1.0
_log = log.get(__name__)


class Unrung:
    """Looks at the rows of its stages until the process is asked to stop; each stage runs once at a time."""

    def __init__(self, rt: Runtime, stages: Mapping[Stage, Callable[[Runtime], object]]) -> None:
        self._rt = rt
        self._stages = stages
        self._running: dict[Stage, threading.Thread] = {}

    def attend(self) -> None:
        """Until the process is asked to stop."""
        while not self._rt.stopping.wait(PERIOD_S):
            if not self._rt.bell.is_there():
                self.look()

    def look(self) -> None:
        """Begin every stage that has rows due and is not at it already."""
        try:
            due = sweep.due(self._rt)
        except Unavailable:
            return  # neither Redis nor PostgreSQL: the next look may find one
        for stage in self._free(due):
            thread = threading.Thread(target=self._run, args=(stage,), name=f"unrung {stage}", daemon=True)
            self._running[stage] = thread
            thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait for what was begun; whether all of it has ended."""
        for thread in self._running.values():
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._running.values())

    def _free(self, due: Iterable[str]) -> list[Stage]:
        wanted = [Stage(name) for name in due if name in self._stages]
        return [one for one in wanted if one not in self._running or not self._running[one].is_alive()]

    def _run(self, stage: Stage) -> None:
        try:
            self._stages[stage](self._rt)
        except Unavailable as error:
            _log.warning("stage.interrupted", stage=stage, reason=error.message)
        except Exception as error:
            _log.error("stage.failed", stage=stage, reason=type(error).__name__, exc_info=True)
