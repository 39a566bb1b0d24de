"""Rows are the queue: claimed once, kept by a lease, and written only by who still holds them."""

import threading
import time
from collections import Counter
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.clock import FrozenClock
from services.runtime import Runtime
from services.storage import work
from services.storage.session import patiently
from services.storage.work import Claim
from tests.factories import counts, draft, publish, rows

LEASE = timedelta(minutes=1)
STATES = "SELECT state, count(*) AS number FROM events GROUP BY state"


def some_events(rt: Runtime, number: int) -> None:
    publish(rt, *(draft(f"n-{n:03}") for n in range(number)))


def claim(rt: Runtime, limit: int = 100) -> Claim:
    with rt.begin() as session:
        return work.claim(session, work.EVENTS, now=rt.clock.now(), lease=LEASE, limit=limit)


def test_what_is_claimed_is_not_claimed_again(rt: Runtime) -> None:
    some_events(rt, 5)

    first, second, third = claim(rt, 3), claim(rt, 3), claim(rt, 3)

    assert (len(first.rows), len(second.rows), third.rows) == (3, 2, ())
    assert set(first.rows).isdisjoint(second.rows)
    assert not third


def test_claimers_at_once_share_the_rows_without_waiting(rt: Runtime) -> None:
    some_events(rt, 120)
    held: list[int] = []

    def take() -> None:
        while found := claim(rt, 7):
            held.extend(found.rows)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(held) == 120
    assert set(Counter(held).values()) == {1}


def test_the_oldest_due_comes_first_and_what_is_not_due_waits(rt: Runtime, clock: FrozenClock) -> None:
    some_events(rt, 3)
    ids = [row["id"] for row in rows(rt, "SELECT id FROM events ORDER BY id")]
    with rt.begin() as session:
        held = work.claim(session, work.EVENTS, now=clock.now(), lease=LEASE, limit=3)
        work.hand_back(session, work.EVENTS, held)
    later, early = clock.now() + timedelta(hours=1), clock.now() - timedelta(hours=1)
    rows(rt, "UPDATE events SET due_at = :at WHERE id = :id RETURNING id", at=later, id=ids[0])
    rows(rt, "UPDATE events SET due_at = :at WHERE id = :id RETURNING id", at=early, id=ids[2])

    assert claim(rt).rows == (ids[2], ids[1])
    clock.advance(timedelta(hours=1))
    assert claim(rt, 1).rows[0] in ids


def test_a_lease_that_ran_out_passes_the_row_on(rt: Runtime, clock: FrozenClock) -> None:
    some_events(rt, 1)
    dead = claim(rt)
    assert not claim(rt)

    clock.advance(LEASE + timedelta(seconds=1))
    heir = claim(rt)

    assert heir.rows == dead.rows
    assert heir.id != dead.id


def test_who_lost_the_lease_can_neither_give_back_nor_keep_the_row(rt: Runtime, clock: FrozenClock) -> None:
    some_events(rt, 1)
    dead = claim(rt)
    clock.advance(LEASE + timedelta(seconds=1))
    heir = claim(rt)
    until = rows(rt, "SELECT lease_until FROM events")[0]["lease_until"]

    with rt.begin() as session:
        assert work.hand_back(session, work.EVENTS, dead) == 0
        work.extend(session, work.EVENTS, dead, until=clock.now() + timedelta(days=1))

    row = rows(rt, "SELECT claim_id, lease_until, state FROM events")[0]
    assert (row["claim_id"], row["lease_until"], row["state"]) == (heir.id, until, "leased")


def test_a_lease_is_kept_while_its_holder_lives(rt: Runtime, clock: FrozenClock) -> None:
    some_events(rt, 1)
    held = claim(rt)
    clock.advance(LEASE - timedelta(seconds=1))
    with rt.begin() as session:
        work.extend(session, work.EVENTS, held, until=clock.now() + LEASE)
    clock.advance(LEASE - timedelta(seconds=1))

    assert not claim(rt)


def test_a_lease_is_renewed_without_waiting_for_a_row_that_is_being_recorded(
    rt: Runtime, clock: FrozenClock
) -> None:
    some_events(rt, 3)
    held = claim(rt, 3)
    with rt.begin() as recording:
        recording.execute(text("UPDATE events SET state = 'done' WHERE id = :id"), {"id": held.rows[0]})
        with rt.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = '1s'"))
            work.extend(session, work.EVENTS, held, until=clock.now() + timedelta(hours=1))
    until = rows(rt, "SELECT id FROM events WHERE lease_until > :soon ORDER BY id", soon=clock.now() + LEASE)
    assert [row["id"] for row in until] == sorted(held.rows[1:])


def test_a_deadlock_is_tried_again(rt: Runtime) -> None:
    some_events(rt, 2)
    first, second = (row["id"] for row in rows(rt, "SELECT id FROM events ORDER BY id"))
    both_hold = threading.Barrier(2)
    tries: Counter[int] = Counter()

    def touch(session: Session, one: int, other: int) -> None:
        tries[one] += 1
        session.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
        session.execute(text("UPDATE events SET state = 'done' WHERE id = :id"), {"id": one})
        if tries[one] == 1:
            both_hold.wait(10)
        session.execute(text("UPDATE events SET state = 'done' WHERE id = :id"), {"id": other})

    def act(one: int, other: int) -> None:
        patiently(rt.sessions, lambda session: touch(session, one, other), sleep=time.sleep)

    threads = [threading.Thread(target=act, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert counts(rt, "SELECT state, count(*) AS n FROM events GROUP BY state") == {"done": 2}
    assert sorted(tries.values()) == [1, 2]


def test_what_is_given_back_is_due_at_once(rt: Runtime) -> None:
    some_events(rt, 4)
    held = claim(rt)
    with rt.begin() as session:
        assert work.hand_back(session, work.EVENTS, held, rows=held.rows[:1]) == 1
    assert counts(rt, STATES) == {"pending": 1, "leased": 3}
    with rt.begin() as session:
        assert work.hand_back(session, work.EVENTS, held) == 3

    assert claim(rt).rows == held.rows


def test_a_backlog_is_counted_with_its_oldest(rt: Runtime, clock: FrozenClock) -> None:
    with rt.begin() as session:
        assert work.backlog(session, "match", now=clock.now()) == work.Backlog(0, 0.0)
    some_events(rt, 3)
    clock.advance(90)

    with rt.begin() as session:
        assert work.backlog(session, "match", now=clock.now()) == work.Backlog(3, 90.0)
        assert work.is_due(session, "match", now=clock.now())
        assert not work.is_due(session, "deliver_mail", now=clock.now())
