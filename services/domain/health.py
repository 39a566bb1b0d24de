"""How well an endpoint is, and how much it may be sent: a slope instead of a cliff.

    healthy → degraded (a trickle) → paused (its backlog kept, a probe now and then) → disabled
                    ↑        one success leads from either to ↓
                    └──────────────────────────── recovering (at a growing quota) → healthy

Pure: what was answered goes in, the next standing comes out. Being asked to slow down is no failure.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FULL_QUOTA = 100  # calls to one endpoint in hand at once
RECOVERED_AT = 16  # the quota at which a recovery is over
DEGRADED_AFTER = 5  # failures in a row
TRICKLE_EVERY = timedelta(seconds=30)
PAUSED_AFTER = timedelta(hours=1)  # without one success
PROBE_EVERY = timedelta(minutes=10)
DISABLED_AFTER = timedelta(days=5)
WARNED_AT = (50, 70, 90)  # per cent of the way to being disabled


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    PAUSED = "paused"
    RECOVERING = "recovering"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Standing:
    """`quota` is how many calls may be under way at once; none begins before `next_at`.

    `failures` are in a row, the first of them at `failing_since`; `warned_at` is the last of WARNED_AT that
    the owner was told of.
    """

    health: Health = Health.HEALTHY
    quota: int = FULL_QUOTA
    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    warned_at: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of some calls to one endpoint: how many were taken and how many failed; `wait_s` when it
    asked to slow down, `is_gone` when it said that it is no more (410)."""

    taken: int = 0
    failed: int = 0
    wait_s: float | None = None
    is_gone: bool = False


def after(was: Standing, told: Answers, now: datetime) -> Standing:
    """The standing after these answers."""
    if told.is_gone:
        return replace(was, health=Health.DISABLED, failures=was.failures + 1)
    if was.health is Health.DISABLED:
        return was
    stands = _recovered(was, told.taken, now) if told.taken else was
    if told.failed and not told.taken:
        stands = _failed(was, told.failed, now)
    if told.wait_s is not None:
        later = now + timedelta(seconds=told.wait_s)
        stands = replace(stands, next_at=max(stands.next_at or later, later))
    return stands


def _recovered(was: Standing, taken: int, now: datetime) -> Standing:
    """The first success ends a trickle or a pause; each full round doubles the quota."""
    if was.health is Health.HEALTHY:  # a wait that it asked for goes on
        return Standing(next_at=was.next_at if was.next_at and was.next_at > now else None)
    quota = (
        2 if was.health is not Health.RECOVERING else was.quota * 2 if taken >= was.quota else was.quota + 1
    )
    return Standing() if quota >= RECOVERED_AT else Standing(Health.RECOVERING, quota)


def _failed(was: Standing, failed: int, now: datetime) -> Standing:
    since = was.failing_since or now
    stands = replace(was, failures=was.failures + failed, failing_since=since)
    if now - since >= DISABLED_AFTER:
        return replace(stands, health=Health.DISABLED)
    if now - since >= PAUSED_AFTER:
        return replace(stands, health=Health.PAUSED, quota=1, next_at=now + PROBE_EVERY)
    if was.health is not Health.HEALTHY or stands.failures >= DEGRADED_AFTER:
        return replace(stands, health=Health.DEGRADED, quota=1, next_at=now + TRICKLE_EVERY)
    return stands


def word_due(was: Standing, stands: Standing, now: datetime) -> str | None:
    """What the owner is to be told of this change, if anything: 50, 70, 90, disabled or recovered."""
    if stands.health is Health.DISABLED:
        return "disabled" if was.health is not Health.DISABLED else None
    if was.warned_at and stands.failing_since is None:
        return "recovered"
    mark = warning_due(stands, now)
    return None if mark is None else str(mark)


def warning_due(stands: Standing, now: datetime) -> int | None:
    """The per cent of the way to being disabled that the owner is to be told of now, if any."""
    if stands.failing_since is None or stands.health is Health.DISABLED:
        return None
    share = 100 * (now - stands.failing_since) / DISABLED_AFTER
    reached = [mark for mark in WARNED_AT if mark <= share]
    return reached[-1] if reached and reached[-1] > stands.warned_at else None
