"""When mail may reach a reader: not in a pause, not in quiet hours, not past what they want in a day.

Pure rules over one reader's own settings and zone. What is urgent passes quiet hours and the daily budget,
never a pause: a pause is somebody's word.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.domain import cadence
from services.domain.cadence import Cadence, Rhythm
from services.errors import BadInput

CATCHUP = "catchup"
MAX_BUDGET = 200
MORNING = time(7)


@dataclass(frozen=True, slots=True)
class Reach:
    """A reader's settings; `quiet` is (from, until) in local time and may span midnight."""

    zone: str
    paused_until: datetime | None = None
    quiet: tuple[time, time] | None = None
    daily_budget: int | None = None


def held_until(reach: Reach, now: datetime, *, urgent: bool = False) -> datetime | None:
    """When a letter that could go now may go after all; None when nothing stands in its way."""
    if reach.paused_until is not None and reach.paused_until > now:
        return reach.paused_until
    if urgent or reach.quiet is None or not _is_quiet(reach.quiet, now, ZoneInfo(reach.zone)):
        return None
    return cadence.next_after(Cadence(Rhythm.DAILY, at=reach.quiet[1]), now, ZoneInfo(reach.zone))


def day_begins(reach: Reach, now: datetime) -> datetime:
    """The beginning of the reader's day, from which the daily budget counts."""
    local = now.astimezone(ZoneInfo(reach.zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


def next_day(reach: Reach, now: datetime) -> datetime:
    """When what was past the budget may come: in the morning of the next day, or when quiet hours end."""
    zone = ZoneInfo(reach.zone)
    morning = Cadence(Rhythm.DAILY, at=reach.quiet[1] if reach.quiet else MORNING)
    tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    return cadence.next_after(morning, tomorrow.astimezone(UTC) - timedelta(seconds=1), zone)


def quiet_hours(begins: str | None, ends: str | None) -> tuple[time, time] | None:
    """Quiet hours as typed, HH:MM; None when neither is given. Raises BadInput."""
    if not begins and not ends:
        return None
    if not begins or not ends:
        raise BadInput("Quiet hours need a beginning and an end, such as 22:00 and 07:00.", field="quiet")
    found = _time(begins), _time(ends)
    if found[0] == found[1]:
        raise BadInput("Quiet hours that begin when they end would never end.", field="quiet")
    return found


def budget(number: int | None) -> int | None:
    """The most stories a day; None is no limit. Raises BadInput."""
    if number is not None and not 1 <= number <= MAX_BUDGET:
        raise BadInput(f"The daily limit is a number from 1 to {MAX_BUDGET}.", field="daily_budget")
    return number


def _is_quiet(quiet: tuple[time, time], now: datetime, zone: ZoneInfo) -> bool:
    begins, ends = quiet
    at = now.astimezone(zone).time()
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def _time(text: str) -> time:
    try:
        if len(text.strip()) != 5:
            raise ValueError(text)
        return time.fromisoformat(text.strip())
    except ValueError as exc:
        raise BadInput(f"“{text[:20]}” is no time of day; write it like 22:00.", field="quiet") from exc
