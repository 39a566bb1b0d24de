"""Signatures, leases and callbacks of WebSub; how far a hub is trusted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import source_hubs, websub
from services.domain.source_hubs import Standing, Trust

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AGREED = Standing(verified_at=NOON, follows_until=NOON + timedelta(days=10))


@given(st.text(max_size=50), st.binary(max_size=200), st.sampled_from(websub.ALGORITHMS))
def test_what_is_signed_is_known_and_nothing_else(secret: str, body: bytes, algorithm: str) -> None:
    signed = websub.signature(secret, body, algorithm=algorithm)
    assert websub.is_signed(secret, body, signed)
    assert websub.is_signed(secret, body, signed.upper())
    assert not websub.is_signed(secret, body + b"x", signed)
    assert not websub.is_signed(secret + "x", body, signed)


@pytest.mark.parametrize(
    "given", [None, "", "=", "sha256", "sha256=", "md5=00", "sha256=ł", "sha512=" + "0" * 64]
)
def test_no_signature_is_no_signature(given: str | None) -> None:
    assert not websub.is_signed("secret", b"body", given)


def test_a_lease_always_ends_and_is_never_too_short() -> None:
    asked = [None, 1, websub.USUAL_LEASE_S, 10**12]
    wanted = [websub.USUAL_LEASE_S, websub.MIN_LEASE_S, websub.USUAL_LEASE_S, websub.MAX_LEASE_S]
    assert [websub.lease_s(one) for one in asked] == wanted


@pytest.mark.parametrize(
    ("callback", "wanted"),
    [
        ("https://a.example/cb", "https://a.example/cb?hub.mode=x+y"),
        ("https://a.example/cb?", "https://a.example/cb?hub.mode=x+y"),
        ("https://a.example/cb?a=%20&b", "https://a.example/cb?a=%20&b&hub.mode=x+y"),
        ("https://a.example/cb#part", "https://a.example/cb?hub.mode=x+y"),
    ],
)
def test_a_callback_keeps_its_query(callback: str, wanted: str) -> None:
    assert websub.with_query(callback, {"hub.mode": "x y"}) == wanted


def test_trust_comes_with_news_and_goes_with_the_lease() -> None:
    told = source_hubs.after_push(AGREED, NOON, has_news=True)
    assert source_hubs.trust(AGREED, NOON) is Trust.NEW
    assert source_hubs.trust(told, NOON) is Trust.TRUSTED
    assert source_hubs.trust(told, NOON + timedelta(days=10)) is Trust.WAITING
    assert source_hubs.trust(source_hubs.after_push(AGREED, NOON, has_news=False), NOON) is Trust.NEW


def test_what_came_before_the_hub_agreed_was_not_missed() -> None:
    missed = source_hubs.after_poll(AGREED, NOON, has_news=True, checked_before=NOON - timedelta(hours=1))
    assert missed == AGREED
    missed = source_hubs.after_poll(AGREED, NOON, has_news=True, checked_before=NOON)
    assert source_hubs.trust(missed, NOON) is Trust.DISTRUSTED


def test_a_hub_is_asked_more_and_more_rarely_and_never_for_ever() -> None:
    waits = [source_hubs.ask_again_at(n, NOON) - NOON for n in range(1, 30)]
    assert waits[:3] == [timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(days=7)
