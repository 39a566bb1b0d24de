"""`parse_safely`: parsing in warm child processes that may be killed, because a feed can be an attack.

Every order has a deadline; a child that misses it, or that runs out of memory, is killed and replaced, and
the caller gets a `ParserStopped`. The parent must never parse a body from outside itself.
"""

import os
import subprocess
import sys
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from feeds import wire
from feeds.dates import WARSAW
from feeds.errors import FeedError, ParserCrashed, ParserStopped, TooLarge, TooSlow
from feeds.parse import MAX_BODY_BYTES
from feeds.types import Feed, Habits

_START_S = 30.0
_GRACE_S = 2.0
_ORDERS_PER_CHILD = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """What one body may cost: seconds for reading it, bytes of address space of the process that does."""

    timeout_s: float = 5.0
    memory_bytes: int = 512 * 1024 * 1024


class ParserPool:
    """Child processes that parse, up to `size` at once; started when first needed. Safe between threads."""

    def __init__(self, *, size: int = 2, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: deque[_Child] = deque()
        self._owner = os.getpid()
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _end_all, self._idle, self._owner)

    def parse_safely(
        self,
        body: bytes,
        *,
        content_type: str | None,
        base_url: str,
        now: datetime,
        zone: ZoneInfo = WARSAW,
        habits: Habits = Habits(),  # noqa: B008  a frozen value
    ) -> Feed:
        """As `feeds.parse.parse`, in a limited child process; raises ParserStopped besides."""
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"The feed is larger than {MAX_BODY_BYTES} bytes.", max_bytes=MAX_BODY_BYTES)
        order = wire.pack_order(wire.Order(body, content_type, base_url, now, zone, habits))
        with self._free:
            child = self._take()
            try:
                return child.read(order)
            finally:
                self._put_back(child)

    def close(self) -> None:
        """End the children. What is being parsed ends as its order does; later orders are refused."""
        with self._lock:
            self._is_closed = True
        self._finalizer()

    def __enter__(self) -> "ParserPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> "_Child":
        with self._lock:
            if self._is_closed:
                raise ParserCrashed("The parsers have been closed.")
            if self._owner != os.getpid():  # a fork: the children are our parent's, not ours
                self._idle.clear()
                self._owner = os.getpid()
                self._finalizer.detach()
                self._finalizer = weakref.finalize(self, _end_all, self._idle, self._owner)
            while self._idle:
                child = self._idle.pop()
                if child.is_usable():
                    return child
                child.end()
        return _Child(self._limits)

    def _put_back(self, child: "_Child") -> None:
        with self._lock:
            if not self._is_closed and child.is_usable():
                self._idle.append(child)
                return
        child.end()


def _end_all(children: "deque[_Child]", owner: int) -> None:
    while children:
        child = children.pop()
        if os.getpid() == owner:
            child.end()


class _Child:
    """One warm process and the pipes to it. Used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._orders_left = _ORDERS_PER_CHILD
        self._is_broken = False
        command = [sys.executable, "-P", "-m", "feeds.child", str(os.getpid()), str(limits.memory_bytes)]
        try:
            self._process = subprocess.Popen(
                [*command, str(limits.timeout_s + _GRACE_S)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
            )
        except OSError as exc:
            raise ParserCrashed("The feed's parser could not be started.") from exc
        self._orders = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self._wait_until_ready()

    def read(self, order: bytes) -> Feed:
        """The answer to a packed order, within the time limit; raises what the child refuses it with."""
        self._orders_left -= 1
        self._is_broken = True  # until a whole answer is here: an exception must not leave half a one behind
        deadline = _Deadline(self._process, self._limits.timeout_s)
        answer: Feed | FeedError
        try:
            with deadline:
                self._orders.write(order)
                self._orders.flush()
                answer = wire.read_answer(self._answers)
        except OSError:
            answer = ParserCrashed("The feed's parser ended without an answer.")
        if deadline.has_passed:
            limit_s = self._limits.timeout_s
            raise TooSlow(f"The feed could not be read within {limit_s:g} seconds.", timeout_s=limit_s)
        self._is_broken = isinstance(answer, ParserStopped)
        if isinstance(answer, FeedError):
            raise answer
        return answer

    def is_usable(self) -> bool:
        return not self._is_broken and self._orders_left > 0 and self._process.poll() is None

    def end(self) -> None:
        """Kill the process, wait for it, close the pipes. Harmless twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._orders, self._answers):
            try:
                pipe.close()
            except OSError:  # a half-written order cannot be flushed any more
                continue

    def _wait_until_ready(self) -> None:
        with _Deadline(self._process, _START_S):
            started = self._answers.read(1)
        if not started:
            self.end()
            raise ParserCrashed("The feed's parser could not be started.")


class _Deadline:
    """Kills the process when the time is over, which ends every wait on its pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]", after_s: float) -> None:
        self.has_passed = False
        self._process = process
        self._timer = threading.Timer(after_s, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()  # after this line it is settled whether the process was killed

    def _end(self) -> None:
        self.has_passed = True
        self._process.kill()


def _environment() -> dict[str, str]:
    """Nothing of ours, so that no secret is within reach of a feed: only the way to the code.

    One arena, because each more costs 64 MB of the address space that is limited.
    """
    here = str(Path(__file__).resolve().parent.parent)
    paths = [here, *(path for path in sys.path if path and path != here)]
    return {"PYTHONPATH": os.pathsep.join(paths), "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
