"""When a source may be asked again: publishers score readers on this.

Pure arithmetic over what is known; the caller writes the answer down before it sends the request. A next
check must never be sooner than 15 minutes, sooner than the publisher asked, or never.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=24)
WITHOUT_HISTORY = timedelta(hours=1)
FIRST_BACKOFF = timedelta(minutes=30)
LONGEST_BACKOFF = timedelta(days=7)
LONGEST_RETRY_AFTER = timedelta(days=2)
JITTER = 0.1
SIGHTINGS_TO_MOVE = 10
DAYS_TO_MOVE = timedelta(days=7)
_LOOK_BACK = 20  # gaps: a source's rhythm is what it does now, not what it did years ago

# However lively a source was once: (its newest entry is older than, ask no more often than).
_STEPS_FOR_AGE = (
    (timedelta(days=90), timedelta(hours=12)),
    (timedelta(days=30), timedelta(hours=6)),
    (timedelta(days=7), timedelta(hours=2)),
    (timedelta(days=2), timedelta(hours=1)),
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How long the publisher asks to wait, in seconds, by each of the ways there are; None where silent."""

    max_age_s: int | None = None
    expires_s: int | None = None
    ttl_s: int | None = None
    retry_after_s: int | None = None


def next_check(
    *,
    now: datetime,
    source_id: int | str,
    entry_dates: Sequence[datetime] = (),
    failures: int = 0,
    wishes: Wishes = Wishes(),
    is_told: bool = False,
) -> datetime:
    """When to ask next. `failures` counts errors in a row (0 after an answer), `entry_dates` in any order.

    After success: half the mean gap between entries, 15 min … 24 h, raised to what is asked for (≤ 24 h).
    After errors: 30 min doubling to 7 days, and at least Retry-After (≤ 2 days). Up to a tenth is added by
    `source_id`, so that sources added together do not stay together. A source whose news we are told
    (`is_told`) is asked once a day.
    """
    wait = _backoff(failures) if failures > 0 else LONGEST if is_told else _interval(now, entry_dates)
    wait = max(wait, SHORTEST, _asked_for(wishes))
    return now + wait * (1 + JITTER * _fraction(source_id))


def _interval(now: datetime, entry_dates: Sequence[datetime]) -> timedelta:
    dates = sorted({date for date in entry_dates if date <= now}, reverse=True)[: _LOOK_BACK + 1]
    gaps = [newer - older for newer, older in pairwise(dates)]
    half_gap = sum(gaps, timedelta()) / len(gaps) / 2 if gaps else WITHOUT_HISTORY
    age = now - dates[0] if dates else timedelta()
    step = next((at_least for older_than, at_least in _STEPS_FOR_AGE if age > older_than), SHORTEST)
    return min(max(half_gap, step, SHORTEST), LONGEST)


def _backoff(failures: int) -> timedelta:
    doublings = min(failures - 1, 20)
    return min(FIRST_BACKOFF * (1 << doublings), LONGEST_BACKOFF)


def _asked_for(wishes: Wishes) -> timedelta:
    lasting = asked_s(wishes)
    retry = min(wishes.retry_after_s or 0, int(LONGEST_RETRY_AFTER.total_seconds()))
    return max(min(timedelta(seconds=min(lasting, 86_400)), LONGEST), timedelta(seconds=retry))


def asked_s(wishes: Wishes) -> int:
    """For how many seconds an answer holds, by what its publisher says; 0 where nothing is said."""
    return max(wishes.max_age_s or 0, wishes.expires_s or 0, wishes.ttl_s or 0)


def after_outage(*, now: datetime, source_id: int | str) -> datetime:
    """When to ask again after a fault of our own line: soon, and not all at one moment."""
    return now + SHORTEST * (1 + _fraction(source_id))


def _fraction(source_id: int | str) -> float:
    """A number in [0, 1) that is always the same for one source."""
    digest = hashlib.sha256(str(source_id).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


@dataclass(frozen=True, slots=True)
class Move:
    """A permanent redirect seen so far: where to, how often the same, and since when."""

    location: str
    sightings: int
    first_seen: datetime


def note_move(known: Move | None, location: str, *, now: datetime) -> Move:
    """Count one more 301 or 308; another target starts the count again."""
    if known is None or known.location != location:
        return Move(location, 1, now)
    return Move(location, known.sightings + 1, known.first_seen)


def is_settled(move: Move, *, now: datetime) -> bool:
    """Whether the new address may replace the old one: 10 identical sightings over at least 7 days."""
    return move.sightings >= SIGHTINGS_TO_MOVE and now - move.first_seen >= DAYS_TO_MOVE
