from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.politeness import Move, Wishes, is_settled, next_check, note_move

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wait(**known: object) -> timedelta:
    return next_check(now=NOW, source_id=7, **known) - NOW  # type: ignore[arg-type]


def assert_about(waited: timedelta, expected: timedelta) -> None:
    assert expected <= waited <= expected * 1.1


def test_a_source_is_asked_at_half_the_mean_gap_between_its_entries() -> None:
    assert_about(wait(entry_dates=[NOW - 2 * HOUR * number for number in range(10)]), HOUR)


def test_a_lively_source_is_asked_every_15_minutes_and_no_more() -> None:
    assert_about(wait(entry_dates=[NOW - MINUTE * number for number in range(10)]), 15 * MINUTE)


def test_a_slow_source_is_asked_daily() -> None:
    assert_about(wait(entry_dates=[NOW - 30 * DAY * number for number in range(10)]), DAY)


def test_a_source_that_fell_silent_is_asked_less_often() -> None:
    burst = [NOW - 40 * DAY - MINUTE * number for number in range(10)]
    assert_about(wait(entry_dates=burst), 6 * HOUR)


def test_a_source_without_history_is_asked_hourly() -> None:
    assert_about(wait(), HOUR)


@pytest.mark.parametrize("wishes", [Wishes(max_age_s=7200), Wishes(expires_s=7200), Wishes(ttl_s=7200)])
def test_what_the_publisher_asks_raises_the_interval(wishes: Wishes) -> None:
    assert_about(wait(wishes=wishes), 2 * HOUR)


def test_what_the_publisher_asks_cannot_silence_a_source_for_more_than_a_day() -> None:
    assert_about(wait(wishes=Wishes(max_age_s=31_536_000)), DAY)


@pytest.mark.parametrize(
    ("failures", "expected"), [(1, 30 * MINUTE), (2, HOUR), (5, 8 * HOUR), (10, 7 * DAY), (10_000, 7 * DAY)]
)
def test_errors_double_the_wait_up_to_a_week(failures: int, expected: timedelta) -> None:
    assert_about(wait(failures=failures), expected)


def test_retry_after_is_kept_up_to_two_days() -> None:
    assert_about(wait(failures=1, wishes=Wishes(retry_after_s=5 * 3600)), 5 * HOUR)
    assert_about(wait(failures=1, wishes=Wishes(retry_after_s=30 * 86_400)), 2 * DAY)


def test_sources_added_together_do_not_stay_together() -> None:
    assert len({next_check(now=NOW, source_id=number) for number in range(50)}) > 40
    assert next_check(now=NOW, source_id=1) == next_check(now=NOW, source_id=1)


@given(
    st.lists(st.datetimes(timezones=st.just(UTC)), max_size=30),
    st.integers(0, 50),
    st.builds(Wishes, *[st.none() | st.integers(0, 10**10)] * 4),
)
def test_no_check_is_sooner_than_15_minutes_nor_later_than_8_days(
    dates: list[datetime], failures: int, wishes: Wishes
) -> None:
    waited = wait(entry_dates=dates, failures=failures, wishes=wishes)
    assert 15 * MINUTE <= waited <= 8 * DAY


def test_a_permanent_redirect_is_believed_after_ten_sightings_over_a_week() -> None:
    move: Move | None = None
    for number in range(10):
        move = note_move(move, "https://new.example/", now=NOW + number * DAY)
    assert move is not None
    assert is_settled(move, now=NOW + 9 * DAY)
    assert not is_settled(Move("https://new.example/", 10, NOW), now=NOW + 6 * DAY)
    assert not is_settled(Move("https://new.example/", 9, NOW), now=NOW + 60 * DAY)


def test_another_target_starts_the_count_again() -> None:
    known = Move("https://new.example/", 9, NOW - 30 * DAY)
    assert note_move(known, "https://other.example/", now=NOW) == Move("https://other.example/", 1, NOW)
