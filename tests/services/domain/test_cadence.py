"""Windows close at the subscriber's own time, also on the days when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.cadence import next_after, parse
from services.errors import BadInput

WARSAW = ZoneInfo("Europe/Warsaw")
RHYTHMS = (
    "hourly",
    "daily@07:00",
    "daily@02:30",
    "weekly:mon,thu@00:00",
    "monthly:31@23:59",
    "monthly:1,15@02:00",
)


def local_next(cadence: str, at: str, zone: str = "Europe/Warsaw") -> str:
    """The next time as clocks on the wall show it, offset included."""
    found = next_after(parse(cadence), datetime.fromisoformat(at), ZoneInfo(zone))
    assert found.tzinfo is UTC
    return found.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("instant", "instant"),
        (" Hourly ", "hourly"),
        ("daily@7:00", "daily@07:00"),
        ("weekly:thu,mon,thu@07:00", "weekly:mon,thu@07:00"),
        ("monthly:31,1@23:59", "monthly:1,31@23:59"),
    ],
)
def test_a_cadence_has_one_form(typed: str, form: str) -> None:
    assert str(parse(typed)) == form
    assert parse(form) == parse(typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "unknown cadence"),
        ("yearly@07:00", "unknown cadence"),
        ("daily", "needs its time"),
        ("daily@24:00", "no time of day"),
        ("daily@07:60", "no time of day"),
        ("daily:mon@07:00", "takes no days"),
        ("weekly@07:00", "needs its days"),
        ("weekly:@07:00", "needs its days"),
        ("weekly:moon@07:00", "unknown weekday"),
        ("monthly:0@07:00", "no day of a month"),
        ("monthly:32@07:00", "no day of a month"),
        ("hourly@07:00", "neither days nor a time"),
        ("instant:mon", "neither days nor a time"),
        ("daily@07:00\n@08:00", "no time of day"),
    ],
)
def test_a_cadence_that_cannot_be_read_says_why(typed: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse(typed)


@pytest.mark.parametrize(
    ("cadence", "at", "expected"),
    [
        ("hourly", "2026-11-23T12:00:00+01:00", "2026-11-23T13:00+01:00"),
        ("daily@07:00", "2026-11-23T06:59:59+01:00", "2026-11-23T07:00+01:00"),
        ("daily@07:00", "2026-11-23T07:00:00+01:00", "2026-11-24T07:00+01:00"),
        ("weekly:mon,thu@07:00", "2026-11-23T07:00:00+01:00", "2026-11-26T07:00+01:00"),
        ("monthly:1@07:00", "2026-12-15T12:00:00+01:00", "2027-01-01T07:00+01:00"),
        ("monthly:31@07:00", "2026-02-01T12:00:00+01:00", "2026-02-28T07:00+01:00"),
        ("monthly:31@07:00", "2028-02-01T12:00:00+01:00", "2028-02-29T07:00+01:00"),
        ("monthly:30,31@07:00", "2026-02-28T07:00:00+01:00", "2026-03-30T07:00+02:00"),
    ],
)
def test_the_next_window_closes_at_the_local_time(cadence: str, at: str, expected: str) -> None:
    assert local_next(cadence, at) == expected


def test_a_time_that_the_clocks_leave_out_fires_at_the_end_of_the_gap() -> None:
    assert local_next("daily@02:30", "2026-03-28T12:00:00+01:00") == "2026-03-29T03:00+02:00"
    assert local_next("daily@02:30", "2026-03-29T03:00:00+02:00") == "2026-03-30T02:30+02:00"


def test_a_time_that_comes_twice_fires_once_at_its_first_coming() -> None:
    assert local_next("daily@02:30", "2026-10-24T12:00:00+02:00") == "2026-10-25T02:30+02:00"
    assert local_next("daily@02:30", "2026-10-25T02:30:00+02:00") == "2026-10-26T02:30+01:00"
    assert local_next("daily@02:30", "2026-10-25T02:15:00+01:00") == "2026-10-26T02:30+01:00"


def test_hours_go_on_through_a_change_of_the_clocks() -> None:
    assert local_next("hourly", "2026-10-25T02:00:00+02:00") == "2026-10-25T02:00+01:00"
    assert local_next("hourly", "2026-03-29T01:30:00+01:00") == "2026-03-29T03:00+02:00"


def test_odd_zones_keep_their_own_hours_and_midnights() -> None:
    assert local_next("hourly", "2026-11-23T12:10:00+05:45", "Asia/Kathmandu") == "2026-11-23T13:00+05:45"
    assert (
        local_next("hourly", "2026-04-05T01:30:00+11:00", "Australia/Lord_Howe") == "2026-04-05T02:00+10:30"
    )
    assert local_next("daily@00:00", "2026-09-05T12:00:00-04:00", "America/Santiago") == (
        "2026-09-06T01:00-03:00"
    )
    assert local_next("daily@07:00", "2011-12-29T08:00:00-10:00", "Pacific/Apia") == "2011-12-31T00:00+14:00"


def test_an_instant_cadence_has_no_windows() -> None:
    with pytest.raises(ValueError, match="no windows"):
        next_after(parse("instant"), datetime(2026, 11, 23, tzinfo=UTC), WARSAW)


@given(
    st.sampled_from(RHYTHMS),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(("Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")),
)
def test_windows_follow_each_other_without_end_and_none_lies_between(
    cadence: str, at: datetime, zone: str
) -> None:
    rule, where = parse(cadence), ZoneInfo(zone)
    found = next_after(rule, at, where)
    assert at < found <= at + timedelta(days=32)
    assert next_after(rule, found - timedelta(seconds=1), where) == found
    assert next_after(rule, at + (found - at) / 2, where) == found
