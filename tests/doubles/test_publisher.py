"""The publisher that keeps score misses none of the faults it is there for; a good reader has none."""

import http.client
from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from tests.doubles.publisher import Publisher, Shelf
from tests.doubles.web import WebDouble

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GOOD = {"User-Agent": "Goniec/1.2.3 (+https://goniec.example/bot; 7 subscribers)", "Accept-Encoding": "gzip"}
Given = dict[str, str]


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def ask(web: WebDouble, path: str, headers: Given, method: str = "GET") -> tuple[int, Given]:
    """One request with these headers and no other; its status, and the validators to send next time."""
    host, _, port = web.url("").removeprefix("http://").rstrip("/").partition(":")
    line = http.client.HTTPConnection(host, int(port), timeout=5)
    line.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    answer = line.getresponse()
    answer.read()
    line.close()
    sent_back = {
        "If-None-Match": answer.headers["ETag"],
        "If-Modified-Since": answer.headers["Last-Modified"],
    }
    return answer.status, {name: value for name, value in sent_back.items() if value}


def test_a_good_reader_has_no_fault(web: WebDouble, clock: FrozenClock) -> None:
    publisher = Publisher(web, clock, Shelf("/feed", max_age=HOUR))
    _, given = ask(web, "/feed", GOOD)
    clock.advance(HOUR)
    assert ask(web, "/feed", GOOD | given)[0] == 304
    assert publisher.faults == []


@pytest.mark.parametrize(
    ("wait", "more", "forgotten", "fault"),
    [
        (HOUR, {}, {"If-None-Match", "If-Modified-Since"}, "an unconditional repeat"),
        (HOUR, {}, {"If-None-Match"}, "it sends back no etag"),
        (HOUR, {}, {"If-Modified-Since"}, "it sends back no last-modified"),
        (HOUR, {"If-None-Match": '"mine"'}, set(), 'a etag made up or out of sequence: "mine"'),
        (HOUR, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, set(), "a last-modified made up"),
        (59 * MINUTE, {}, set(), "0:01:00 too early (max_age)"),
        (14 * MINUTE, {}, set(), "twice within a quarter of an hour"),
        (0 * MINUTE, {}, set(), "no pause after the last request"),
        (HOUR, {"Cookie": "visitor=42"}, set(), "it sends cookie"),
        (HOUR, {"Referer": "https://goniec.example/"}, set(), "it sends referer"),
        (HOUR, {"Cache-Control": "no-cache"}, set(), "it sends cache-control"),
        (HOUR, {"User-Agent": "Mozilla/5.0"}, set(), "it does not say who it is"),
        (HOUR, {}, {"User-Agent"}, "it does not say who it is"),
        (HOUR, {}, {"Accept-Encoding"}, "it wants no compression"),
    ],
)
def test_each_fault_of_a_second_request_is_seen(
    web: WebDouble, clock: FrozenClock, wait: timedelta, more: Given, forgotten: set[str], fault: str
) -> None:
    publisher = Publisher(web, clock, Shelf("/feed", max_age=HOUR))
    _, given = ask(web, "/feed", GOOD)
    clock.advance(wait)
    headers = GOOD | given | more
    ask(web, "/feed", {name: value for name, value in headers.items() if name not in forgotten})
    assert any(fault in one for one in publisher.faults), publisher.faults


@pytest.mark.parametrize(
    ("path", "method", "fault"),
    [
        ("/feed?_=1764201600", "GET", "an address that nobody gave out"),
        ("/favicon.ico", "GET", "an address that nobody gave out"),
        ("/feed", "HEAD", "a HEAD"),
    ],
)
def test_what_nobody_offered_is_a_fault(
    web: WebDouble, clock: FrozenClock, path: str, method: str, fault: str
) -> None:
    publisher = Publisher(web, clock, Shelf("/feed"))
    ask(web, path, GOOD, method)
    assert any(fault in one for one in publisher.faults), publisher.faults


@pytest.mark.parametrize("status", [429, 503])
def test_asking_on_before_retry_after_is_a_fault_on_every_shelf(
    web: WebDouble, clock: FrozenClock, status: int
) -> None:
    refusing = Shelf("/feed", refusals=[(clock.now(), status, 5 * HOUR)])
    publisher = Publisher(web, clock, refusing, Shelf("/other"))
    assert ask(web, "/feed", GOOD)[0] == status
    clock.advance(4 * HOUR)
    ask(web, "/other", GOOD)
    assert [one for one in publisher.faults if f"too early (told to retry after by a {status})" in one]


def test_asking_after_the_end_is_a_fault(web: WebDouble, clock: FrozenClock) -> None:
    publisher = Publisher(web, clock, Shelf("/feed", gone_from=clock.now()))
    assert ask(web, "/feed", GOOD)[0] == 410
    assert publisher.faults == []
    clock.advance(24 * HOUR)
    ask(web, "/feed", GOOD)
    assert [one for one in publisher.faults if "told that it is gone" in one]


@pytest.mark.parametrize(
    ("status", "sightings", "apart", "fault"),
    [
        (301, 9, 24 * HOUR, "it believed a 301 too soon"),
        (308, 10, HOUR, "it believed a 308 too soon"),
        (302, 12, 24 * HOUR, "it took a 302 for a new address"),
        (307, 12, 24 * HOUR, "it took a 307 for a new address"),
        (301, 10, 24 * HOUR, None),
    ],
)
def test_a_sign_is_to_be_believed_late_or_never(
    web: WebDouble, clock: FrozenClock, status: int, sightings: int, apart: timedelta, fault: str | None
) -> None:
    publisher = Publisher(web, clock, Shelf("/sign", moved=("/target", status)), Shelf("/target"))
    given: Given = {}
    for _ in range(sightings):
        ask(web, "/sign", GOOD)
        clock.advance(MINUTE)
        _, fresh = ask(web, "/target", GOOD | given)
        given |= fresh
        clock.advance(apart)
    assert publisher.faults == []
    ask(web, "/target", GOOD | given)
    assert [one.partition(": ")[2] for one in publisher.faults] == ([fault] if fault else [])


def test_validators_of_another_address_are_a_fault(web: WebDouble, clock: FrozenClock) -> None:
    publisher = Publisher(web, clock, Shelf("/feed"), Shelf("/other"))
    _, given = ask(web, "/feed", GOOD)
    clock.advance(MINUTE)
    ask(web, "/other", GOOD | given)
    assert [one for one in publisher.faults if "made up or out of sequence" in one]


def test_who_knows_the_last_answer_is_told_only_what_is_new(web: WebDouble, clock: FrozenClock) -> None:
    publisher = Publisher(web, clock, Shelf("/feed", every=12 * HOUR, is_delta=True))
    _, given = ask(web, "/feed", GOOD)
    clock.advance(13 * HOUR)
    assert ask(web, "/feed", GOOD | given | {"A-IM": "feed"})[0] == 226
    assert publisher.faults == []
