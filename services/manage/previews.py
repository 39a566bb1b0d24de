"""What a query would have brought: counted over the notices of the last days, exactly, before it is saved."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from services.interests.reading import Reading
from services.manage import checks
from services.manage.sieve import sieve, understood
from services.runtime import Runtime
from services.storage import search

FRESH_S = 5.0
MAX_DAYS = 90
MAX_CUT = 3_000
BATCH = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """`understood` says how the words were read; `samples` are the newest notices in their public form."""

    canonical: str
    understood: tuple[str, ...]
    count: int
    samples: tuple[dict[str, Any], ...]
    days: int


def preview(rt: Runtime, query: str, *, days: int = 30, samples: int = 3) -> Preview:
    """How many notices of the last `days` meet a query, with the newest of them. Raises QueryError."""
    _, canonical = checks.query(query)
    days = max(1, min(days, MAX_DAYS))
    meets = sieve(rt, canonical)
    readings = _window(rt).readings(rt, since=rt.clock.now() - timedelta(days=days))
    found = [reading.document.notice_id for reading in readings if meets(reading)]
    with rt.begin() as session:
        shown = {row.id: row for row in search.some(session, found[:samples])}
    newest = tuple(dict(shown[i].form) for i in found[:samples] if i in shown)
    return Preview(canonical, understood(rt, canonical), len(found), newest, days)


class _Window:
    """The notices of a span, read, and kept for some seconds: previews come with every key pressed.

    What did not change is not read again. The oldest beyond `MAX_CUT` are cut into words anew each time,
    so that a region which publishes much costs time, not memory.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[int, Reading]] = {}  # newest first
        self._since: datetime | None = None
        self._read_at = float("-inf")

    def readings(self, rt: Runtime, *, since: datetime) -> list[Reading]:
        """Notices published since a time and not withdrawn, newest first; at most some seconds old."""
        with self._lock:
            is_fresh = 0 <= rt.clock.monotonic() - self._read_at < FRESH_S
            if not is_fresh or self._since is None or since < self._since:
                self._read(rt, since)
            kept = [reading for _, reading in self._kept.values()]
        within = [reading for reading in kept if reading.document.published_at >= since]
        uncut = [Reading(reading.document, rt.analyser) for reading in within[MAX_CUT:]]
        return within[:MAX_CUT] + uncut

    def _read(self, rt: Runtime, since: datetime) -> None:
        with rt.begin() as session:
            standing = search.standing(session, since=since)
            changed = [i for i, revision in standing.items() if self._kept.get(i, (0,))[0] != revision]
            for start in range(0, len(changed), BATCH):
                for row in search.some(session, changed[start : start + BATCH]):
                    self._kept[row.id] = (row.revision, Reading(row.document(), rt.analyser))
        self._kept = {i: self._kept[i] for i in standing if i in self._kept}
        self._since, self._read_at = since, rt.clock.monotonic()


# One window for each database that this process has open; it goes when the engine goes.
_windows: WeakKeyDictionary[Engine, _Window] = WeakKeyDictionary()
_windows_lock = threading.Lock()


def _window(rt: Runtime) -> _Window:
    with _windows_lock:
        return _windows.setdefault(rt.engine, _Window())
