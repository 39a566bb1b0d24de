"""Sources are asked politely, read safely, and one that fails harms no other."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, cast

import psutil
import pytest
from sqlalchemy.orm import Session

from feeds.politeness import SHORTEST
from services.clock import FrozenClock
from services.errors import Unavailable
from services.pipeline import poll
from services.runtime import Runtime
from services.storage import polling, work
from services.storage.session import Sessions
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble, redirect
from tests.factories import counts, feed, only, rows
from tests.feeds.bodies import rss

EVENTS = "SELECT type, count(*) AS number FROM events GROUP BY type"
XML = (("Content-Type", "application/rss+xml"),)


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def item(key: str, title: str = "Nabór", more: str = "") -> str:
    link = f"https://miasto.example/{key}"
    return f"<title>{title} {key}</title><guid>{key}</guid><link>{link}</link>{more}"


def serving(*items: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(headers=XML + headers, body=rss(*items))


def source(rt: Runtime) -> dict[str, Any]:
    return dict(only(rt, "SELECT * FROM sources"))


def make_due(rt: Runtime, clock: FrozenClock) -> None:
    clock.set(max(row["due_at"] for row in rows(rt, "SELECT due_at FROM sources")))


def test_what_a_feed_says_becomes_notices_once(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", serving(item("a"), item("b")))
    feed(rt, web.url("/feed"))

    assert poll.run(rt) == 1
    make_due(rt, clock)
    assert poll.run(rt) == 1

    assert [row["title"] for row in rows(rt, "SELECT title FROM notices ORDER BY title")] == [
        "Nabór a",
        "Nabór b",
    ]
    assert counts(rt, EVENTS) == {"published": 2}
    visits = rows(rt, "SELECT outcome, published FROM fetches ORDER BY id")
    assert [(v["outcome"], v["published"]) for v in visits] == [("fresh", 2), ("unchanged", 0)]


def test_a_changed_entry_is_a_revision(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", serving(item("a")), serving(item("a", "Nabór przedłużony")))
    feed(rt, web.url("/feed"))
    poll.run(rt)
    make_due(rt, clock)
    poll.run(rt)

    assert counts(rt, EVENTS) == {"published": 1, "revised": 1}
    assert only(rt, "SELECT title FROM notices")["title"] == "Nabór przedłużony a"


def test_nothing_is_asked_before_its_time(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", serving(item("a")))
    feed(rt, web.url("/feed"))
    poll.run(rt)

    clock.advance(timedelta(minutes=14))
    assert poll.run(rt) == 0
    assert len(web.received) == 1


def test_validators_go_back_to_the_address_that_gave_them(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/feed", serving(item("a"), headers=(("ETag", '"v1"'),)), Answer(status=304))
    feed(rt, web.url("/feed"))
    poll.run(rt)
    make_due(rt, clock)
    poll.run(rt)

    assert web.received[1].headers["if-none-match"] == '"v1"'
    assert only(rt, "SELECT outcome FROM fetches ORDER BY id DESC LIMIT 1")["outcome"] == "unchanged"
    assert source(rt)["etag"] == '"v1"'


def test_the_next_check_is_written_before_the_request(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    seen: list[Any] = []

    def look(_: Received) -> Answer:
        seen.append(source(rt))
        return serving(item("a"))

    web.answer("/feed", look)
    feed(rt, web.url("/feed"))
    began = clock.now()
    poll.run(rt)

    assert seen[0]["due_at"] >= began + timedelta(minutes=15)
    assert seen[0]["state"] == "leased"
    assert source(rt)["state"] == "pending"


def test_a_poller_that_dies_is_followed_after_its_lease_and_no_sooner(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/feed", serving(item("a")))
    feed(rt, web.url("/feed"))
    with rt.begin() as session:
        dead = work.claim(session, work.SOURCES, now=clock.now(), lease=poll.LEASE, limit=10)
        polling.begin(session, dead, now=clock.now(), shortest=SHORTEST)

    assert poll.run(rt) == 0
    clock.advance(poll.LEASE + timedelta(seconds=1))
    assert poll.run(rt) == 1
    assert counts(rt, EVENTS) == {"published": 1}


def test_a_poller_that_lost_its_lease_writes_nothing(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", serving(item("a")))
    source_id = feed(rt, web.url("/feed"))
    with rt.begin() as session:
        dead = work.claim(session, work.SOURCES, now=clock.now(), lease=poll.LEASE, limit=10)
    clock.advance(poll.LEASE + timedelta(seconds=1))
    poll.run(rt)
    visit = polling.Visit(source_id, "error", 500, 1, 0, 0, 0, "late", {"errors": 9})

    with rt.begin() as session:
        assert not polling.finish(session, dead, visit, now=clock.now())

    assert source(rt)["errors"] == 0
    assert len(rows(rt, "SELECT id FROM fetches")) == 1


def test_a_first_reading_is_quiet_about_what_is_old(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    def dated(days: int) -> str:
        return f"<pubDate>{format_datetime(clock.now() - timedelta(days=days))}</pubDate>"

    old, new = item("old", more=dated(30)), item("new", more=dated(2))
    late = item("late", more=dated(20))
    web.answer("/feed", serving(old, new), serving(old, new, late))
    feed(rt, web.url("/feed"))
    poll.run(rt)
    assert len(rows(rt, "SELECT id FROM notices")) == 2
    assert only(rt, "SELECT snapshot FROM events")["snapshot"]["title"] == "Nabór new"

    make_due(rt, clock)
    poll.run(rt)

    told = [row["snapshot"]["title"] for row in rows(rt, "SELECT snapshot FROM events ORDER BY id")]
    assert told == ["Nabór new", "Nabór late"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=500), "(500)"),
        (Answer(status=404), "(404)"),
        (Answer(body=b"<html><title>Witamy</title></html>"), ""),
        (Answer(body=b"", headers=XML), ""),
        (Answer(drop="silent"), ""),
        (redirect("/feed"), "too many redirects"),
        (redirect("file:///etc/passwd"), ""),
        (redirect("http://169.254.169.254/latest"), "address refused"),
    ],
)
def test_an_answer_that_is_no_feed_is_a_visit_with_its_reason(
    rt: Runtime, web: WebDouble, clock: FrozenClock, answer: Answer, error: str
) -> None:
    web.answer("/feed", answer)
    feed(rt, web.url("/feed"))

    poll.run(rt)

    row = source(rt)
    assert row["errors"] == 1
    assert error in row["last_error"]
    assert row["due_at"] >= clock.now() + timedelta(minutes=30)
    assert only(rt, "SELECT outcome FROM fetches")["outcome"] == "error"


def test_a_good_answer_lets_errors_be_forgotten(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", Answer(status=503), Answer(status=503), serving(item("a")))
    feed(rt, web.url("/feed"))
    for expected in (1, 2, 0):
        poll.run(rt)
        assert source(rt)["errors"] == expected
        make_due(rt, clock)


def test_a_source_that_is_gone_is_asked_no_more(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", Answer(status=410))
    feed(rt, web.url("/feed"))
    poll.run(rt)
    clock.advance(timedelta(days=60))

    assert poll.run(rt) == 0
    assert source(rt)["state"] == "stopped"
    assert "410" in source(rt)["stopped_because"]


def test_a_retry_after_is_honoured(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/feed", Answer(status=429, headers=(("Retry-After", "7200"),)))
    feed(rt, web.url("/feed"))
    poll.run(rt)

    assert source(rt)["due_at"] >= clock.now() + timedelta(hours=2)


def test_one_bad_source_harms_no_other(rt: Runtime, web: WebDouble) -> None:
    web.answer("/good", serving(item("a")))
    web.answer("/bad", Answer(drop="half", headers=XML, body=b"x" * 900))
    web.answer("/broken", Answer(headers=XML, body=b"<rss><channel><item>"))
    for path in ("/bad", "/good", "/broken"):
        feed(rt, web.url(path))

    poll.run(rt)

    outcome = counts(rt, "SELECT s.address, s.errors FROM sources s")
    assert outcome[web.url("/good")] == 0
    assert outcome[web.url("/bad")] == 1
    assert counts(rt, EVENTS) == {"published": 1}


class Restarting:
    """The sessions of a database that is away for the calls numbered `away`."""

    def __init__(self, sessions: Sessions, away: set[int]) -> None:
        self._sessions = sessions
        self._away = away
        self._calls = 0

    def begin(self) -> AbstractContextManager[Session]:
        self._calls += 1
        if self._calls in self._away:
            raise Unavailable("The database cannot be reached.")
        return self._sessions.begin()


def test_a_database_that_restarts_costs_neither_a_reading_nor_a_second_request(
    rt: Runtime, web: WebDouble
) -> None:
    web.answer("/feed", serving(item("a")))
    feed(rt, web.url("/feed"))
    sessions = cast(Sessions, Restarting(rt.sessions, away={2, 3, 5}))

    poll.run(replace(rt, sessions=sessions))

    assert (source(rt)["errors"], counts(rt, EVENTS)) == (0, {"published": 1})
    assert len(web.received) == 1


def test_redirects_are_followed_and_a_steady_move_is_believed(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/old", redirect("/new", status=301))
    web.answer("/new", serving(item("a")))
    feed(rt, web.url("/old"))
    for _ in range(9):
        poll.run(rt)
        clock.advance(timedelta(days=1))
        assert source(rt)["address"] == web.url("/old")
    poll.run(rt)

    assert source(rt)["address"] == web.url("/new")
    assert source(rt)["moved_times"] == 0


def test_a_stop_gives_the_rest_of_the_batch_back(rt: Runtime, web: WebDouble) -> None:
    def stop(_: Received) -> Answer:
        rt.stopping.set()
        return serving(item("a"))

    web.answer("*", stop)
    for number in range(3):
        feed(rt, web.url(f"/feed-{number}"))

    poll.run(rt)

    assert counts(rt, "SELECT state, count(*) AS n FROM sources GROUP BY state") == {"pending": 3}


def test_a_claim_that_was_lost_writes_down_no_unchanged_source(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/feed", Answer(status=304))
    source_id = feed(rt, web.url("/feed"))
    with rt.begin() as session:
        dead = work.claim(session, work.SOURCES, now=clock.now(), lease=poll.LEASE, limit=10)
    clock.advance(poll.LEASE + timedelta(seconds=1))
    poll.run(rt)
    columns = dict.fromkeys(("validators_url", "etag", "last_modified", "moved_to", "moved_since"), "late")
    no_move = {"moved_since": None}
    visit = polling.Visit(
        source_id, "unchanged", 304, 1, 0, 0, 0, None,
        columns | {"due_at": clock.now(), "errors": 0, "last_error": None, "moved_times": 0} | no_move,
    )  # fmt: skip

    with rt.begin() as session:
        assert polling.finish_all(session, dead, [visit], now=clock.now()) == set()
    assert source(rt)["etag"] is None
    assert len(rows(rt, "SELECT id FROM fetches")) == 1


def test_no_body_is_read_while_somebody_is_still_being_asked(
    open_runtime: OpenRuntime, web: WebDouble
) -> None:
    names = {f"city{number}.example": ["127.0.0.1"] for number in range(2)}
    rt = open_runtime(resolve=names)
    stored: list[int] = []

    def takes_its_time(_: Received) -> Answer:
        time.sleep(0.8)  # long enough to read the other
        stored.append(len(rows(rt, "SELECT id FROM notices")))
        return Answer(status=304)

    web.answer("/news", serving(item("a")))
    web.answer("/still", takes_its_time)
    for host, path in zip(names, ("/news", "/still"), strict=True):
        feed(rt, web.url(path, host=host))
    poll.run(rt)

    assert stored == [0]
    assert counts(rt, "SELECT outcome, count(*) AS n FROM fetches GROUP BY 1") == {"fresh": 1, "unchanged": 1}


def test_parsers_stay_warm_between_rounds_and_end_with_the_worker(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/feed", serving(item("a")), serving(item("b")))
    feed(rt, web.url("/feed"))
    with poll.kept_warm() as run:
        run(rt)
        before = parsers_alive()
        make_due(rt, clock)
        run(rt)
        assert parsers_alive() == before != set()
    assert not parsers_alive() & before
    assert len(rows(rt, "SELECT id FROM notices")) == 2


def parsers_alive() -> set[int]:
    children = psutil.Process().children()
    return {child.pid for child in children if "feeds.child" in child.cmdline()}
