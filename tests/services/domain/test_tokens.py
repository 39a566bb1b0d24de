"""A token serves its purpose, until its time, for nobody who changed it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import tokens
from services.errors import BadInput

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "a secret of sixteen or more"


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20), max_size=4))
def test_what_was_signed_is_read_back(payload: dict[str, int | str]) -> None:
    token = tokens.sign(SECRET, "confirm", payload)
    assert tokens.read(SECRET, "confirm", token, NOW) == payload


def test_a_token_is_one_word_for_a_url_and_always_the_same() -> None:
    token = tokens.sign(SECRET, "unsubscribe", {"s": 7, "l": "pl"})
    assert token == tokens.sign(SECRET.encode(), "unsubscribe", {"l": "pl", "s": 7})
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) < 64


def test_a_token_for_one_purpose_serves_no_other() -> None:
    token = tokens.sign(SECRET, "unsubscribe", {"s": 7})
    for secret, purpose in ((SECRET, "preferences"), ("another secret, long enough", "unsubscribe")):
        with pytest.raises(BadInput):
            tokens.read(secret, purpose, token, NOW)


def test_a_token_ends_at_its_time() -> None:
    token = tokens.sign(SECRET, "confirm", {"s": 7}, NOW)
    assert tokens.read(SECRET, "confirm", token, NOW - timedelta(seconds=1)) == {"s": 7}
    with pytest.raises(BadInput) as caught:
        tokens.read(SECRET, "confirm", token, NOW)
    assert caught.value.data == {"expired": True}


def test_a_token_changed_in_any_letter_is_refused() -> None:
    token = tokens.sign(SECRET, "confirm", {"s": 7}, NOW + timedelta(days=1))
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(BadInput):
            tokens.read(SECRET, "confirm", token[:place] + other + token[place + 1 :], NOW)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        tokens.read(SECRET, "confirm", text, NOW)


def test_an_overlong_text_is_refused() -> None:
    with pytest.raises(BadInput):
        tokens.read(SECRET, "confirm", "A" * 1_000_000, NOW)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="secret"):
        tokens.sign("", "confirm", {})
