"""Rows that each become one request, as a stream: while some are under way, further ones are claimed.

One peer that hangs holds up nobody else, and a stream that strangers keep full ends all the same: what comes
after it has its turn, and the sweep brings it back. Each outcome is written while this worker holds the
claim; what was not begun goes back.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from services import log as logs
from services.errors import Unavailable
from services.http import Answer, Request
from services.pipeline import outcomes
from services.pipeline.leases import LEASE, kept
from services.runtime import Runtime
from services.storage import work
from services.storage.work import Claim, Lane

AT_ONCE = 100
LOOK_EVERY_S = 0.2  # for further rows, once there were none
AGAIN_AFTER_S = 1.0
TAKES_IN_FOR_S = 5.0

log = logs.get(__name__)
T = TypeVar("T")
Change = Callable[[Session, Claim], object]


class Stream(Generic[T]):
    """`load` reads claimed rows by id; `begin` gives a row's request, whose `tag` is the row's id, or how it
    is settled without one; `settle` says what its answer changes, or asks on (by the same tag)."""

    def __init__(
        self,
        rt: Runtime,
        lane: Lane,
        *,
        load: Callable[[Session, Claim], Mapping[int, T]],
        begin: Callable[[T], Request | Change],
        settle: Callable[[T, Request, Answer], Change | Request],
    ) -> None:
        self._rt, self._lane = rt, lane
        self._load, self._begin, self._settle = load, begin, settle
        self._id = secrets.token_hex(8)
        self._held: set[int] = set()
        self._under_way: dict[int, T] = {}
        self._onward: list[Request] = []
        self._look_at = self._until = 0.0
        self._done = 0

    def run(self) -> int:
        """Until nothing is due, its time is over or the process is stopping; how many rows were settled."""
        self._until = self._rt.clock.monotonic() + TAKES_IN_FOR_S
        try:
            with kept(self._rt, self._lane, self._claimed):
                while not self._rt.stopping.is_set():
                    requests = self._more(is_first=True)
                    answers = self._rt.http.fetch(requests, more=self._more, stopping=self._rt.stopping)
                    before = self._done
                    for request, answer in answers:
                        assert isinstance(request.tag, int)
                        settled = self._settle(self._under_way[request.tag], request, answer)
                        if isinstance(settled, Request):
                            self._onward.append(settled)
                        else:
                            del self._under_way[request.tag]
                            self._write(request.tag, settled)
                    if self._done == before or self._rt.clock.monotonic() >= self._until:
                        break
        finally:
            self._hand_back()
        return self._done

    def _claimed(self) -> Claim:
        return Claim(self._id, tuple(self._held.copy()))

    def _more(self, *, is_first: bool = False) -> Iterator[Request]:
        while self._onward:
            yield self._onward.pop()
        now = self._rt.clock.monotonic()
        room = AT_ONCE - len(self._held)
        if room <= 0 or self._rt.stopping.is_set():
            return
        if not is_first and (now < self._look_at or now >= self._until):
            return
        try:
            loaded = self._claim(room)
        except Unavailable:
            if is_first:
                raise
            self._look_at = now + AGAIN_AFTER_S  # what is under way is heard out
            return
        for row_id, one in loaded.items():
            begun = self._begin(one)
            if isinstance(begun, Request):
                self._under_way[row_id] = one
                yield begun
            else:
                self._write(row_id, begun)

    def _claim(self, room: int) -> Mapping[int, T]:
        with self._rt.begin() as session:
            claimed = work.claim(
                session, self._lane, now=self._rt.clock.now(), lease=LEASE, limit=room, under=self._id
            )
            loaded = self._load(session, claimed) if claimed else {}
        self._held.update(claimed.rows)
        self._look_at = self._rt.clock.monotonic() + (0.0 if len(claimed.rows) == room else LOOK_EVERY_S)
        return loaded

    def _write(self, row_id: int, change: Change) -> None:
        held = Claim(self._id, (row_id,))
        outcomes.write(self._rt, lambda session: change(session, held))
        self._held.discard(row_id)
        self._done += 1

    def _hand_back(self) -> None:
        if self._held:
            outcomes.write(self._rt, lambda session: work.hand_back(session, self._lane, self._claimed()))
            self._held.clear()
