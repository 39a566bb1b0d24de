"""Whoever an event reaches is written in slices: none twice, none missed, whatever dies in between."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import event, text

from services.clock import FrozenClock
from services.domain.mutes import MuteKind
from services.errors import Unavailable
from services.interests.shards import Shard
from services.manage import mutes, subscribers, subscriptions, suppressions
from services.manage.mutes import Unwanted
from services.pipeline import compose, match
from services.pipeline.fan_out import fan_out
from services.pipeline.following import refresh
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import fanout as store
from services.storage import matching, work
from services.storage.work import Claim
from tests.conftest import OpenRuntime
from tests.factories import counts, draft, listener, many_readers, only, publish, reader, rows, withdraw

BY_STATE = "SELECT coalesce(reason, state) AS outcome, count(*) FROM candidates GROUP BY 1"


def claimed(rt: Runtime) -> Claim:
    """A worker's claim of all events, matched and written as `match` does it."""
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.EVENTS, now=now, lease=LEASE, limit=100)
        events = matching.events_as_documents(session, held.rows)
    refresh(rt, rt.index)
    met = [(e.event_id, h.interest_id, h.witnesses) for e in events for h in rt.index.match(e.document, now)]
    with rt.begin() as session:
        matching.record(session, held, met, now=now, by_turn=False)
    return held


def test_slices_reach_everyone_once(rt: Runtime) -> None:
    many_readers(rt, 23)
    reader(rt, "both@mail.example", "kind:call", "dotacja")
    for number in range(5):
        listener(rt, f"http://127.0.0.1:9/{number}")
    publish(rt, draft("a"), draft("b"))
    held = claimed(rt)

    told = fan_out(rt, held, held.rows, slice_rows=4)

    assert (told.readers, told.endpoints, told.excluded) == (50, 10, {})
    assert counts(rt, BY_STATE) == {"pending": 50}
    assert fan_out(rt, held, held.rows).readers == 0


def test_a_fan_out_that_died_goes_on_where_it_stopped(rt: Runtime, clock: FrozenClock) -> None:
    many_readers(rt, 12)
    publish(rt)
    dead = claimed(rt)
    with rt.begin() as session:
        (readers,) = store.readers(session, dead.rows, size=100)
        store.tell_readers(session, dead, readers[:5], now=clock.now())

    clock.advance(LEASE + timedelta(seconds=1))
    heir = claimed(rt)
    with rt.begin() as session:
        assert list(store.readers(session, heir.rows, size=4)) == [readers[5:9], readers[9:]]
        # Should the dead one only have been slow, it writes nothing any more.
        assert store.tell_readers(session, dead, readers[5:], now=clock.now()) == {}
        assert store.tell_endpoints(session, dead, [(heir.rows[0], 1)], now=clock.now()) == 0
    assert fan_out(rt, heir, heir.rows, slice_rows=3).readers == 7
    assert counts(rt, BY_STATE) == {"pending": 12}


def test_those_left_out_are_counted_by_reason(rt: Runtime) -> None:
    many_readers(rt, 6)
    rows(rt, "UPDATE subscribers SET state = 'pending' WHERE email < 'r-2' RETURNING id")
    publish(rt, draft(commercial=True))
    held = claimed(rt)

    told = fan_out(rt, held, held.rows, slice_rows=2)

    assert told.excluded == {"not_confirmed": 2, "no_commercial_consent": 4}
    assert counts(rt, BY_STATE) == {"not_confirmed": 2, "no_commercial_consent": 4}


def test_a_withdrawal_ends_all_waiting_and_reaches_who_got_it_slice_by_slice(rt: Runtime) -> None:
    many_readers(rt, 9)
    publish(rt)
    match.run(rt)
    rows(rt, "UPDATE candidates SET state = 'issued' WHERE id % 3 = 0 RETURNING id")
    withdraw(rt)
    held = claimed(rt)

    assert fan_out(rt, held, held.rows, slice_rows=2).readers == 3
    assert counts(rt, BY_STATE) == {"issued": 3, "withdrawn": 6, "pending": 3}


def test_who_leaves_while_a_slice_is_written_is_waited_for_and_not_told(rt: Runtime) -> None:
    many_readers(rt, 12)
    publish(rt)
    held = claimed(rt)
    leaving = rt.sessions()
    leaving.execute(text("DELETE FROM subscriptions WHERE id = (SELECT min(id) + 3 FROM subscriptions)"))
    later = threading.Timer(0.2, leaving.commit)
    later.start()

    assert fan_out(rt, held, held.rows, slice_rows=5).readers == 11

    later.join()
    leaving.close()


def test_who_asks_for_something_else_by_then_is_not_told(rt: Runtime) -> None:
    anna = reader(rt, "anna@mail.example", "kind:call")
    publish(rt)
    held = claimed(rt)
    with rt.begin() as session:
        (pairs,) = store.readers(session, held.rows, size=10)
    subscriptions.change(rt, anna.id, anna.subscriptions[0].id, query="przetarg")

    with rt.begin() as session:
        assert store.tell_readers(session, held, pairs, now=rt.clock.now()) == {}


class _Rude:
    """A bell at whose first ring the server ends whoever is in a transaction that reads."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def ring(self, _stage: str) -> None:
        rows(self._rt, """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()
        """)  # fmt: skip


def test_a_connection_that_breaks_between_two_slices_loses_and_doubles_nobody(
    rt: Runtime, clock: FrozenClock
) -> None:
    many_readers(rt, 12)
    publish(rt)
    held = claimed(rt)

    with pytest.raises(Unavailable):
        fan_out(replace(rt, bell=cast(Any, _Rude(rt))), held, held.rows, slice_rows=5)

    assert counts(rt, BY_STATE) == {"pending": 5}
    clock.advance(LEASE + timedelta(seconds=1))
    assert match.run(rt) == 1
    assert counts(rt, BY_STATE) == {"pending": 12}


class _Killed(BaseException):
    """As by SIGKILL: nothing is caught, and the server rolls back."""


@contextmanager
def _killed_at(rt: Runtime, number: int) -> Iterator[None]:
    """Dies before the statement or commit of this number."""
    passed = itertools.count(1)

    def pass_by(*_: object) -> None:
        if next(passed) == number:
            raise _Killed

    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(rt.engine, name, pass_by)
    try:
        yield
    finally:
        for name in names:
            event.remove(rt.engine, name, pass_by)


# Who dies before a cursor is declared leaves one that was never open.
_unopened = pytest.mark.filterwarnings("ignore:<psycopg.ServerCursor:ResourceWarning")


@_unopened
@pytest.mark.parametrize("of", [1, 2])
def test_a_matcher_killed_at_any_statement_loses_and_doubles_nobody(
    open_runtime: OpenRuntime, clock: FrozenClock, of: int
) -> None:
    matchers = [open_runtime(match_shard=str(Shard(number, of))) for number in range(of)]
    first = matchers[0]
    many_readers(first, 3)
    reader(first, "both@mail.example", "kind:call", "dotacja")
    listener(first, "http://127.0.0.1:9/hook")

    def deaths() -> Iterator[int]:
        for number in itertools.count(1):
            publish(first, draft(f"n-{number}", title="Dotacje"))
            try:
                with _killed_at(first, number):
                    for rt in matchers * of:
                        match.run(rt)
                return
            except _Killed:
                yield number
                clock.advance(LEASE + timedelta(seconds=1))
                for rt in matchers * of:
                    match.run(rt)

    died = list(deaths())

    told = counts(first, "SELECT event_id, count(*) FROM candidates GROUP BY 1")
    assert len(died) > 15
    assert set(told.values()) == {5}
    assert len(told) == len(died) + 1
    assert only(first, "SELECT count(*) AS n FROM deliveries")["n"] == len(told)
    assert not rows(first, "SELECT id FROM events WHERE state <> 'matched'")
    assert not rows(first, "SELECT id FROM match_turns")


@_unopened
def test_a_fan_out_killed_at_any_statement_goes_on_where_it_stopped(rt: Runtime, clock: FrozenClock) -> None:
    many_readers(rt, 7)
    for number in itertools.count(1):
        publish(rt, draft(f"n-{number}", title="Dotacje"))
        held = claimed(rt)
        try:
            with _killed_at(rt, number):
                fan_out(rt, held, held.rows, slice_rows=2)
            break
        except _Killed:
            clock.advance(LEASE + timedelta(seconds=1))
            assert match.run(rt) == 1
            assert counts(rt, BY_STATE) == {"pending": 7 * number}
    assert number > 10


TRAITS = ("unconfirmed", "suppressed", "interest", "story", "institution", "word", "no_consent")
REASONS = ("not_confirmed", "suppressed", "muted_interest", "muted_story", "muted_institution", "muted_word",
           "no_commercial_consent")  # fmt: skip


def test_of_all_that_keeps_a_reader_out_the_first_is_the_reason_and_the_accounts_close(rt: Runtime) -> None:
    [first] = publish(rt, draft("first", title="Dotacje dla firm"))
    story = only(rt, "SELECT story_id FROM notices WHERE id = :id", id=first.notice_id)["story_id"]
    expected: dict[str, str] = {}
    for number in range(2 ** len(TRAITS)):
        has = [trait for place, trait in enumerate(TRAITS) if number >> place & 1]
        address = f"r{number}@mail.example"
        expected[address] = next((r for t, r in zip(TRAITS, REASONS, strict=True) if t in has), "pending")
        person = reader(rt, address, "dotacja", commercial="no_consent" not in has)
        values = {"interest": person.subscriptions[0].id, "story": story, "institution": "gmina-testowa",
                  "word": "firma"}  # fmt: skip
        for kind in sorted(values.keys() & set(has), key=TRAITS.index):
            mutes.add(rt, person.id, Unwanted(MuteKind(kind), str(values[kind])))
        if "suppressed" in has:
            suppressions.add(rt, address)
        if "unconfirmed" in has:
            rows(rt, "UPDATE subscribers SET state = 'pending' WHERE id = :id RETURNING id", id=person.id)
    rows(rt, "UPDATE notices SET commercial = true RETURNING id")

    assert match.run(rt) == 1

    who = """SELECT r.email, coalesce(c.reason, c.state) FROM candidates c
             JOIN subscribers r ON r.id = c.subscriber_id"""
    assert counts(rt, who) == expected
    asked = "SELECT count(*) AS n FROM matches m JOIN subscriptions s USING (interest_id)"
    assert only(rt, asked)["n"] == len(expected)


def test_readers_leave_and_change_while_they_are_told_and_nobody_waits_for_ever(rt: Runtime) -> None:
    for query in ("kind:call", "dotacja"):
        many_readers(rt, 40, query, prefix=query.replace(":", "-"))
    people = [row["id"] for row in rows(rt, "SELECT id FROM subscribers ORDER BY id")]
    problems: list[BaseException] = []

    def stir(mine: list[int]) -> None:
        try:
            for number, person in enumerate(mine):
                [held] = subscriptions.list_for(rt, person)
                mutes.add(rt, person, Unwanted(MuteKind.WORD, ("firma", "gmina")[number % 2]))
                if number % 3:
                    subscriptions.change(rt, person, held.id, query=("dotacja", "przetarg")[number % 2])
                else:
                    subscribers.leave(rt, person, via="api")
        except BaseException as exc:
            problems.append(exc)

    threads = [threading.Thread(target=stir, args=(people[start::3],)) for start in range(3)]
    for thread in threads:
        thread.start()
    for number in itertools.count():
        publish(rt, draft(f"n-{number}"))
        held = claimed(rt)
        fan_out(rt, held, held.rows, slice_rows=20)
        compose.run(rt)
        if not any(thread.is_alive() for thread in threads):
            break
    for thread in threads:
        thread.join()

    assert problems == []
    publish(rt, draft("last"))
    assert match.run(rt) == 1
    reached = "SELECT count(*) AS n FROM candidates WHERE event_id = (SELECT max(id) FROM events)"
    asking = """SELECT count(*) AS n FROM subscriptions s JOIN interests i ON i.id = s.interest_id
                WHERE i.canonical IN ('kind:call', 'dotacja')"""
    assert only(rt, reached) == only(rt, asking)
