"""The event log is read in order and without gaps, however its writers overlap."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.runtime import Runtime
from services.storage import log
from services.storage.log import Cursor, Logged
from tests.factories import door, draft, publish, rows

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


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1))
def test_every_place_has_a_cursor_and_cursors_are_ordered_as_places(xact: int, number: int) -> None:
    place = Cursor(xact, number)
    assert Cursor.parse(str(place)) == place
    assert (place < Cursor(xact, number + 1)) is (place < Cursor(xact + 1, 0)) is True


@given(st.text(max_size=45))
def test_no_text_is_read_as_a_cursor_that_it_is_not(given: str) -> None:
    try:
        place = Cursor.parse(given)
    except ValueError:
        return
    assert Cursor.parse(str(place)) == place


# What a writer does next: begin and write an event, or end with it (written, or as if it never was).
STEPS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_however_writers_overlap_a_reader_hears_every_event_once(
    rt: Runtime, steps: list[tuple[int, bool]]
) -> None:
    """Writers begin and end in any order; after each step a reader goes on from its cursor."""
    if not rows(rt, "SELECT id FROM events"):
        publish(rt)
    begun = read_all(rt, Cursor())[-1].cursor
    writers: dict[int, tuple[Session, int]] = {}
    written: list[int] = []
    told: list[Logged] = []

    def hear() -> None:
        told.extend(read_all(rt, told[-1].cursor if told else begun))

    def end(writer: int, *, is_kept: bool) -> None:
        session, event_id = writers.pop(writer)
        session.commit() if is_kept else session.rollback()
        session.close()
        written.extend([event_id] if is_kept else [])

    for writer, is_kept in steps:
        if writer in writers:
            end(writer, is_kept=is_kept)
        else:
            session = rt.sessions()
            event_id: int = session.execute(ONE_MORE).scalar_one()
            writers[writer] = (session, event_id)
        hear()
    for writer in list(writers):
        end(writer, is_kept=True)
        hear()
    ids = [one.id for one in told]
    assert sorted(ids) == sorted(written)
    assert len(ids) == len(set(ids))
    with rt.begin() as session:
        back = log.read_back(session, before=None, limit=len(ids) + 1)
    assert [one.id for one in back][: len(ids)] == ids[::-1]


ONE_MORE = text("""
    INSERT INTO events (type, notice_id, revision, at, snapshot, state, due_at)
    SELECT 'revised', notice_id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, at, snapshot,
           'matched', due_at
    FROM events ORDER BY id LIMIT 1 RETURNING id
""")
