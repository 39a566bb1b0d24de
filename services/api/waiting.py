"""Waiting for the event log to grow: many may wait, and one look at the database each half second is for all.

Who waits holds neither a thread nor a transaction. So many may wait and no more: who comes then is told when
to come again; and no place is held for ever, not even by who takes nothing of what is sent.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager

from anyio import Lock, current_time, move_on_after, sleep, to_thread
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.errors import RateLimited
from services.manage import event_log
from services.runtime import Runtime

LOOK_EVERY_S = 0.5
MOST, MOST_OF_ONE = 200, 10  # who wait at once in a process, and of them by one key


class Waiting:
    """Those of one process who wait for news; to be used in its event loop alone."""

    def __init__(self, rt: Runtime, *, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._rt = rt
        self._most, self._most_of_one = most, most_of_one
        self._now: Counter[str] = Counter()
        self._lock: Lock | None = None
        self._looked_at = -LOOK_EVERY_S
        self._newest = ""
        self.looks = 0

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """A place among those who wait; raises RateLimited when there is none."""
        self.require_room(who)
        self._now[who] += 1
        try:
            yield
        finally:
            self._now[who] -= 1
            self._now = +self._now  # who is gone is forgotten

    def require_room(self, who: str) -> None:
        if self._now.total() >= self._most or self._now[who] >= self._most_of_one:
            raise RateLimited(
                "Too many wait for events already. Ask again a little later.", retry_after_s=5.0
            )

    async def grown(self, after: str, *, until: float) -> bool:
        """Whether the log has grown past a cursor, as soon as it has; False at the loop's time `until`."""
        while not self._rt.stopping.is_set():
            if event_log.is_past(await self._look(), after):
                return True
            left_s = until - current_time()
            if left_s <= 0:
                return False
            await sleep(min(LOOK_EVERY_S, left_s))
        return False

    async def _look(self) -> str:
        """The newest cursor of the log, at most half a second old."""
        self._lock = self._lock or Lock()
        async with self._lock:
            if current_time() - self._looked_at >= LOOK_EVERY_S:
                self._newest = await to_thread.run_sync(event_log.newest_cursor, self._rt)
                self._looked_at = current_time()
                self.looks += 1
            return self._newest


class EndingStream(StreamingResponse):
    """A stream that is cut after `within_s` seconds, also while its reader takes nothing and so lets it never
    come to its own end."""

    def __init__(
        self,
        content: AsyncGenerator[str],
        *,
        within_s: float,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._content, self._within_s = content, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._content):
            with move_on_after(self._within_s):
                await super().__call__(scope, receive, send)
