"""A year of digests in five zones: every window once, at its hour on the wall, whatever the clocks do."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.clock import FrozenClock
from services.domain import cadence
from services.domain.reach import Reach
from services.pipeline import compose, match
from services.pipeline.windows import closes_at, move_on
from services.runtime import Runtime
from services.storage.issues import Window
from tests.factories import draft, only, publish, reader, rows

ZONES = (
    "Europe/Warsaw", "Europe/London", "Asia/Kathmandu", "Pacific/Auckland", "Australia/Lord_Howe",
)  # fmt: skip
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
    assert odd == set()  # clocks change on Sundays
    assert all(one.since == before.due_at for before, one in pairwise(closed))


# The hours that the clocks of 2026 leave out, and those that they show twice: 02:30 in Warsaw, and so on.
GAPS = {
    "Europe/Warsaw": ("02:30", "2026-03-29T03:00+02:00"),
    "Europe/London": ("01:30", "2026-03-29T02:00+01:00"),
    "Pacific/Auckland": ("02:30", "2026-09-27T03:00+13:00"),
    "Australia/Lord_Howe": ("02:15", "2026-10-04T02:30+11:00"),  # it moves by half an hour
}
FOLDS = {
    "Europe/Warsaw": ("02:30", "2026-10-25T02:30+02:00"),
    "Europe/London": ("01:30", "2026-10-25T01:30+01:00"),
    "Pacific/Auckland": ("02:30", "2026-04-05T02:30+13:00"),
    "Australia/Lord_Howe": ("01:45", "2026-04-05T01:45+11:00"),
}


@pytest.mark.parametrize("every", ["daily", "weekly:sun"])
@pytest.mark.parametrize("zone", GAPS)
def test_a_window_in_the_gap_closes_once_when_it_ends(zone: str, every: str) -> None:
    hour, moved = GAPS[zone]
    local = closings(f"{every}@{hour}", zone)
    assert [at.isoformat(timespec="minutes") for at in local if f"{at:%H:%M}" != hour] == [moved]
    assert len({at.date() for at in local}) == len(local) >= 52


@pytest.mark.parametrize("every", ["daily", "weekly:sun"])
@pytest.mark.parametrize("zone", FOLDS)
def test_a_window_whose_hour_comes_twice_closes_at_the_first(zone: str, every: str) -> None:
    hour, first = FOLDS[zone]
    local = closings(f"{every}@{hour}", zone)
    assert len({at.date() for at in local}) == len(local) >= 52
    assert first in [at.isoformat(timespec="minutes") for at in local]


def closings(rule: str, zone: str) -> list[datetime]:
    """When the windows of 2026 close, by the clock on the wall."""
    return [one.due_at.astimezone(ZoneInfo(zone)) for one in year(rule, zone)]


# A day and a half before and after every change of clocks in these zones: 2026 has five such Sundays.
CHANGES = (date(2026, 3, 29), date(2026, 4, 5), date(2026, 9, 27), date(2026, 10, 4), date(2026, 10, 25))
RULES = ("daily@07:00", "daily@02:30", "daily@01:45", "weekly:sun@02:15")


@pytest.fixture
def readers(rt: Runtime, clock: FrozenClock) -> Callable[[date], dict[int, tuple[str, str]]]:
    """{reader: (rule, zone)}, signed up at noon (UTC) two days before a change of clocks."""

    def sign_up(change: date) -> dict[int, tuple[str, str]]:
        clock.set(datetime.combine(change, time(12), UTC) - timedelta(days=2))
        pairs = [(rule, zone) for rule in RULES for zone in ZONES]
        return {
            reader(rt, f"r{number}@mail.example", cadence=rule, timezone=zone).id: (rule, zone)
            for number, (rule, zone) in enumerate(pairs)
        }

    return sign_up


def turn(rt: Runtime, clock: FrozenClock, until: datetime) -> None:
    """Let time pass from one due window to the next, with a notice every twelve hours."""
    told = clock.now()
    while clock.now() < until:
        publish(rt, draft(clock.now().isoformat()))
        match.run(rt)
        told += timedelta(hours=12)
        while (due := only(rt, "SELECT min(due_at) AS at FROM rhythms")["at"]) <= told:
            clock.set(due + timedelta(seconds=3))
            compose.run(rt)
        clock.set(told)


def digests_of(rt: Runtime, subscriber_id: int) -> list[datetime]:
    found = rows(rt, "SELECT created_at FROM issues WHERE subscriber_id = :id ORDER BY id", id=subscriber_id)
    return [row["created_at"] for row in found]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_letters_around_every_change_of_clocks_come_once_and_at_their_hour(
    rt: Runtime, clock: FrozenClock, change: date, readers: Callable[[date], dict[int, tuple[str, str]]]
) -> None:
    people = readers(change)
    begin = clock.now()
    turn(rt, clock, begin + timedelta(days=4))

    for subscriber_id, (rule, zone) in people.items():
        told = [at - timedelta(seconds=3) for at in digests_of(rt, subscriber_id)]
        wanted, at = [], begin
        while (at := cadence.next_after(cadence.parse(rule), at, ZoneInfo(zone))) <= clock.now():
            wanted.append(at)
        assert told == wanted, (rule, zone)
        days = [one.astimezone(ZoneInfo(zone)).date() for one in told]
        assert len(set(days)) == len(days) == (1 if rule.startswith("weekly") else 4), (rule, zone)
    assert rows(rt, "SELECT FROM issue_items GROUP BY subscriber_id, event_id HAVING count(*) > 1") == []


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_three_days_asleep_across_a_change_of_clocks_are_made_up_once(
    rt: Runtime, clock: FrozenClock, change: date, readers: Callable[[date], dict[int, tuple[str, str]]]
) -> None:
    people = readers(change)
    woken = clock.now() + timedelta(days=3)
    for number in range(6):  # told while nobody composes
        clock.advance(timedelta(hours=12))
        publish(rt, draft(str(number)))
    match.run(rt)
    clock.set(woken)
    compose.run(rt)
    compose.run(rt)

    for subscriber_id, (rule, zone) in people.items():
        (letter,) = rows(rt, "SELECT id FROM issues WHERE subscriber_id = :id", id=subscriber_id)
        assert (
            only(rt, "SELECT count(*) AS n FROM issue_items WHERE issue_id = :id", id=letter["id"])["n"] == 6
        )
        (rhythm,) = rows(
            rt, "SELECT due_at FROM rhythms WHERE subscriber_id = :id AND cadence = :rule",
            id=subscriber_id, rule=rule,
        )  # fmt: skip
        assert rhythm["due_at"] == cadence.next_after(cadence.parse(rule), woken, ZoneInfo(zone))


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
