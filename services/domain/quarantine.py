"""When a reading of a source is held back before people are mailed, and why.

A publisher who moves a site can make everything new at once; whoever is subscribed would get it all. Must
never hold what a quiet source usually does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

KNOWN_ENOUGH = 5  # notices of a source before its habits can be told
FAR_AHEAD = timedelta(hours=24)  # less is a wrong clock, which is put right by itself
FLOOD = 5
LEAST_FLOOD = 10
LEAST_FUTURE = 2
RATE_OVER = timedelta(days=30)


class Reason(StrEnum):
    CHURN = "churn"
    FLOOD = "flood"
    FUTURE = "future"
    EMPTY = "empty"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Batch:
    """What a reading brings, beside what is known of its source.

    `usual` is how many new entries the source brings in the time that has passed; `new_ahead` counts the new
    ones dated more than a day after the reading; languages are codes, None where they are not plain.
    """

    entries: int
    new: int
    new_dated: int
    new_ahead: int
    known: int
    usual: float
    new_language: str | None = None
    usual_language: str | None = None


def judge(batch: Batch) -> Reason | None:
    """Why this reading is to be held, None when it is as usual."""
    if batch.entries == 0:
        return Reason.EMPTY if batch.known else None
    if batch.new_dated >= LEAST_FUTURE and batch.new_ahead == batch.new_dated == batch.new:
        return Reason.FUTURE
    if batch.known < KNOWN_ENOUGH or not batch.new:
        return None
    if batch.new > LEAST_FLOOD and batch.new > FLOOD * batch.usual:
        return Reason.FLOOD
    if batch.entries >= KNOWN_ENOUGH and batch.new > batch.entries / 2 and batch.new > 2 * batch.usual:
        return Reason.CHURN
    if batch.new_language and batch.usual_language and batch.new_language != batch.usual_language:
        return Reason.LANGUAGE
    return None


def usual_number(recent: Sequence[datetime], *, since: datetime, now: datetime) -> float:
    """How many entries a source brings between two times, by the dates of its last ones."""
    if not recent:
        return 0.0
    span = max(max(recent) - min(recent), timedelta(0))
    days = span / timedelta(days=1) if span > timedelta(hours=1) else RATE_OVER / timedelta(days=1)
    return len(recent) / days * max((now - since) / timedelta(days=1), 0.0)


def learned_skew_s(ahead_s: Sequence[int]) -> int:
    """By how many seconds a source's clock is ahead, in half hours; 0 when that is not plain.

    Local time stamped as UTC puts everything new one or two hours into the future; a date that is days ahead
    is something else.
    """
    ahead = sorted(one for one in ahead_s if one > 0)
    if len(ahead) < 2 or ahead[-1] > 14 * 3_600:
        return 0
    return -(-ahead[len(ahead) // 2] // 1_800) * 1_800
