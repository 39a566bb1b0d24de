"""A matcher begins with its snapshot, hears of every change, and never tells from what it does not know."""

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from services.clock import FrozenClock
from services.interests.live import LiveIndex
from services.interests.shards import Shard
from services.interests.text import Analyser
from services.manage import housekeeping, subscriptions
from services.manage.subscriptions import Wish
from services.pipeline import match
from services.pipeline.following import SAVE_EVERY, refresh, save
from services.runtime import Runtime
from services.storage import matching, snapshots
from services.storage import subscriptions as uses
from tests.conftest import OpenRuntime
from tests.factories import counts, draft, only, publish, reader, rows

MET = """
    SELECT i.canonical, count(*) FROM matches m JOIN interests i ON i.id = m.interest_id
    WHERE m.event_id = (SELECT max(id) FROM events) GROUP BY 1
"""


def started(rt: Runtime, analyser: Analyser | None = None) -> LiveIndex:
    """The index of a process that starts now."""
    index = LiveIndex(analyser or rt.analyser)
    assert refresh(rt, index)
    return index


def matched(rt: Runtime, index: LiveIndex) -> set[int]:
    """The interests that the newest event meets."""
    newest = only(rt, "SELECT max(id) AS id FROM events")["id"]
    with rt.begin() as session:
        (event,) = matching.events_as_documents(session, [newest])
    return {hit.interest_id for hit in index.match(event.document, rt.clock.now())}


def test_a_start_takes_the_snapshot_and_compiles_only_what_it_lacks(rt: Runtime) -> None:
    person = reader(rt, "anna@mail.example", "dotacja", "kind:call", '"dotacje dla firm" -kind:tender')
    refresh(rt, rt.index)
    assert save(rt, rt.index, after=1)
    subscriptions.remove(rt, person.id, person.subscriptions[0].id)
    reader(rt, "jan@mail.example", "firma")

    index = started(rt)

    assert index.unsaved == 1, "only the new one was compiled"
    publish(rt, draft(title="Dotacje dla firm"))
    ids = counts(rt, "SELECT canonical, id FROM interests")
    assert matched(rt, index) == {ids["kind:call"], ids['"dotacje dla firm" -kind:tender'], ids["firma"]}


@pytest.mark.parametrize(
    "data", ["''", "'\\x00'", "data || '\\x00'::bytea", "overlay(data placing '\\xff' from 90)"]
)
def test_a_damaged_snapshot_costs_time_and_nothing_else(rt: Runtime, data: str) -> None:
    reader(rt, "anna@mail.example", "dotacja", "kind:call")
    refresh(rt, rt.index)
    assert save(rt, rt.index, after=1)
    rows(rt, f"UPDATE index_snapshots SET data = {data} RETURNING piece")

    index = started(rt)

    assert (len(index), index.unsaved) == (2, 2)


def _swap(rt: Runtime) -> None:
    """As in another database: the same ids mean something else."""
    other = "CASE canonical WHEN 'dotacja' THEN 'kind:tender' ELSE 'dotacja' END"
    rows(rt, f"UPDATE interests SET canonical = {other} RETURNING id")


def test_a_snapshot_of_another_database_is_not_believed(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", "dotacja", "przetarg")
    refresh(rt, rt.index)
    assert save(rt, rt.index, after=1)
    _swap(rt)

    index = started(rt)

    publish(rt, draft(title="Dotacje dla firm"))
    known = counts(rt, "SELECT id, canonical FROM interests")
    assert {known[one] for one in matched(rt, index)} == {"dotacja"}


def test_a_database_that_was_put_back_is_read_anew(rt: Runtime) -> None:
    """As by a backup, or a copy that took over: transactions are counted from further back."""
    reader(rt, "anna@mail.example", "dotacja", "przetarg")
    index = started(rt)
    index.horizon = "9999999999"
    _swap(rt)
    reader(rt, "jan@mail.example", "firma")

    assert refresh(rt, index)

    publish(rt, draft(title="Dotacje dla firm"))
    known = counts(rt, "SELECT id, canonical FROM interests")
    assert {known[one] for one in matched(rt, index)} == {"dotacja", "firma"}
    assert index.horizon != "9999999999"


def test_another_analyser_compiles_anew_only_what_it_reads_otherwise(rt: Runtime, clock: FrozenClock) -> None:
    earlier = started(rt, Analyser(with_dictionary=False))
    reader(rt, "anna@mail.example", "dotacja", "kind:call", "oze -kind:tender", '"dotacje dla firm"')
    refresh(rt, earlier)
    assert save(rt, earlier, after=1)

    index = LiveIndex(rt.analyser)
    with rt.begin() as session:
        assert index.restore(snapshots.read(session, "1/1"))
        live = matching.live_interests(session, Shard.parse("1/1"))
    ids = counts(rt, "SELECT canonical, id FROM interests")
    assert set(index.reconcile(live)) == {ids["dotacja"], ids['"dotacje dla firm"']}

    index = started(rt)
    publish(rt, draft(title="Dotacji udzieli gmina"))
    assert matched(rt, index) == {ids["dotacja"], ids["kind:call"]}
    clock.advance(SAVE_EVERY)
    assert save(rt, index, after=1), "so that the next start need not do it again"


def test_events_are_matched_before_while_and_after_words_are_read_otherwise(rt: Runtime) -> None:
    before = Analyser(with_dictionary=False)
    old = replace(rt, analyser=before, index=LiveIndex(before))
    reader(rt, "anna@mail.example", "konkurs", "startup")

    for number in range(6):
        publish(rt, draft(key=str(number), title=f"Konkurs startup {number}"))
        match.run(old if number < 2 else rt if number > 3 else (old, rt)[number % 2])
        if number == 1:
            assert save(old, old.index, after=1)

    assert only(rt, "SELECT count(*) AS n FROM matches")["n"] == 12
    assert only(rt, "SELECT count(*) AS n FROM events WHERE state IN ('pending', 'leased')")["n"] == 0


def test_snapshots_are_written_once_a_minute_whoever_wants_to(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, "anna@mail.example", "dotacja")
    other = started(rt)
    refresh(rt, rt.index)
    assert save(rt, rt.index, after=1)
    assert not save(rt, rt.index, after=1), "nothing has changed"
    assert not save(rt, other, after=1), "somebody has just done so"
    clock.advance(SAVE_EVERY)
    assert save(rt, other, after=1)


def test_a_commit_that_was_open_while_later_ones_were_read_is_heard_of(rt: Runtime) -> None:
    refresh(rt, rt.index)
    slow = rt.sessions()
    slow.execute(text("SELECT pg_current_xact_id()"))
    reader(rt, "jan@mail.example", "firma")
    for _ in range(2):
        refresh(rt, rt.index)
    assert len(rt.index) == 1
    told = rt.index.unsaved
    now = rt.clock.now()
    interest_id = uses.intern(slow, ["dotacja"], now=now)["dotacja"]
    person = only(rt, "SELECT id FROM subscribers")["id"]
    uses.add(slow, interest_id=interest_id, owner={"subscriber_id": person}, query="dotacja", label="dotacja",
             channel="email", cadence="instant", now=now)  # fmt: skip
    slow.commit()
    slow.close()

    refresh(rt, rt.index)

    assert len(rt.index) == 2
    assert rt.index.unsaved == told + 1, "what was told before is not told again"


def test_what_every_matcher_has_read_of_the_log_is_forgotten(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, "anna@mail.example", "kind:call", "dotacja")
    housekeeping.tidy(rt)
    assert entries(rt) == 2, "somebody may still have to read them"
    clock.advance(housekeeping.KEEP_CHANGES)
    reader(rt, "jan@mail.example", "firma")

    housekeeping.tidy(rt)

    assert entries(rt) == 1, "the newest was written after the mark"
    clock.advance(housekeeping.KEEP_CHANGES)
    housekeeping.tidy(rt)
    assert entries(rt) == 0


def test_a_matcher_that_slept_while_the_log_was_forgotten_misses_nothing(
    rt: Runtime, clock: FrozenClock
) -> None:
    person = reader(rt, "anna@mail.example", "kind:call", "dotacja")
    slept, awake = started(rt), started(rt)
    subscriptions.remove(rt, person.id, person.subscriptions[0].id)
    reader(rt, "jan@mail.example", "firma")
    refresh(rt, awake)
    for _ in range(2):
        housekeeping.tidy(rt)
        clock.advance(housekeeping.KEEP_CHANGES)
    assert entries(rt) == 0

    for index in (slept, awake):
        assert refresh(rt, index)
        publish(rt, draft(title="Dotacje dla firm"))
        known = counts(rt, "SELECT id, canonical FROM interests")
        assert {known[one] for one in matched(rt, index)} == {"dotacja", "firma"}


def test_marks_of_a_database_that_lived_before_forget_nothing(rt: Runtime, clock: FrozenClock) -> None:
    """As after a restore from a dump: numbers of transactions begin anew, and the marks lie ahead."""
    reader(rt, "anna@mail.example", "kind:call")
    housekeeping.tidy(rt)
    rows(rt, "UPDATE interest_log SET mark = '9999999999', pruned = '9999999998' RETURNING id")
    index = started(rt)
    told = index.unsaved
    clock.advance(housekeeping.KEEP_CHANGES)

    assert refresh(rt, index)
    housekeeping.tidy(rt)

    assert entries(rt) == 1
    assert index.unsaved == told, "nothing was put right anew"
    clock.advance(housekeeping.KEEP_CHANGES)
    housekeeping.tidy(rt)
    assert entries(rt) == 0


def entries(rt: Runtime) -> int:
    return int(only(rt, "SELECT count(*) AS n FROM interest_changes")["n"])


def test_a_process_that_is_stopping_matches_nothing_with_half_an_index(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", "kind:call")
    publish(rt)
    rt.stopping.set()

    assert not refresh(rt, rt.index)
    assert match.run(rt) == 0
    assert only(rt, "SELECT state FROM events")["state"] == "pending"


def test_a_matcher_that_idles_hears_of_a_commit_within_a_second(rt: Runtime) -> None:
    attending = threading.Thread(target=match.attend, args=(rt,))
    attending.start()
    reader(rt, "anna@mail.example", "kind:call")
    until = time.monotonic() + 5
    while not len(rt.index) and time.monotonic() < until:
        time.sleep(0.01)
    rt.stopping.set()
    attending.join()
    assert len(rt.index) == 1
    assert match.LOOK_EVERY_S < 1


class _Stream(RuleBasedStateMachine):
    """Interests come, change and go while events stream through two matchers by turns."""

    QUERIES = (
        "dotacja",
        "kind:call",
        "firma -kind:tender",
        '"dotacje dla firm"',
        "title:firm* OR topic:health",
    )

    def __init__(self, matchers: tuple[Runtime, Runtime], name: str) -> None:
        super().__init__()
        self._matchers = matchers
        self._rt = matchers[0]
        self._person = reader(self._rt, f"{name}@mail.example", "kind:job")
        self._asked: dict[str, int] = {}
        self._name, self._sent = name, 0

    @rule(query=st.sampled_from(QUERIES))
    def ask(self, query: str) -> None:
        if query not in self._asked:
            wish = Wish(query, cadence="instant")
            self._asked[query] = subscriptions.add(self._rt, self._person.id, wish).id

    @rule(query=st.sampled_from(QUERIES))
    def drop(self, query: str) -> None:
        if query in self._asked:
            subscriptions.remove(self._rt, self._person.id, self._asked.pop(query))

    @rule(before=st.sampled_from(QUERIES), after=st.sampled_from(QUERIES))
    def change(self, before: str, after: str) -> None:
        if before in self._asked and after not in self._asked:
            subscription = self._asked.pop(before)
            subscriptions.change(self._rt, self._person.id, subscription, query=after)
            self._asked[after] = subscription

    @rule(which=st.integers(min_value=0, max_value=1))
    def tell(self, which: int) -> None:
        self._sent += 1
        publish(self._rt, draft(f"{self._name}-{self._sent}", title="Dotacje dla firm"))
        assert match.run(self._matchers[which]) == 1
        canonical = {subscriptions.pledge(Wish(query)).canonical for query in self._asked}
        assert set(counts(self._rt, MET)) == canonical

    @invariant()
    def nothing_waits(self) -> None:
        assert not rows(self._rt, "SELECT id FROM events WHERE state <> 'matched'")

    def teardown(self) -> None:
        for query in list(self._asked):
            self.drop(query)


def test_what_is_asked_for_meets_the_next_event_and_what_is_dropped_none(open_runtime: OpenRuntime) -> None:
    matchers = (open_runtime(), open_runtime())
    numbers = iter(range(1_000))
    run_state_machine_as_test(
        lambda: _Stream(matchers, f"r{next(numbers)}"),  # type: ignore[arg-type]  # a maker does as well
        settings=settings(max_examples=5, stateful_step_count=12, deadline=None, derandomize=True),
    )
