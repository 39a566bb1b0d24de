"""At most so many a second, however they come; and a new sender's first days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.pace import AHEAD, Line, give, room, space, warmed_up

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDLE = Line(NOW - timedelta(hours=3), NOW - timedelta(hours=3))


def most_in_a_second(times: list[datetime]) -> int:
    return max(sum(one <= other < one + timedelta(seconds=1) for other in times) for one in times)


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 30)), min_size=1, max_size=15),
)
def test_no_second_sees_more_than_the_limit(per_second: int, arrivals: list[tuple[int, int]]) -> None:
    left: list[datetime] = []
    line, now = IDLE, NOW
    for after_ms, wanted in arrivals:
        now += timedelta(milliseconds=after_ms)
        given = give(line, now, per_second, wanted)
        line = given.line
        left += given.soon
        assert len(given.soon) + len(given.later) == wanted
        assert all(now <= one < now + AHEAD for one in given.soon)
    assert not left or most_in_a_second(left) <= per_second + 1  # a step is rounded to a microsecond


def test_a_pause_saves_up_no_burst() -> None:
    assert room(IDLE, NOW, 5) == 10
    assert give(IDLE, NOW, 5, 3).soon == [NOW, NOW + timedelta(seconds=0.2), NOW + timedelta(seconds=0.4)]


def test_who_finds_no_turn_is_told_times_at_the_same_pace_behind_the_others() -> None:
    first = give(IDLE, NOW, 2, 6)
    second = give(first.line, NOW, 2, 2)

    assert [(one - NOW).total_seconds() for one in first.later] == [2.0, 2.5]
    assert [(one - NOW).total_seconds() for one in second.later] == [3.0, 3.5]


def test_a_time_of_ones_own_keeps_the_pace_of_all() -> None:
    at = [NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=1)]
    turns = space(IDLE, NOW, 10, at)
    assert [(one - NOW).total_seconds() for one in turns.soon] == [0.0, 1.0, 1.1]


@pytest.mark.parametrize(("day", "pace"), [(1, 10 / 2**13), (2, 10 / 2**12), (13, 5), (14, 10), (40, 10)])
def test_a_new_sender_doubles_its_pace_each_day(day: int, pace: float) -> None:
    first = date(2026, 12, 1)
    assert warmed_up(10, first, first + timedelta(days=day - 1)) == pace
    assert warmed_up(10, None, first) == 10


def test_who_is_awaited_comes_again_before_the_line_of_the_others() -> None:
    line = give(IDLE, NOW, 0.1, 300).line
    turns = give(line, NOW + timedelta(seconds=5), 0.1, 2, first=1)

    assert turns.soon == []
    assert [(one - NOW).total_seconds() for one in turns.later] == [9.0, 3_000.0]
    assert give(turns.line, NOW + timedelta(seconds=9), 0.1, 1, first=1).soon == [NOW + timedelta(seconds=10)]
