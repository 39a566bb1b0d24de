"""How often somebody wants to be told, in their own zone. Pure: time and zone come in, a time goes out.

`instant`, `hourly`, `daily@07:00`, `weekly:mon,thu@07:00`, `monthly:1@07:00`.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.errors import BadInput

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORMS = "instant, hourly, daily@07:00, weekly:mon,thu@07:00 or monthly:1@07:00"
_SHAPE = re.compile(r"(?P<rhythm>[a-z]+)(?::(?P<days>[a-z0-9,]*))?(?:@(?P<at>.*))?")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_LONGEST_WAIT_DAYS = 40


class Rhythm(StrEnum):
    INSTANT = "instant"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Cadence:
    """A rhythm; `days` are weekdays (Monday is 0) or days of the month, sorted; `at` is the local time."""

    rhythm: Rhythm
    days: tuple[int, ...] = ()
    at: time | None = None

    @property
    def is_instant(self) -> bool:
        return self.rhythm is Rhythm.INSTANT

    def __str__(self) -> str:
        days = [WEEKDAYS[day] if self.rhythm is Rhythm.WEEKLY else str(day) for day in self.days]
        chosen = f":{','.join(days)}" if days else ""
        return f"{self.rhythm}{chosen}" + (f"@{self.at:%H:%M}" if self.at else "")


def parse(text: str) -> Cadence:
    """Read a cadence; `str()` of the answer is its one form. Raises BadInput with what is wrong."""
    shape = _SHAPE.fullmatch("".join(text.split()).lower())
    if shape is None or shape["rhythm"] not in tuple(Rhythm):
        raise BadInput(f"unknown cadence {text[:60]!r}: use {_FORMS}", expected=_FORMS)
    rhythm = Rhythm(shape["rhythm"])
    if rhythm in (Rhythm.INSTANT, Rhythm.HOURLY):
        if shape["days"] is not None or shape["at"] is not None:
            raise BadInput(f"the cadence {rhythm} takes neither days nor a time")
        return Cadence(rhythm)
    return Cadence(rhythm, _days(rhythm, shape["days"]), _time(rhythm, shape["at"]))


def next_after(cadence: Cadence, at: datetime, zone: ZoneInfo) -> datetime:
    """The first time after `at` (aware) that a window closes, in UTC; never `at` itself.

    A local time that a change of the clocks leaves out fires at the first instant after the gap; one that
    comes twice fires at its first coming. A day that a month does not have is its last day. An instant
    cadence has no windows: asking is a mistake of the caller (ValueError).
    """
    match cadence.rhythm:
        case Rhythm.INSTANT:
            raise ValueError("an instant cadence has no windows")
        case Rhythm.HOURLY:
            return _next_hour(at, zone)
        case _:
            return _next_day(cadence, at, zone)


def _next_hour(at: datetime, zone: ZoneInfo) -> datetime:
    found = at.astimezone(UTC).replace(second=0, microsecond=0)
    while True:
        found += timedelta(minutes=60 - found.astimezone(zone).minute)
        if found.astimezone(zone).minute == 0:
            return found


def _next_day(cadence: Cadence, at: datetime, zone: ZoneInfo) -> datetime:
    assert cadence.at is not None
    day = at.astimezone(zone).date() - timedelta(days=2)
    for _ in range(_LONGEST_WAIT_DAYS):
        if _fires(cadence, day) and (found := _instant(datetime.combine(day, cadence.at), zone)) > at:
            return found
        day += timedelta(days=1)
    raise AssertionError("every cadence fires within a month")


def _fires(cadence: Cadence, day: date) -> bool:
    match cadence.rhythm:
        case Rhythm.WEEKLY:
            return day.weekday() in cadence.days
        case Rhythm.MONTHLY:
            last = calendar.monthrange(day.year, day.month)[1]
            return day.day in {min(wanted, last) for wanted in cadence.days}
        case _:
            return True


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC time of a local one; the end of the gap where the clocks leave it out."""
    late = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == local:
        return late
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change_between(early, late, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the later offset, by halving."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _days(rhythm: Rhythm, text: str | None) -> tuple[int, ...]:
    if rhythm is Rhythm.DAILY:
        if text is not None:
            raise BadInput("the cadence daily takes no days: write daily@07:00, or weekly:mon,thu@07:00")
        return ()
    if not text:
        example = "weekly:mon,thu@07:00" if rhythm is Rhythm.WEEKLY else "monthly:1@07:00"
        raise BadInput(f"the cadence {rhythm} needs its days: {example}")
    one = _weekday if rhythm is Rhythm.WEEKLY else _month_day
    return tuple(sorted({one(part) for part in text.split(",")}))


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise BadInput(f"unknown weekday {text!r}: use {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text)


def _month_day(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 31:
        raise BadInput(f"{text!r} is no day of a month: use 1 to 31")
    return int(text)


def _time(rhythm: Rhythm, text: str | None) -> time:
    if text is None:
        raise BadInput(f"the cadence {rhythm} needs its time: add @07:00")
    shape = _TIME.fullmatch(text)
    if shape is None:
        raise BadInput(f"{text[:20]!r} is no time of day: use 00:00 to 23:59, such as @07:00")
    return time(int(shape[1]), int(shape[2]))
