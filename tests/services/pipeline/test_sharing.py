"""Several matchers that share the interests tell exactly what one alone tells, whatever becomes of them."""

from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.interests.atoms import event_atoms
from services.interests.compiled import compile_query
from services.interests.language import parse
from services.interests.naive import NaiveMatcher
from services.interests.shards import Shard
from services.pipeline import match
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import matching, turns, work
from tests.conftest import OpenRuntime
from tests.factories import draft, only, publish, reader, rows, withdraw

QUERIES = ("dotacja", "kind:call", "kind:tender", "firma -kind:tender", '"dotacje dla firm"', "innowacj*",
           "topic:health OR topic:funding", "title:firma deadline<3d", "=firm",
           "(dotacja kind:call) OR przetarg",
           "place:torun", "badanie OR robot", "-dotacja kind:tender")  # fmt: skip
DRAFTS = (
    draft("a", title="Dotacje dla firm", topics=("funding",)),
    draft("b", title="Przetarg na roboty", kind="tender", places=("0463011",)),
    draft("c", title="Innowacje i badania dla firm", kind="news"),
)
SPOILED = """
    UPDATE events SET snapshot = jsonb_set(snapshot, '{{topics}}', '{topics}') WHERE id = :id RETURNING id
"""
WAITING = "SELECT count(*) AS n FROM events WHERE state <> 'matched'"


def sharing(open_runtime: OpenRuntime, of: int) -> list[Runtime]:
    return [open_runtime(match_shard=str(Shard(number, of))) for number in range(of)]


def met(rt: Runtime) -> set[tuple[int, int, tuple[str, ...]]]:
    found = rows(rt, "SELECT event_id, interest_id, witnesses FROM matches")
    return {(row["event_id"], row["interest_id"], tuple(row["witnesses"])) for row in found}


def expected(rt: Runtime) -> set[tuple[int, int, tuple[str, ...]]]:
    """By the oracle: every interest against every event."""
    oracle = NaiveMatcher()
    for row in rows(rt, "SELECT id, canonical FROM interests"):
        oracle.add(row["id"], compile_query(parse(row["canonical"]), rt.analyser))
    ids = [row["id"] for row in rows(rt, "SELECT id FROM events")]
    with rt.begin() as session:
        events = matching.events_as_documents(session, ids)
    return {
        (event.event_id, hit.interest_id, hit.witnesses)
        for event in events
        for hit in oracle.match(event_atoms(event.document, rt.analyser, rt.clock.now()))
    }


@pytest.mark.parametrize("of", [1, 2, 4])
def test_so_many_matchers_find_what_the_oracle_finds(open_runtime: OpenRuntime, of: int) -> None:
    matchers = sharing(open_runtime, of)
    for number, query in enumerate(QUERIES):
        reader(matchers[0], f"r{number}@mail.example", query)
    publish(matchers[0], *DRAFTS)

    told = sum(match.run(rt) for _ in range(2) for rt in matchers)

    assert told == len(DRAFTS)
    assert met(matchers[0]) == expected(matchers[0])
    assert len(met(matchers[0])) > 10
    candidates = rows(matchers[0], "SELECT subscription_id, event_id FROM candidates")
    assert len(candidates) == len(met(matchers[0]))
    assert not rows(matchers[0], "SELECT id FROM match_turns")


def test_nobody_is_told_before_every_shard_is_done(open_runtime: OpenRuntime) -> None:
    first, second = sharing(open_runtime, 2)
    for number, query in enumerate(QUERIES):
        reader(first, f"r{number}@mail.example", query)
    publish(first, *DRAFTS)

    assert match.run(first) == 0
    assert only(first, "SELECT count(*) AS n FROM candidates")["n"] == 0
    assert match.run(second) == len(DRAFTS)
    assert only(first, WAITING)["n"] == 0


def test_a_shard_that_dies_is_followed(open_runtime: OpenRuntime, clock: FrozenClock) -> None:
    first, second = sharing(open_runtime, 2)
    reader(first, "anna@mail.example", "kind:call", "dotacja", "firma")
    publish(first)
    match.run(first)
    with first.begin() as session:
        dead = work.claim(session, turns.lane(Shard(1, 2)), now=clock.now(), lease=LEASE, limit=10)
    assert match.run(second) == 0

    clock.advance(LEASE + timedelta(seconds=1))
    assert match.run(second) == 1

    with first.begin() as session:  # should the dead one only have been slow, it changes nothing
        event_id = only(first, "SELECT id FROM events")["id"]
        late = [(event_id, row["id"], ("late",)) for row in rows(first, "SELECT id FROM interests")]
        assert matching.record(session, dead, late, now=clock.now(), by_turn=True) == 0
        assert turns.done(session, dead, [event_id], now=clock.now()) == 0
    assert met(first) == expected(first)


def test_another_number_of_shards_leaves_no_event_behind(
    open_runtime: OpenRuntime, clock: FrozenClock
) -> None:
    four = sharing(open_runtime, 4)
    reader(four[0], "anna@mail.example", *QUERIES)
    publish(four[0], *DRAFTS)
    for rt in four[:2]:
        match.run(rt)

    (alone,) = sharing(open_runtime, 1)
    assert match.run(alone) == 0, "the others may still come"
    clock.advance(match.STRANDED_AFTER + timedelta(seconds=1))
    assert match.run(alone) == len(DRAFTS)
    assert met(alone) == expected(alone)


def test_a_turn_that_somebody_died_with_is_not_left_behind_either(
    open_runtime: OpenRuntime, clock: FrozenClock
) -> None:
    two = sharing(open_runtime, 2)
    reader(two[0], "anna@mail.example", *QUERIES)
    publish(two[0])
    match.run(two[0])
    with two[0].begin() as session:
        work.claim(session, turns.lane(Shard(1, 2)), now=clock.now(), lease=LEASE, limit=10)

    (alone,) = sharing(open_runtime, 1)
    clock.advance(LEASE + match.STRANDED_AFTER + timedelta(seconds=1))
    assert match.run(alone) == 1
    assert met(alone) == expected(alone)


def test_revisions_and_withdrawals_reach_who_got_the_first(open_runtime: OpenRuntime) -> None:
    matchers = sharing(open_runtime, 2)
    reader(matchers[0], "anna@mail.example", "dotacja")
    for title in ("Dotacje", "Pożyczki", None):
        if title:
            publish(matchers[0], draft(title=title))
        else:
            withdraw(matchers[0])
        for rt in matchers * 2:
            match.run(rt)
        rows(matchers[0], "UPDATE candidates SET state = 'issued' WHERE state = 'pending' RETURNING id")

    kinds = rows(
        matchers[0], "SELECT e.type FROM candidates c JOIN events e ON e.id = c.event_id ORDER BY e.id"
    )
    assert [row["type"] for row in kinds] == ["published", "revised", "withdrawn"]


def test_an_event_that_a_shard_cannot_read_is_tried_again(
    open_runtime: OpenRuntime, clock: FrozenClock
) -> None:
    matchers = sharing(open_runtime, 2)
    reader(matchers[0], "anna@mail.example", "kind:call")
    publish(matchers[0], draft("good"), draft("bad"))
    kept = only(matchers[0], "SELECT id FROM events WHERE snapshot->>'key' = 'bad'")
    rows(matchers[0], SPOILED.format(topics="[[]]"), id=kept["id"])

    assert sum(match.run(rt) for _ in range(2) for rt in matchers) == 1

    rows(matchers[0], SPOILED.format(topics="[]"), id=kept["id"])
    clock.advance(match.AGAIN_AFTER + timedelta(seconds=1))
    assert sum(match.run(rt) for _ in range(2) for rt in matchers) == 1


def test_a_shard_that_nobody_runs_is_told_in_the_log(
    open_runtime: OpenRuntime, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = sharing(open_runtime, 2)
    publish(first, *DRAFTS)
    match.run(first)
    match.tell_missing(first)
    assert "match.shard_missing" not in capsys.readouterr().out

    clock.advance(match.MISSED_AFTER + timedelta(seconds=1))
    match.tell_missing(first)

    (line,) = [one for one in capsys.readouterr().out.splitlines() if "match.shard_missing" in one]
    assert "shard=2/2" in line
