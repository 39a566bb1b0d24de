"""How fast mail may leave: "at most so many a second" as evenly spaced turns, and a new sender's first days.

Pure: where the line stands is given and given back. Turns are never saved up, so no burst follows a pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

AHEAD = timedelta(seconds=2)  # how far ahead turns are given out; the rest is told to come later
WARM_UP_DAYS = 14
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """When the next turn is free, and where the line of those told to come later ends."""

    next_at: datetime
    line_at: datetime


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns for the first of those who wait, later times for the others, and where the line then stands."""

    soon: Sequence[datetime]
    later: Sequence[datetime]
    line: Line


def room(line: Line, now: datetime, per_second: float) -> int:
    """How many turns are free within `AHEAD`."""
    free = (now + AHEAD - max(line.next_at, now)) / timedelta(seconds=1)
    return max(0, int(-(-free * per_second // 1)))


def give(line: Line, now: datetime, per_second: float, wanted: int, *, first: int = 0) -> Turns:
    """So many turns, as they are free: those within `AHEAD`, and times to come again for the rest.

    The `first` of them stand in no line: they come again when the next turn is given out, before the others.
    """
    step, begin = timedelta(seconds=1 / per_second), max(line.next_at, now)
    soon = min(wanted, room(line, now, per_second))
    next_at = begin + soon * step
    end = max(line.line_at, next_at)
    hurried = max(0, first - soon)
    late = wanted - soon - hurried
    return Turns(
        [begin + number * step for number in range(soon)],
        [next_at - AHEAD / 2] * hurried + [end + number * step for number in range(late)],
        Line(next_at, end + late * step if late else line.line_at),
    )


def space(line: Line, now: datetime, per_second: float, wishes: Sequence[datetime]) -> Turns:
    """Turns for those who may not come before a time of their own; the times are in order."""
    step, free = timedelta(seconds=1 / per_second), max(line.next_at, now)
    soon = []
    for wish in wishes:
        soon.append(max(free, wish))
        free = soon[-1] + step
    return Turns(soon, [], Line(free, line.line_at))


def has_room_today(line: Line, now: datetime) -> bool:
    """Whether the turns that are given out leave something of the next twenty-four hours."""
    return line.next_at < now + DAY


def jumped(line: Line, per_second: float, number: int) -> Line:
    """The line after so many left out of turn: each counts, so all later ones come that much later."""
    later = number * timedelta(seconds=1 / per_second)
    return Line(line.next_at + later, line.line_at)


def warmed_up(per_second: float, since: date | None, today: date) -> float:
    """The pace of a sender that began on this day: doubled each day, whole on the fourteenth."""
    if since is None:
        return per_second
    to_go = WARM_UP_DAYS - 1 - max(0, (today - since).days)
    return per_second / 2.0 ** max(0, to_go)
