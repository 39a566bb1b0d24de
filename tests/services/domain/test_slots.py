"""Personal places are filled completely, escaped for HTML, and cannot be imitated from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import slots

SALT = "0123456789abcdef"


def test_a_reader_gets_the_values_in_their_places() -> None:
    body = f"Because: {slots.text_marker('why:0', SALT)}\nLeave: {slots.text_marker('unsubscribe_url', SALT)}"
    filled = slots.fill(body, SALT, {"why:0": "topic:funding", "unsubscribe_url": "https://a.example/u/x"})
    assert filled == "Because: topic:funding\nLeave: https://a.example/u/x"


def test_html_values_are_escaped_and_text_values_stay_on_one_line() -> None:
    values = {"why:0": 'a "<b>" & c\nsecond'}
    assert slots.fill(slots.html_marker("why:0", SALT), SALT, values) == (
        "a &quot;&lt;b&gt;&quot; &amp; c\nsecond"
    )
    assert slots.fill(slots.text_marker("why:0", SALT), SALT, values) == 'a "<b>" & c second'


def test_a_missing_value_stops_the_body_from_leaving() -> None:
    with pytest.raises(slots.SlotError, match="unsubscribe_url"):
        slots.fill(slots.html_marker("unsubscribe_url", SALT), SALT, {})


def test_a_value_that_looks_like_a_marker_is_not_filled_again() -> None:
    marker = slots.text_marker("why:1", SALT)
    assert slots.fill(slots.text_marker("why:0", SALT), SALT, {"why:0": marker, "why:1": "secret"}) == marker


def test_a_marker_with_another_salt_is_plain_text() -> None:
    foreign = slots.text_marker("unsubscribe_url", "f" * 16)
    assert slots.fill(foreign, SALT, {}) == foreign


def test_salts_differ_each_time() -> None:
    assert len({slots.new_salt() for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["Why", "why:", "a b", "", "why:0]]", "x" * 3 + ".y"])
def test_a_name_that_is_not_a_slots_is_refused(name: str) -> None:
    with pytest.raises(slots.SlotError):
        slots.text_marker(name, SALT)


def test_the_slots_of_a_body_can_be_listed() -> None:
    body = slots.html_marker("why:0", SALT) + slots.html_marker("less:0", SALT)
    assert slots.slots_in(body, SALT) == {"why:0", "less:0"}
    assert slots.slots_in(body, "") == frozenset()


@given(st.text(), st.text(), st.text())
def test_whatever_stands_around_a_slot_is_left_alone(before: str, value: str, after: str) -> None:
    body = before + slots.html_marker("why:0", SALT) + after
    markers = slots.substitutions(body, SALT, {"why:0": value})
    expected = before + next(iter(markers.values())) + after
    assert slots.fill(body, SALT, {"why:0": value}) == expected
