"""What a query would have brought: counted over the notices of the last days, exactly, before it is saved."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from services.interests import advice, language
from services.interests.advice import Suggestion
from services.interests.classify import subject
from services.interests.documents import Document
from services.interests.past import Past
from services.interests.reading import Reading
from services.manage import checks
from services.manage.sieve import understood
from services.runtime import Runtime
from services.storage import search

FRESH_S = 1.0
MAX_DAYS = 90
MAX_WORDS = 20_000_000  # of all notices together; beyond it the oldest are left out, and `days` says so
TOO_MANY_A_DAY = 20
BATCH = 500
DAY, WEEK = timedelta(days=1), timedelta(days=7)
Seen = Callable[[Document], Document]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days that end where the next begin; the last ends now."""

    since: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`understood` says how the words were read; `samples` are the newest notices in their public form.

    `advice` is `widen` (nothing in 90 days), `narrow` (more than 20 a day) or None; `suggestions` go with it,
    each with its number over 90 days.
    """

    canonical: str
    understood: tuple[str, ...]
    count: int
    samples: tuple[dict[str, Any], ...]
    days: int
    days_90: int
    count_90: int
    weeks: tuple[Week, ...]
    advice: str | None
    suggestions: tuple[Suggestion, ...]


def topics_lately(rt: Runtime) -> dict[str, int]:
    """{topic: number of notices of the last 90 days}."""
    now = rt.clock.now()
    window = _window(rt)
    with window.lock:
        held = window.held(rt, now)
        facets = dict(held.past.facets(held.since(now - MAX_DAYS * DAY)))
    return {
        atom.removeprefix("topic:"): number for atom, number in facets.items() if atom.startswith("topic:")
    }


def met_by_subject(rt: Runtime, *canonical: str) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """How many notices the last 90 days had, and which of them each query would have met as a topic's,
    newest first; an empty one meets nothing."""
    now = rt.clock.now()
    window = _window(rt, subject)
    with window.lock:
        held = window.held(rt, now)
        everything = held.since(now - MAX_DAYS * DAY)
        met = [held.past.find(language.recall(one), now) if one else [] for one in canonical]
    newest = (sorted(everything.keys() & one, key=lambda n: (everything[n], n), reverse=True) for one in met)
    return len(everything), tuple(map(tuple, newest))


def preview(rt: Runtime, query: str, *, days: int = 30, samples: int = 5) -> Preview:
    """How many notices of the last `days` meet a query, with the newest of them. Raises QueryError."""
    _, canonical = checks.query(query)
    days, now = max(1, min(days, MAX_DAYS)), rt.clock.now()
    tree = language.recall(canonical)
    window = _window(rt)
    with window.lock:
        held = window.held(rt, now)
        everything = held.since(now - MAX_DAYS * DAY)
        met = [one for one in held.past.find(tree, now) if one in everything]
        met.sort(key=lambda one: (everything[one], one), reverse=True)
        reach = held.reach(now)
        kind = "widen" if not met else "narrow" if len(met) > TOO_MANY_A_DAY * reach else None
        suggestions: tuple[Suggestion, ...] = ()
        if kind == "widen":
            suggestions = advice.widen(tree, held.past, everything, now)
        elif kind == "narrow":
            suggestions = advice.narrow(tree, held.past, met, now, most=TOO_MANY_A_DAY * reach)
    recent = [one for one in met if everything[one] >= now - days * DAY]
    with rt.begin() as session:
        shown = {row.id: row for row in search.some(session, recent[:samples])}
    newest = tuple(dict(shown[i].form) for i in recent[:samples] if i in shown)
    return Preview(
        canonical, understood(rt, canonical), len(recent), newest, min(days, reach), reach, len(met),
        _weeks([everything[one] for one in met], now), kind, suggestions,
    )  # fmt: skip


def _weeks(times: list[datetime], now: datetime) -> tuple[Week, ...]:
    """The last thirteen weeks, oldest first; the first one is cut where ninety days begin."""
    counts = [0] * (-(-MAX_DAYS // 7))
    for at in times:
        counts[min(max(0, int((now - at) / WEEK)), len(counts) - 1)] += 1
    return tuple(Week(max(now - (n + 1) * WEEK, now - MAX_DAYS * DAY), counts[n])
                 for n in reversed(range(len(counts))))  # fmt: skip


class _Held:
    """The notices of the last days as they stood when they were last looked at."""

    def __init__(self, past: Past, seen: Seen) -> None:
        self.past = past
        self.seen = seen
        self.revisions: dict[int, int] = {}
        self.published: dict[int, datetime] = {}  # newest first
        self.is_cut = False

    def since(self, at: datetime) -> dict[int, datetime]:
        return {one: published for one, published in self.published.items() if published >= at}

    def reach(self, now: datetime) -> int:
        """How many days back all notices are known; fewer than ninety only where there are too many."""
        if not self.is_cut or not self.published:
            return MAX_DAYS
        return max(1, min(MAX_DAYS, (now - min(self.published.values())).days))


class _Window:
    """What previews are counted over, brought up to date when asked: they come with every key pressed."""

    def __init__(self, seen: Seen) -> None:
        self.lock = threading.Lock()
        self._seen = seen
        self._held: _Held | None = None
        self._read_at = float("-inf")

    def held(self, rt: Runtime, now: datetime) -> _Held:
        """To be called, and used, with the lock held; at most a second old."""
        is_fresh = 0 <= rt.clock.monotonic() - self._read_at < FRESH_S
        if self._held is None or not is_fresh:
            held = self._held or _Held(Past(rt.analyser), self._seen)
            _read(rt, held, now - MAX_DAYS * DAY)
            self._held, self._read_at = held, rt.clock.monotonic()
        return self._held


def _read(rt: Runtime, held: _Held, since: datetime) -> None:
    """Take in what is new or changed, newest first, and take out what was withdrawn or has grown old."""
    with rt.begin() as session:
        standing = search.standing(session, since=since)
    for gone in held.revisions.keys() - standing.keys():
        _forget(held, gone)
    changed = [one for one, told in standing.items() if held.revisions.get(one) != told]
    held.is_cut = held.is_cut and held.past.words > MAX_WORDS // 2
    for start in range(0, len(changed), BATCH):
        if held.past.words > MAX_WORDS:
            held.is_cut = True
            break
        with rt.begin() as session:
            rows = search.some(session, changed[start : start + BATCH])
        for row in rows:
            held.past.put(row.id, Reading(held.seen(row.document()), rt.analyser))
            held.revisions[row.id], held.published[row.id] = row.revision, row.published_at
    while held.past.words > MAX_WORDS:
        held.is_cut = True
        _forget(held, min(held.published, key=lambda one: held.published[one]))


def _forget(held: _Held, notice_id: int) -> None:
    held.past.discard(notice_id)
    held.revisions.pop(notice_id, None)
    held.published.pop(notice_id, None)


def _whole(document: Document) -> Document:
    return document


# For each database that this process has open one window of whole notices, and one of what topics look at
# where topics are edited; they go when the engine goes.
_windows: WeakKeyDictionary[Engine, dict[Seen, _Window]] = WeakKeyDictionary()
_windows_lock = threading.Lock()


def _window(rt: Runtime, seen: Seen = _whole) -> _Window:
    with _windows_lock:
        return _windows.setdefault(rt.engine, {}).setdefault(seen, _Window(seen))
