"""A year of digests in four zones: every window once, at its hour on the wall, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.clock import FrozenClock
from services.domain import cadence
from services.domain.reach import Reach
from services.pipeline import compose
from services.pipeline.windows import closes_at, move_on
from services.runtime import Runtime
from services.storage.issues import Window
from tests.factories import only, reader, rows

ZONES = ("Europe/Warsaw", "Europe/London", "Asia/Kathmandu", "Pacific/Auckland")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


def year(rule: str, zone: str, *, asleep: tuple[datetime, datetime] | None = None) -> list[Window]:
    """Every window that closes in 2026, taken up some seconds late, as by a sweep; none while asleep."""
    rhythm, place = cadence.parse(rule), ZoneInfo(zone)
    due = cadence.next_after(rhythm, BEGIN, place)
    window = Window(1, 1, rule, zone, BEGIN, due, True, Reach(zone))
    closed = []
    while window.due_at < END:
        now = window.due_at + timedelta(seconds=7)
        if asleep and asleep[0] <= now < asleep[1]:
            now = asleep[1]
        until = closes_at(window, now)
        closed.append(Window(1, 1, rule, zone, window.since, until, True, window.reach))
        _, since, due = move_on(window, now, None)
        window = Window(1, 1, rule, zone, since, due, True, window.reach)
    return closed


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("rule", "days"), [("daily@07:00", 365), ("weekly:mon,thu@02:30", 105)])
def test_every_window_of_a_year_closes_once_at_its_hour(zone: str, rule: str, days: int) -> None:
    closed = year(rule, zone)
    local = [one.due_at.astimezone(ZoneInfo(zone)) for one in closed]

    assert len({at.date() for at in local}) == len(local)
    assert abs(len(local) - days) <= 1  # the year of the zone is not that of UTC
    hour = "07:00" if rule.startswith("daily") else "02:30"
    odd = {at.date() for at in local if f"{at:%H:%M}" != hour}
    # Only where the clocks leave 02:30 out, on a Monday or Thursday, does it close at the end of the gap.
    assert odd <= {date(2026, 3, 29), date(2026, 9, 27)}
    assert all(one.since == before.due_at for before, one in pairwise(closed))


@pytest.mark.parametrize("zone", ZONES)
def test_days_asleep_end_in_one_window_that_covers_them_all(zone: str) -> None:
    asleep = datetime(2026, 3, 20, 12, tzinfo=UTC), datetime(2026, 4, 12, 12, tzinfo=UTC)
    closed = year("daily@07:00", zone, asleep=asleep)

    long = [one for one in closed if one.due_at - one.since > timedelta(days=2)]
    assert len(long) == 1
    assert long[0].since <= asleep[0] < asleep[1] - timedelta(days=1) <= long[0].due_at
    assert len({one.due_at for one in closed}) == len(closed)
    assert all(one.since == before.due_at for before, one in pairwise(closed))


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("Pacific/Auckland", datetime(2026, 4, 3, tzinfo=UTC)),
        ("Europe/London", datetime(2026, 10, 23, tzinfo=UTC)),
    ],
)
def test_the_rows_of_a_week_with_a_change_of_clocks_close_at_the_hour_on_the_wall(
    rt: Runtime, clock: FrozenClock, zone: str, begin: datetime
) -> None:
    clock.set(begin)
    reader(rt, cadence="daily@07:00", timezone=zone)
    for _ in range(7):
        due = only(rt, "SELECT due_at FROM rhythms")["due_at"]
        assert f"{due.astimezone(ZoneInfo(zone)):%H:%M}" == "07:00"
        clock.set(due)
        assert compose.run(rt) == 0
        assert compose.compose_digests(rt) is None
    assert rows(rt, "SELECT since FROM rhythms")[0]["since"] == due
