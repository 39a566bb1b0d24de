from datetime import UTC, datetime

import pytest

from feeds.fetch import (
    Answer,
    Failed,
    FailureReason,
    Fresh,
    Gone,
    Moved,
    Unchanged,
    Validators,
    conditional_headers,
    fingerprint,
    read_answer,
    read_wishes,
)
from tests.feeds.bodies import rss

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://a.example/feed"
HELD = Validators(URL, 'W/"x--gzip"', "Tue, 24 Nov 2026 10:00:00 +0100")


def answer(status: int, held: Validators | None = HELD, **headers: str) -> Answer:
    named = [(name.replace("_", "-").title(), value) for name, value in headers.items()]
    return read_answer(status, named, url=URL, now=NOW, held=held)


def test_validators_are_sent_back_exactly_as_received() -> None:
    sent = dict(conditional_headers(HELD, url=URL))
    assert sent["If-None-Match"] == HELD.etag
    assert sent["If-Modified-Since"] == HELD.last_modified
    assert sent["A-IM"] == "feed"


def test_validators_of_another_address_are_not_sent() -> None:
    assert [name for name, _ in conditional_headers(HELD, url="https://a.example/other")] == ["Accept"]
    assert [name for name, _ in conditional_headers(None, url=URL)] == ["Accept"]


def test_a_validator_that_would_split_the_request_is_not_sent() -> None:
    held = Validators(URL, '"x"\r\nHost: evil.example', None)
    assert [name for name, _ in conditional_headers(held, url=URL)] == ["Accept"]


def test_a_full_answer_brings_its_validators() -> None:
    got = answer(
        200, etag='"1"', last_modified="yesterday, or so", content_type="text/xml", cache_control="max-age=9"
    )
    assert isinstance(got, Fresh)
    assert got.validators == Validators(URL, '"1"', "yesterday, or so")
    assert (got.content_type, got.is_partial, got.wishes.max_age_s) == ("text/xml", False, 9)


def test_226_is_only_what_is_new() -> None:
    got = answer(226, im="feed")
    assert isinstance(got, Fresh)
    assert got.is_partial


def test_304_keeps_the_validators_and_may_refresh_them() -> None:
    assert answer(304) == Unchanged(HELD, read_wishes([], now=NOW))
    got = answer(304, etag='"2"')
    assert isinstance(got, Unchanged)
    assert got.validators == Validators(URL, '"2"', HELD.last_modified)


@pytest.mark.parametrize(
    ("status", "is_permanent"), [(301, True), (308, True), (302, False), (303, False), (307, False)]
)
def test_a_redirect_is_told_with_its_absolute_target(status: int, is_permanent: bool) -> None:
    assert answer(status, location="/new") == Moved("https://a.example/new", is_permanent, status)


@pytest.mark.parametrize("location", ["javascript:x", "ftp://a.example/", "http://u:p@a.example/", ""])
def test_a_redirect_to_nowhere_is_a_failure(location: str) -> None:
    got = answer(301, location=location) if location else answer(301)
    if location:
        assert isinstance(got, Failed)
        assert got.reason is FailureReason.BAD_REDIRECT


def test_410_is_the_end() -> None:
    assert answer(410) == Gone()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, FailureReason.RATE_LIMITED),
        (503, FailureReason.UNAVAILABLE),
        (403, FailureReason.FORBIDDEN),
        (404, FailureReason.NOT_FOUND),
        (500, FailureReason.SERVER_ERROR),
        (418, FailureReason.UNEXPECTED),
        (999, FailureReason.UNEXPECTED),
    ],
)
def test_any_other_answer_is_a_failure_with_its_reason(status: int, reason: FailureReason) -> None:
    got = answer(status, retry_after="120")
    assert isinstance(got, Failed)
    assert (got.reason, got.wishes.retry_after_s) == (reason, 120)


def test_retry_after_and_expires_as_dates_count_from_the_servers_clock() -> None:
    wishes = read_wishes(
        [
            ("Date", "Tue, 24 Nov 2026 10:00:00 GMT"),
            ("Retry-After", "Tue, 24 Nov 2026 10:05:00 GMT"),
            ("Expires", "Tue, 24 Nov 2026 11:00:00 GMT"),
        ],
        now=NOW,
    )
    assert (wishes.retry_after_s, wishes.expires_s) == (300, 3600)


@pytest.mark.parametrize("control", ["no-cache, max-age=600", "no-store", "private"])
def test_no_cache_asks_for_no_wait(control: str) -> None:
    assert read_wishes([("cache-control", control)], now=NOW).max_age_s is None


@pytest.mark.parametrize("junk", ["soon", "-5", "Tue, 99 Foo 2026", "\x00", "9" * 500, ""])
def test_junk_in_headers_is_no_wish_and_no_error(junk: str) -> None:
    headers = [("retry-after", junk), ("expires", junk), ("date", junk), ("cache-control", f"max-age={junk}")]
    read_wishes(headers, now=NOW)


def test_a_clock_that_moved_is_no_news() -> None:
    clock = "<title>M</title><lastBuildDate>{}</lastBuildDate><pubDate>{}</pubDate><!-- {} -->"
    first, second = (rss("<title>A</title>", head=clock.format(at, at, at)) for at in ("10:00", "10:15"))
    assert first != second
    assert fingerprint(first) == fingerprint(second)


def test_a_date_inside_an_entry_is_news() -> None:
    first, second = (rss(f"<title>A</title><pubDate>{at}</pubDate>") for at in ("10:00", "10:15"))
    assert fingerprint(first) != fingerprint(second)
