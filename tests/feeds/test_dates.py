from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import clamp, read_date


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Sat, 11 Apr 2026 15:51:08 +0000", "2026-04-11T15:51:08"),
        ("Sat, 11 Apr 2026 15:51:08 CEST", "2026-04-11T13:51:08"),
        ("Mon, 05 Jan 2026 10:00 CET", "2026-01-05T09:00:00"),
        ("Tue, 17 Feb 2026 18:03:07 EST", "2026-02-17T23:03:07"),
        ("Sat, 11 Apr 2026 15:51:08", "2026-04-11T13:51:08"),
        ("sob., 11 kwi 2026 12:00:00 +0200", "2026-04-11T10:00:00"),
        ("10 kwietnia 2026 10:54", "2026-04-10T08:54:00"),
        ("10 października 2026 r., godz. 9.05", "2026-10-10T07:05:00"),
        ("środa, 7 stycznia 2026", "2026-01-06T23:00:00"),
        ("10.04.2026 17:36", "2026-04-10T15:36:00"),
        ("05.10.2026", "2026-10-04T22:00:00"),
        ("5-10-2026 8:00", "2026-10-05T06:00:00"),
        ("12 IV 2026", "2026-04-11T22:00:00"),
        ("2026-04-11T10:00:00+02:00", "2026-04-11T08:00:00"),
        ("2026-04-11T10:00:00.123-0500", "2026-04-11T15:00:00"),
        ("2026-04-11T10:00:00Z", "2026-04-11T10:00:00"),
        ("2026-04-11 10:00", "2026-04-11T08:00:00"),
        ("20260411T100000Z", "2026-04-11T10:00:00"),
        ("2026-04-11", "2026-04-10T22:00:00"),
        ("2026/04/11 10:00 GMT", "2026-04-11T10:00:00"),
        ("April 11, 2026 3:30 PM GMT", "2026-04-11T15:30:00"),
        ("Sat Apr 11 15:51:08 CEST 2026", "2026-04-11T13:51:08"),
        ("Sat Apr 11 15:51:08 2026", "2026-04-11T13:51:08"),
        ("11 Apr 26 12:00 GMT+2", "2026-04-11T10:00:00"),
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00"),
    ],
)
def test_a_date_as_written_is_read_as_meant(raw: str, expected: str) -> None:
    assert read_date(raw) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "raw", ["", "not a date", "0000-00-00", "32.13.2026", "kwietnia 2026", "11 Foo 2026", None, 5, "9" * 200]
)
def test_what_is_no_date_gives_none(raw: object) -> None:
    assert read_date(raw) is None


def test_a_date_without_a_zone_is_local_time_of_its_source() -> None:
    assert read_date("2026-07-01 12:00", zone=ZoneInfo("Asia/Tokyo")) == datetime(2026, 7, 1, 3, tzinfo=UTC)


def test_a_date_in_the_future_is_clamped_to_now() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert clamp(now + timedelta(hours=1), now=now) == now
    assert clamp(now - timedelta(hours=1), now=now) == now - timedelta(hours=1)
    assert clamp(None, now=now) is None


@given(st.text(max_size=100))
def test_no_text_makes_reading_a_date_fail(raw: str) -> None:
    read_date(raw)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001  naive on purpose
def test_an_iso_date_in_utc_comes_back_the_same(at: datetime) -> None:
    aware = at.replace(tzinfo=UTC, microsecond=0)
    assert read_date(aware.isoformat()) == aware
