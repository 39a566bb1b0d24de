"""A month with publishers that keep score: no fault, whatever happens to us meanwhile."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from feeds.pool import ParserPool
from services.clock import FrozenClock
from services.pipeline import poll
from services.runtime import Runtime
from services.storage.session import Sessions
from tests.conftest import OpenRuntime
from tests.doubles.publisher import Publisher, Shelf
from tests.doubles.web import Answer, WebDouble
from tests.factories import feed, only, rows

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RESTART = 0.2  # of the rounds


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


@pytest.fixture
def parsers() -> Iterator[ParserPool]:
    with ParserPool(size=1) as pool:
        yield pool


class Killed(BaseException):
    """As kill -9: nothing is tried again, and nothing is written."""


class Dying:
    """The sessions of a process that is killed when it has asked: it writes nothing of the answer."""

    def __init__(self, sessions: Sessions, publisher: Publisher) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._before = len(publisher.asked)

    def begin(self) -> AbstractContextManager[Session]:
        if len(self._publisher.asked) > self._before:
            raise Killed
        return self._sessions.begin()


def killed(rt: Runtime, publisher: Publisher) -> Runtime:
    return replace(rt, sessions=cast(Sessions, Dying(rt.sessions, publisher)))


def as_learned(rt: Runtime, before: Runtime) -> Runtime:
    """A restarted process: it remembers nothing, but need not read its dictionaries once more."""
    return replace(rt, analyser=before.analyser, gazetteer=before.gazetteer, index=before.index)


def shelves(clock: FrozenClock) -> list[Shelf]:
    noon = clock.now()
    return [
        Shelf("/lively", every=12 * HOUR),
        Shelf("/etag-alone", gives=("etag",), is_chatty_304=False),
        Shelf("/date-alone", gives=("last-modified",)),
        Shelf("/max-age", every=16 * HOUR, max_age=9 * HOUR),
        Shelf("/quiet-304", every=12 * HOUR, max_age=20 * HOUR, is_chatty_304=False),
        Shelf("/expires", every=16 * HOUR, expires=8 * HOUR),
        Shelf("/ttl", every=16 * HOUR, ttl=10 * HOUR),
        Shelf("/has-enough", refusals=[(noon + 5 * DAY, 429, DAY), (noon + 17 * DAY, 503, 30 * HOUR)]),
        Shelf("/new"),
        Shelf("/old", moved=("/new", 301)),
        Shelf("/elsewhere"),
        Shelf("/for-now", moved=("/elsewhere", 302)),
        Shelf("/delta", every=12 * HOUR, is_delta=True),
        Shelf("/ends", gone_from=noon + 9 * DAY),
    ]


@pytest.mark.long
def test_a_month_with_restarts_and_kills_has_no_fault(
    open_runtime: OpenRuntime, web: WebDouble, clock: FrozenClock, parsers: ParserPool
) -> None:
    known = {shelf.path: shelf for shelf in shelves(clock)}
    publisher = Publisher(web, clock, *known.values())
    chance = random.Random(11)
    rt = open_runtime()
    for path in sorted(known.keys() - {"/new", "/elsewhere"}):
        feed(rt, web.url(path))
    end, deaths = clock.now() + 30 * DAY, 0
    while clock.now() < end:
        if deaths < 12 and chance.random() < RESTART:
            before = len(publisher.asked)
            with suppress(Killed):
                poll.run(killed(rt, publisher), parsers)
            deaths += len(publisher.asked) > before
            publisher.lost(before)
            rt.close()
            rt = as_learned(open_runtime(), rt)
            clock.advance(timedelta(seconds=90))
        poll.run(rt, parsers)
        due = rows(rt, "SELECT greatest(due_at, lease_until) AS at FROM sources WHERE state <> 'stopped'")
        clock.set(max(min(row["at"] for row in due), clock.now() + 7 * HOUR))

    assert publisher.faults == []
    assert deaths == 12
    assert 60 < publisher.requests("/lively") < 31 * 24
    assert only(rt, "SELECT count(*) AS n FROM sources WHERE address LIKE '%/old'")["n"] == 0
    assert only(rt, "SELECT count(*) AS n FROM sources WHERE address LIKE '%/for-now'")["n"] == 1
    assert only(rt, "SELECT state FROM sources WHERE address LIKE '%/ends'")["state"] == "stopped"
    assert known["/delta"].deltas > 30
    for path in ("/lively", "/delta"):
        told = only(rt, "SELECT count(*) AS n FROM notices n JOIN sources s ON s.id = n.source_id"
                        f" WHERE s.address LIKE '%{path}'")  # fmt: skip
        assert told["n"] >= 30 * 2


def test_who_has_enough_is_left_alone_on_all_its_hosts(
    open_runtime: OpenRuntime, web: WebDouble, clock: FrozenClock
) -> None:
    names = {f"{name}.example.pl": ["127.0.0.1"] for name in ("www", "news", "bip")}
    rt = open_runtime(resolve={**names, "other.example.org": ["127.0.0.1"]})
    web.answer("*", Answer(status=429, headers=(("Retry-After", "86400"),)))
    for host in (*names, "other.example.org"):
        feed(rt, web.url("/feed", host=host))
    first = next(iter(names))
    with rt.begin() as session:
        later = "UPDATE sources SET due_at = due_at + interval '20 minutes' WHERE address NOT LIKE :first"
        session.execute(text(later), {"first": f"%{first}%"})
    poll.run(rt)
    clock.advance(timedelta(minutes=30))
    poll.run(rt)
    assert [one.headers["host"].partition(":")[0] for one in web.received] == [first, "other.example.org"]


def test_our_own_dead_line_is_no_fault_of_the_sources(open_runtime: OpenRuntime, clock: FrozenClock) -> None:
    names = {f"host.city{number}.pl": ["127.0.0.1"] for number in range(4)}
    rt = open_runtime(resolve=dict(names))
    for host in names:
        feed(rt, f"http://{host}:9/feed")
    poll.run(rt)

    state = rows(rt, "SELECT errors, due_at FROM sources")
    assert [row["errors"] for row in state] == [0, 0, 0, 0]
    assert all(row["due_at"] <= clock.now() + timedelta(minutes=31) for row in state)


def test_one_dead_source_among_well_ones_is_at_fault(open_runtime: OpenRuntime, web: WebDouble) -> None:
    names = {f"host.city{number}.pl": ["127.0.0.1"] for number in range(3)}
    rt = open_runtime(resolve=dict(names))
    web.answer("*", Answer(status=304))
    feed(rt, "http://host.city0.pl:9/feed")
    for host in list(names)[1:]:
        feed(rt, web.url("/feed", host=host))
    poll.run(rt)

    assert sorted(row["errors"] for row in rows(rt, "SELECT errors FROM sources")) == [0, 0, 1]


REST = Answer(status=503, headers=(("Retry-After", "86400"),))


def _cities(open_runtime: OpenRuntime, number: int) -> tuple[Runtime, list[str]]:
    """Sites that have nothing in common but their machine, as far as names tell."""
    hosts = [f"www.city{one}.pl" for one in range(number)]
    return open_runtime(resolve={host: ["127.0.0.1"] for host in hosts}), hosts


def _asked(web: WebDouble, rt: Runtime, parsers: ParserPool) -> list[str]:
    """The hosts that are asked in one round."""
    before = len(web.received)
    poll.run(rt, parsers)
    return sorted(one.headers["host"].partition(":")[0] for one in web.received[before:])


@pytest.mark.parametrize(("sites", "is_crowd"), [(4, False), (12, True)])
def test_few_sites_of_one_machine_rest_an_hour_with_it_and_a_crowd_does_not(
    open_runtime: OpenRuntime, web: WebDouble, clock: FrozenClock, parsers: ParserPool,
    sites: int, is_crowd: bool,
) -> None:  # fmt: skip
    rt, hosts = _cities(open_runtime, sites)
    tired, *others = hosts
    web.answer("*", Answer(status=304))
    for host in hosts:
        feed(rt, web.url("/feed", host=host))
    assert _asked(web, rt, parsers) == sorted(hosts)
    clock.advance(timedelta(hours=3))
    with rt.begin() as session:
        later = "UPDATE sources SET due_at = :now + interval '10 minutes' * (address NOT LIKE :tired)::int"
        session.execute(text(later), {"now": clock.now(), "tired": f"%{tired}%"})
    web.answer("*", REST)
    assert _asked(web, rt, parsers) == [tired]
    web.answer("*", Answer(status=304))

    clock.advance(timedelta(minutes=20))
    assert _asked(web, rt, parsers) == (sorted(others) if is_crowd else [])
    clock.advance(timedelta(minutes=50))
    assert _asked(web, rt, parsers) == ([] if is_crowd else sorted(others))


def test_what_waits_for_its_turn_rests_with_its_machine(
    open_runtime: OpenRuntime, web: WebDouble, clock: FrozenClock, parsers: ParserPool
) -> None:
    rt, (tired, other) = _cities(open_runtime, 2)
    web.answer("*", Answer(status=304))
    for host, path in ((tired, "/feed"), (other, "/news"), (other, "/calls")):
        feed(rt, web.url(path, host=host))
    assert _asked(web, rt, parsers) == sorted([tired, other, other])
    clock.advance(timedelta(hours=3))
    web.answer("/feed", REST)

    assert _asked(web, rt, parsers) == sorted([tired, other])
    left = rows(rt, "SELECT due_at FROM sources WHERE host NOT LIKE :tired", tired=f"{tired}%")
    assert min(row["due_at"] for row in left) >= clock.now() + timedelta(minutes=59)
