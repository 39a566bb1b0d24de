"""When mail may come: quiet hours over midnight and a change of clocks, a pause, the reader's own day."""

from datetime import UTC, datetime, time

import pytest

from services.domain.reach import Reach, budget, day_begins, held_until, next_day, quiet_hours
from services.errors import BadInput

NIGHT = (time(22), time(7))


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (utc(11, 23, 20, 59), None),
        (utc(11, 23, 21, 0), utc(11, 24, 6)),
        (utc(11, 24, 5, 59), utc(11, 24, 6)),
        (utc(11, 24, 6, 0), None),
        # Clocks go forward in the night to 29 March, back in the night to 25 October.
        (utc(3, 28, 22), utc(3, 29, 5)),
        (utc(10, 24, 21), utc(10, 25, 6)),
    ],
)
def test_a_quiet_night_ends_at_seven_whatever_the_clocks_do(now: datetime, until: datetime | None) -> None:
    assert held_until(Reach("Europe/Warsaw", quiet=NIGHT), now) == until


def test_quiet_hours_by_day_do_not_reach_over_midnight() -> None:
    work = Reach("UTC", quiet=(time(9), time(17)))
    assert held_until(work, utc(11, 23, 12)) == utc(11, 23, 17)
    assert held_until(work, utc(11, 23, 18)) is None


def test_what_is_urgent_passes_quiet_hours_but_not_a_pause() -> None:
    night = utc(11, 23, 23)
    assert held_until(Reach("Europe/Warsaw", quiet=NIGHT), night, urgent=True) is None
    away = Reach("Europe/Warsaw", paused_until=utc(11, 30, 0), quiet=NIGHT)
    assert held_until(away, night, urgent=True) == utc(11, 30, 0)


def test_a_day_is_the_readers_own() -> None:
    auckland = Reach("Pacific/Auckland")
    assert day_begins(auckland, utc(11, 23, 12)) == utc(11, 23, 11)
    assert next_day(auckland, utc(11, 23, 12)) == utc(11, 24, 18)


def test_past_midnight_the_next_day_is_the_one_after() -> None:
    assert next_day(Reach("Europe/Warsaw"), utc(11, 23, 23, 30)) == utc(11, 25, 6)
    assert next_day(Reach("Europe/Warsaw", quiet=(time(20), time(9))), utc(11, 23, 12)) == utc(11, 24, 8)


@pytest.mark.parametrize("given", [("22:00", None), (None, "07:00"), ("25:00", "07:00"), ("22", "07:00"),
                                   ("07:00", "07:00"), ("noon!", "07:00")])  # fmt: skip
def test_quiet_hours_that_cannot_be_are_refused(given: tuple[str | None, str | None]) -> None:
    with pytest.raises(BadInput):
        quiet_hours(*given)


def test_no_quiet_hours_and_no_limit_are_fine() -> None:
    assert quiet_hours(None, "") is None
    assert budget(None) is None
    for number in (0, -1, 201):
        with pytest.raises(BadInput):
            budget(number)
