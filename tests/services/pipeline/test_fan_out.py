"""Whoever an event reaches is written in slices: none twice, none missed, whatever dies in between."""

from datetime import timedelta

from services.clock import FrozenClock
from services.pipeline import match
from services.pipeline.fan_out import fan_out
from services.pipeline.following import refresh
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import fanout as store
from services.storage import matching, work
from services.storage.work import Claim
from tests.factories import counts, draft, listener, many_readers, publish, reader, rows, withdraw

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
