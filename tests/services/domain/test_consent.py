"""Consent is what the receiver says it is, and no more is read into an answer than stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import consent
from services.domain.consent import State

US = "goniec.example"


def read(status: int = 200, **headers: str) -> consent.Consent:
    told = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return consent.read(status, told.get, US)


@pytest.mark.parametrize(
    ("rate", "per_min"),
    [
        ("120", 120),
        (" 1 ", 1),
        ("*", None),
        (None, None),
        ("0", None),
        ("-5", None),
        ("1e9", None),
        ("²", None),
    ],
)
def test_the_allowed_rate_is_calls_a_minute(rate: str | None, per_min: int | None) -> None:
    headers = {} if rate is None else {"WebHook_Allowed_Rate": rate}
    told = read(200, WebHook_Allowed_Origin="*", **headers)
    assert (told.state, told.per_min) == (State.GRANTED, per_min)


@pytest.mark.parametrize("origin", [US, "GONIEC.example", "*"])
def test_our_own_origin_or_a_star_is_consent(origin: str) -> None:
    assert read(204, WebHook_Allowed_Origin=origin).state is State.GRANTED


@pytest.mark.parametrize("origin", ["other.example", "goniec.example.evil", f"{US}, other.example"])
def test_another_origin_is_a_refusal_that_names_it(origin: str) -> None:
    told = read(WebHook_Allowed_Origin=origin)
    assert told.state is State.REFUSED
    assert origin[:10] in told.because


@pytest.mark.parametrize("status", [200, 204, 401, 403, 404, 405, 429, 500, 302])
def test_who_says_nothing_of_it_offers_no_handshake(status: int) -> None:
    assert read(status).state is None


def test_a_refusal_with_a_status_is_no_consent_though_a_header_says_so() -> None:
    assert read(405, WebHook_Allowed_Origin="*").state is None
    assert read(410, WebHook_Allowed_Origin="*").state is State.REFUSED


@given(st.text(max_size=200))
def test_whatever_is_answered_the_reason_can_be_shown(text: str) -> None:
    assert read(WebHook_Allowed_Origin=text, WebHook_Allowed_Rate=text).because.isprintable()
