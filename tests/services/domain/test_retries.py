"""Retries follow the schedule, spread out, end some day, and heed the receiver."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.retries import MAX_RETRY_AFTER_S, SCHEDULE_S, next_attempt_at, read_retry_after, spread

NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(st.uuids().map(str), st.integers(min_value=1, max_value=9))
def test_each_wait_is_within_a_fifth_of_the_schedule(key: str, attempts: int) -> None:
    due = next_attempt_at(attempts, NOW, key=key)
    assert due is not None
    wait_s = (due - NOW).total_seconds()
    assert 0.8 * SCHEDULE_S[attempts] - 0.001 <= wait_s <= 1.2 * SCHEDULE_S[attempts] + 0.001


def test_the_first_attempt_is_at_once_and_after_the_tenth_it_is_over() -> None:
    assert next_attempt_at(0, NOW, key="a") == NOW
    assert next_attempt_at(9, NOW, key="a") is not None
    assert next_attempt_at(10, NOW, key="a") is None
    assert next_attempt_at(10, NOW, key="a", retry_after_s=60) is None


def test_the_same_attempt_always_has_the_same_time_and_deliveries_spread() -> None:
    assert spread("a", 3) == spread("a", 3)
    values = [spread(str(number), 1) for number in range(1000)]
    assert -1 <= min(values) < -0.9
    assert 0.9 < max(values) <= 1
    assert abs(sum(values)) < 100


def test_the_receivers_wish_makes_the_wait_longer_never_shorter() -> None:
    assert next_attempt_at(1, NOW, key="a", retry_after_s=90) == NOW + timedelta(seconds=90)
    assert next_attempt_at(4, NOW, key="a", retry_after_s=1) == next_attempt_at(4, NOW, key="a")
    assert next_attempt_at(1, NOW, key="a", retry_after_s=1e9) == NOW + timedelta(hours=24)


def test_an_endpoint_may_have_its_own_schedule() -> None:
    assert next_attempt_at(1, NOW, key="a", schedule_s=(0, 0)) == NOW
    assert next_attempt_at(2, NOW, key="a", schedule_s=(0, 0)) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 50, MAX_RETRY_AFTER_S),
        ("Sun, 25 Oct 2026 00:31:00 GMT", 60),
        ("Sun, 25 Oct 2026 00:31:00 -0000", 60),
        ("Sun, 25 Oct 2020 00:00:00 GMT", 0),
        ("Sun, 25 Oct 2099 00:00:00 GMT", MAX_RETRY_AFTER_S),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("Sun, 99 Oct 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_ends_in_a_bounded_wait_or_none(value: str) -> None:
    seconds = read_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S
