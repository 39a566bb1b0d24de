"""Who may be asked now: one request at a time and a pause for each host, and rest for whom asks for it.

Knows nothing of feeds and rows; what it is given it gives back in turn.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from feeds.sites import site_of
from services.clock import Clock
from services.pipeline.visits import Redirect
from services.storage.polling import Rest, SourceDue

PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the way of one source through redirects stands."""

    source: SourceDue
    url: str
    redirects: tuple[Redirect, ...] = ()
    host: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "host", host_of(self.url))  # asked for at every turn


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


class Turns:
    """Steps waiting by host. `next` gives at most one of each host; say `done` when it was answered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, deque[Step]] = {}
        self._free: dict[str, None] = {}
        self._busy: set[str] = set()
        self._pausing: dict[str, datetime] = {}
        self._pauses: list[tuple[datetime, str]] = []
        self._resting: dict[str, datetime] = {}
        self._refused: list[Step] = []

    def add(self, step: Step, *, is_onward: bool = False) -> None:
        """Let a step wait; the next hop of one under way goes before the others."""
        queue = self._waiting.setdefault(step.host, deque())
        if is_onward:
            queue.appendleft(step)
        else:
            queue.append(step)
        if step.host not in self._busy and step.host not in self._pausing:
            self._free.setdefault(step.host)

    def next(self) -> list[Step]:
        """The steps to take now. When every host that is waited for pauses, it waits for the first."""
        while True:
            self._end_pauses()
            taken = [step for host in self._free if (step := self._head(host))]
            self._free.clear()
            ahead = [self._pausing[host] for host in self._waiting if host in self._pausing]
            if taken or self._busy or not ahead:
                return taken
            self._clock.sleep(max(0.0, (min(ahead) - self._clock.now()).total_seconds()))

    def done(self, step: Step, *, was_asked: bool = True) -> None:
        self._busy.discard(step.host)
        if was_asked:
            until = self._clock.now() + PAUSE
            self._pausing[step.host] = until
            heapq.heappush(self._pauses, (until, step.host))
        elif step.host in self._waiting:
            self._free.setdefault(step.host)

    def refuse(self, step: Step, *, was_asked: bool) -> None:
        """A step that must not be taken; its host was or was not asked about it."""
        self.done(step, was_asked=was_asked)
        self._refused.append(step)

    def refused(self) -> list[Step]:
        """What was refused, once."""
        refused, self._refused = self._refused, []
        return refused

    def rest(self, rest: Rest) -> None:
        """Ask no host of this site before then, and none of those beside it before their time."""
        self._rest(rest.site, rest.until)
        for host in rest.hosts:
            self._rest(host, rest.hosts_until or rest.until)

    def rests_until(self, url: str) -> datetime | None:
        """Until when the site or the host of this address rests, if it does."""
        if not self._resting:
            return None
        names = (site_of(url), host_of(url))
        return max((self._resting[name] for name in names if name in self._resting), default=None)

    def left(self) -> list[Step]:
        """What was not taken, once; nothing waits after that."""
        steps = [step for queue in self._waiting.values() for step in queue]
        self._waiting.clear()
        self._free.clear()
        self._busy.clear()
        return steps

    def rests(self, steps: Iterable[Step]) -> list[Step]:
        """Those of the steps that must rest."""
        if not self._resting:
            return []
        now = self._clock.now()
        return [step for step in steps if (self.rests_until(step.url) or now) > now]

    def _rest(self, site: str, until: datetime) -> None:
        self._resting[site] = max(until, self._resting.get(site, until))

    def _head(self, host: str) -> Step | None:
        queue = self._waiting[host]
        if self.rests([queue[0]]):  # it stays among those that are left
            return None
        step = queue.popleft()
        if not queue:
            del self._waiting[host]
        self._busy.add(host)
        return step

    def _end_pauses(self) -> None:
        now = self._clock.now()
        while self._pauses and self._pauses[0][0] <= now:
            at, host = heapq.heappop(self._pauses)
            if self._pausing.get(host) == at:
                del self._pausing[host]
                if host in self._waiting and host not in self._busy:
                    self._free.setdefault(host)
