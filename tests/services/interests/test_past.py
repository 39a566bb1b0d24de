"""Notices turned round count exactly what holding a query against each of them counts."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests import advice
from services.interests.canonical import render
from services.interests.documents import Document
from services.interests.evaluate import meets
from services.interests.language import parse
from services.interests.past import Past
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tree import Query
from tests.services.interests.queries import NOW, document, documents, trees

ANALYSER = Analyser()


def turned(*told: Document) -> Past:
    past = Past(ANALYSER)
    for number, one in enumerate(told):
        past.put(number, Reading(one, ANALYSER))
    return past


@given(st.lists(trees, min_size=1, max_size=6), st.lists(documents, min_size=1, max_size=8), st.data())
def test_it_counts_what_the_oracle_counts_while_notices_come_and_go(
    wanted: list[Query], told: list[Document], data: st.DataObject
) -> None:
    past, standing = turned(*told), dict(enumerate(told))
    for gone in data.draw(st.sets(st.integers(0, len(told)))):
        past.discard(gone)
        standing.pop(gone, None)
    for number in data.draw(st.sets(st.integers(0, len(told) + 2), max_size=3)):
        standing[number] = data.draw(documents)
        past.put(number, Reading(standing[number], ANALYSER))
    now = NOW + timedelta(days=data.draw(st.integers(0, 3)))
    for tree in wanted:
        try:
            query = parse(render(tree))
        except QueryError:
            continue
        met = {n for n, one in standing.items() if meets(query, Reading(one, ANALYSER), now)}
        assert set(past.find(query, now)) == met
        assert past.count(query, now) == len(met)
    assert len(past) == len(standing)


def test_an_emptied_past_holds_no_words() -> None:
    past = turned(document(title="Nabór na bony", body="dla firm"))
    past.discard(0)
    past.discard(0)
    assert (len(past), past.words, past.find(parse("bony"), NOW)) == (0, 0, [])


def widened(query: str, past: Past) -> dict[str, int]:
    everything = past.find(parse("lang:pl"), NOW)
    return {one.query: one.count for one in advice.widen(parse(query), past, everything, NOW)}


def test_what_brings_nothing_is_widened_to_what_brings_something() -> None:
    past = turned(
        document(title="Rowery miejskie", kind="call", places=("0463011",)),
        document(title="Autobusy wodorowe", kind="news"),
    )
    assert widened("rower autobus", past) == {"autobus": 1, "rower": 1}
    assert widened('"rowery wodorowe" kind:call', past)["kind:call"] == 1
    assert widened("rower place:0403012", past) == {"place:04 rower": 1, "rower": 1}
    assert widened("wodorownia", past)["wodorow*"] == 1
    assert widened("nic", past) == {}


def test_what_brings_too_much_is_narrowed_in_different_ways() -> None:
    told = [
        document(kind="call" if n % 4 else "job", topics=("funding",) if n % 3 else ("health",))
        for n in range(40)
    ]
    past = turned(*told)
    found = advice.narrow(parse("lang:pl"), past, range(40), NOW, most=20)
    assert [(one.query, one.count) for one in found] == [
        ("kind:job lang:pl", 10), ("lang:pl topic:health", 14),
    ]  # fmt: skip
