"""The matcher finds exactly what holding each query against each document finds."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests import snapshot
from services.interests.atoms import event_atoms
from services.interests.canonical import render
from services.interests.documents import Document
from services.interests.index import CompiledInterest, Hit, Matcher, compile_query
from services.interests.language import parse
from services.interests.naive import NaiveMatcher
from services.interests.text import Analyser
from services.interests.tree import Query
from tests.services.interests.queries import NOW, document, documents, trees

ANALYSER = Analyser()


def _compiled(tree: Query) -> CompiledInterest | None:
    """None for what the language refuses."""
    try:
        return compile_query(parse(render(tree)), ANALYSER)
    except QueryError:
        return None


@given(
    st.lists(trees, min_size=1, max_size=12),
    st.lists(documents, min_size=1, max_size=3),
    st.data(),
)
def test_the_matcher_agrees_with_its_oracle_while_interests_come_and_go(
    wanted: list[Query], told: list[Document], data: st.DataObject
) -> None:
    matcher, oracle = Matcher(), NaiveMatcher()
    for interest_id, tree in enumerate(wanted):
        if compiled := _compiled(tree):
            matcher.add(interest_id, compiled)
            oracle.add(interest_id, compiled)
    events = [event_atoms(one, ANALYSER, NOW + timedelta(days=day)) for day, one in enumerate(told)]
    assert [matcher.match(event) for event in events] == [oracle.match(event) for event in events]
    assert [list(matcher.ids(event)) for event in events] == [
        [hit.interest_id for hit in oracle.match(event)] for event in events
    ]

    if data.draw(st.booleans()):
        matcher = Matcher(snapshot.load(matcher.dump("test"), analyser="test"))
    for gone in data.draw(st.sets(st.integers(min_value=0, max_value=len(wanted)))):
        matcher.remove(gone)
        oracle.remove(gone)
    late = _compiled(data.draw(trees))
    for place in (0, 99) if late else ():
        assert late is not None
        matcher.add(place, late)
        oracle.add(place, late)
    assert [matcher.match(event) for event in events] == [oracle.match(event) for event in events]


@given(st.lists(trees, min_size=1, max_size=12), documents)
def test_shards_find_together_what_one_matcher_finds(wanted: list[Query], told: Document) -> None:
    compiled = {number: one for number, tree in enumerate(wanted) if (one := _compiled(tree))}
    event = event_atoms(told, ANALYSER, NOW)
    told_by = []
    for of in (1, 2, 4):
        shards = [Matcher() for _ in range(of)]
        for interest_id, interest in compiled.items():
            shards[interest_id % of].add(interest_id, interest)
        told_by.append(sorted((hit for shard in shards for hit in shard.match(event)), key=_id))
    assert told_by[0] == told_by[1] == told_by[2]


def _id(hit: Hit) -> int:
    return hit.interest_id


@pytest.mark.parametrize("first", [2**31 - 2, 2**40])
def test_ids_of_any_size_are_matched(first: int) -> None:
    matcher, oracle = Matcher(), NaiveMatcher()
    compiled = compile_query(parse("(robot topic:health) OR firma"), ANALYSER)
    for interest_id in range(first, first + 4):
        matcher.add(interest_id, compiled)
        oracle.add(interest_id, compiled)
    matcher.remove(first + 1)
    oracle.remove(first + 1)
    again = Matcher(snapshot.load(matcher.dump("test"), analyser="test"))
    event = event_atoms(document(title="Dla firm"), ANALYSER, NOW)
    assert matcher.match(event) == again.match(event) == oracle.match(event)
    assert len(matcher) == len(again) == 3
    assert list(matcher.known()) == [first, first + 2, first + 3]


def test_interests_that_share_a_word_are_all_found_however_many_they_are() -> None:
    matcher, oracle = Matcher(), NaiveMatcher()
    ways = ("firma", "firma -praca", "(firma kind:call) OR (firma topic:food)", "firma kind:news lang:pl")
    compiled = [compile_query(parse(way), ANALYSER) for way in ways]
    event = event_atoms(document(title="Dla firm", topics=("food",)), ANALYSER, NOW)
    comes = [(interest_id, True) for interest_id in range(150)]
    goes = [(interest_id, False) for interest_id in random.Random(3).sample(range(150), 148)]
    for step, (interest_id, is_new) in enumerate([*comes, *goes]):
        if is_new:
            matcher.add(interest_id, compiled[interest_id % len(ways)])
            oracle.add(interest_id, compiled[interest_id % len(ways)])
        else:
            matcher.remove(interest_id)
            oracle.remove(interest_id)
        if step % 40 == 7:
            matcher.settle()
            matcher = Matcher(snapshot.load(matcher.dump("test"), analyser="test"))
        assert matcher.match(event) == oracle.match(event)
        assert matcher.ids(event) == [hit.interest_id for hit in oracle.match(event)]


def test_a_matcher_that_changes_much_wastes_little() -> None:
    matcher = Matcher()
    ways = [compile_query(parse(f"w{way} kind:call (a{way} OR b c{way})"), ANALYSER) for way in range(7)]
    for turn in range(3_000):
        matcher.add(turn % 50, ways[turn % 7])
    assert len(matcher) == 50
    assert len(matcher.dump("test")) < 30_000


def test_an_emptied_matcher_matches_nothing_and_holds_nothing() -> None:
    matcher = Matcher()
    compiled = compile_query(parse('a OR ("b c" topic:health innow* deadline<3d -d)'), ANALYSER)
    for interest_id in range(3):
        matcher.add(interest_id, compiled)
    matcher.add(1, compiled)
    assert len(matcher) == 3
    for interest_id in range(4):
        matcher.remove(interest_id)
    assert len(matcher) == 0
    assert matcher.match(event_atoms(document(title="a"), ANALYSER, NOW)) == []


def matches(query: str, told: Document, *, at: datetime = NOW) -> bool:
    matcher, oracle = Matcher(), NaiveMatcher()
    compiled = compile_query(parse(query), ANALYSER)
    matcher.add(7, compiled)
    oracle.add(7, compiled)
    event = event_atoms(told, ANALYSER, at)
    assert matcher.match(event) == oracle.match(event)
    return bool(matcher.match(event))


@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ("topic:ict-ai", True),
        ("topic:ict-ai/robotics", True),
        ("topic:ict-ai/vision", False),
        ("place:0403", True),
        ("place:04", True),
        ("place:0403012", True),
        ("place:040301", True),
        ("place:0403022", False),
        ("place:0415", False),
        ("institution:umk", True),
        ("institution:pbs", False),
        ("kind:call audience:company lang:pl source:3", True),
        ("topic:ict-ai -place:0403", False),
    ],
)
def test_facets_include_what_lies_below_them(query: str, is_met: bool) -> None:
    told = document(
        kind="call",
        topics=("ict-ai/robotics",),
        places=("0403012",),
        institutions=("wydzial-chemii", "umk"),
        audience=("company",),
        source="3",
        language="pl-PL",
    )
    assert matches(query, told) is is_met


def test_a_unit_is_the_same_when_its_village_becomes_a_town() -> None:
    assert matches("place:0403012", document(places=("0403013",)))


@pytest.mark.parametrize(
    ("minute", "is_met"), [("2021-01-01T00:00+01:00", True), ("2020-12-31T23:59+01:00", False)]
)
def test_an_area_stands_from_its_first_local_day(minute: str, is_met: bool) -> None:
    told = document(places=("0461011",), published_at=datetime.fromisoformat(minute).astimezone(UTC))
    assert matches("place:bof", told) is is_met


@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ('"sztuczna inteligencja"', True),
        ('"inteligencja sztuczna"', False),
        ('"sztuczna w przemyśle"', False),
        ('title:"sztuczna inteligencja"', True),
        ('"przemysł rozwój"', False),
        ("title:rozwój", False),
        ("rozwój", True),
        ("=przemyśle", True),
        ("=przemysł", False),
        ("przemysl", True),
        ("przem*", True),
        ("rozwoj*", True),
        ("rozwój*", True),
        ("title:rozwoj*", False),
    ],
)
def test_words_phrases_and_beginnings_look_where_they_should(query: str, is_met: bool) -> None:
    told = document(title="O sztucznej inteligencji w przemyśle", body="Rozwój regionu.")
    assert matches(query, told) is is_met


@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ("deadline<3d", True),
        ("deadline<2d", False),
        ("deadline>=2d", True),
        ("deadline>2d", False),
        ("deadline<2026-11-26", True),
        ("deadline<2026-11-25", False),
        ("deadline>=2026-11-25", True),
    ],
)
def test_deadlines_count_days_of_the_calendar(query: str, is_met: bool) -> None:
    told = document(deadline_at=datetime.fromisoformat("2026-11-25T15:30:00+01:00"))
    assert matches(query, told) is is_met


def test_a_deadline_that_has_passed_is_near_no_more() -> None:
    told = document(deadline_at=NOW - timedelta(minutes=1))
    assert not matches("deadline<30d", told)
    assert matches("deadline<2026-12-01", told)
    assert not matches("deadline<30d", document())


def test_the_same_interest_meets_a_notice_when_its_deadline_comes_near() -> None:
    told = document(deadline_at=NOW + timedelta(days=40))
    assert not matches("deadline<30d", told)
    assert matches("deadline<30d", told, at=NOW + timedelta(days=11))


def test_witnesses_are_the_conditions_that_hold() -> None:
    matcher = Matcher()
    matcher.add(1, compile_query(parse("(robotyka OR topic:health OR topic:food) firma -kind:job"), ANALYSER))
    (hit,) = matcher.match(event_atoms(document(title="Dla firm", topics=("food",)), ANALYSER, NOW))
    assert hit.witnesses == ("firma", "topic:food")
