"""How far a source's hub is trusted, and when it is asked (W3C WebSub, seen from the subscriber). Pure.

A hub may let us poll less, never not at all: what a poll finds that it did not tell is held against it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

ASK_FOR_S = 10 * 86_400
RENEW_AT = 0.8  # of a lease
LONGEST_LEASE = timedelta(days=90)
VERIFY_WITHIN = timedelta(hours=1)  # of our asking; then we ask again
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=7)
SLOWER_THAN_A_POLL = timedelta(minutes=10)
PROVEN_AGAIN = 3  # pushes with news, after a miss


class Trust(StrEnum):
    WAITING = "waiting"  # it has not agreed, or its lease is over
    NEW = "new"  # it has agreed, and is yet to tell something
    TRUSTED = "trusted"
    DISTRUSTED = "distrusted"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a hub did so far: `good` pushes brought news since the last miss."""

    verified_at: datetime | None = None
    follows_until: datetime | None = None
    good: int = 0
    missed_at: datetime | None = None


def trust(stands: Standing, now: datetime) -> Trust:
    if stands.verified_at is None or stands.follows_until is None or stands.follows_until <= now:
        return Trust.WAITING
    if stands.missed_at is not None:
        return Trust.DISTRUSTED
    return Trust.TRUSTED if stands.good else Trust.NEW


def after_push(stands: Standing, now: datetime, *, has_news: bool) -> Standing:
    """A hub that was only slower than our own poll is forgiven; one that missed must prove itself again."""
    was_slow = stands.missed_at is not None and now - stands.missed_at <= SLOWER_THAN_A_POLL
    good = stands.good + (has_news or was_slow)
    is_proven = was_slow or good >= PROVEN_AGAIN
    return replace(stands, good=good, missed_at=None if is_proven else stands.missed_at)


def after_poll(
    stands: Standing, now: datetime, *, has_news: bool, checked_before: datetime | None
) -> Standing:
    """News that a poll found, and that came after the hub had agreed, were missed."""
    agreed = trust(stands, now) is not Trust.WAITING and stands.verified_at is not None
    if not (has_news and agreed and checked_before and stands.verified_at <= checked_before):  # type: ignore[operator]
        return stands
    return replace(stands, good=0, missed_at=now)


def lease(told_s: int | None) -> timedelta:
    """How long a hub says that it will tell us; what it does not say is what we asked for."""
    return min(timedelta(seconds=told_s if told_s else ASK_FOR_S), LONGEST_LEASE)


def ask_again_at(attempts: int, now: datetime) -> datetime:
    """After so many failed askings in a row: an hour, doubling to a week, never for ever."""
    return now + min(FIRST_WAIT * (1 << min(max(attempts - 1, 0), 10)), LONGEST_WAIT)
