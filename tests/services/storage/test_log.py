"""The event log is read in order and without gaps, however its writers overlap."""

import threading

import pytest
from sqlalchemy import text

from services.runtime import Runtime
from services.storage import log
from services.storage.log import Cursor, Logged
from tests.factories import door, draft, publish

PAGE = 7


def read_all(rt: Runtime, after: Cursor) -> list[Logged]:
    """From a cursor to the end, in small pages, as a consumer does."""
    found: list[Logged] = []
    while True:
        with rt.begin() as session:
            page = log.read_log(session, after=after, limit=PAGE)
        if not page:
            return found
        found += page
        after = page[-1].cursor


def test_a_cursor_is_given_out_and_read_back() -> None:
    assert Cursor.parse(str(Cursor(7241, 12))) == Cursor(7241, 12)


@pytest.mark.parametrize(
    "given", ["", "7", "7-", "-7", "a-b", "1-2-3", "٣-٤x", "9" * 41, f"{2**64}-1", f"1-{2**63}"]
)
def test_what_is_no_cursor_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(given)


def test_the_log_tells_events_in_the_order_of_their_commits(rt: Runtime) -> None:
    for number in range(20):
        publish(rt, draft(f"n-{number:02}"))

    told = read_all(rt, Cursor())

    assert [one.snapshot["key"] for one in told] == [f"n-{number:02}" for number in range(20)]
    assert [one.cursor for one in told] == sorted(one.cursor for one in told)


def test_nothing_is_told_while_an_older_transaction_is_open(rt: Runtime) -> None:
    publish(rt, draft("before"))
    with rt.sessions() as slow:
        slow.execute(text("SELECT pg_current_xact_id()"))
        publish(rt, draft("after"))

        assert [one.snapshot["key"] for one in read_all(rt, Cursor())] == ["before"]

        slow.rollback()
    assert [one.snapshot["key"] for one in read_all(rt, Cursor())] == ["before", "after"]


def test_a_reader_among_many_writers_misses_nothing_and_hears_nothing_twice(rt: Runtime) -> None:
    door(rt)
    writers, each = 4, 25
    told: list[Logged] = []

    def write(name: int) -> None:
        for number in range(each):
            publish(rt, draft(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        told += read_all(rt, told[-1].cursor if told else Cursor())
    told += read_all(rt, told[-1].cursor if told else Cursor())

    keys = [one.snapshot["key"] for one in told]
    assert len(keys) == len(set(keys)) == writers * each
    assert [one.cursor for one in told] == sorted(one.cursor for one in told)
