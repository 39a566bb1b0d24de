"""What to try instead: the nearest spelling first, then less; always a query that brings something."""

import pytest

from services.interests import advice, language
from services.interests.past import Past
from services.interests.polish import dictionary
from services.interests.reading import Reading
from services.interests.text import Analyser
from tests.measure import cpu_s
from tests.services.interests.queries import NOW, document

ANALYSER = Analyser()
pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")
PUBLISHED = (
    document(title="Seminarium o recyklatach", topics=("circular-economy",), kind="meeting"),
    document(title="Wouchery na cyberbezpieczeństwo", topics=("funding",), kind="call", places=("0463011",)),
    document(title="Dofinansowanie udziału w targach zagranicznych", kind="call", places=("0461011",)),
    document(title="Konkurs na doktoraty wdrożeniowe", topics=("science",)),
    document(title="Wyrok sądu o łące"),
)


@pytest.fixture(scope="module")
def past() -> Past:
    found = Past(ANALYSER)
    for number, one in enumerate(PUBLISHED):
        found.put(number, Reading(one, ANALYSER))
    return found


def tried(past: Past, query: str) -> list[str]:
    tree = language.parse(query)
    assert past.find(tree, NOW) == []
    found = advice.widen(tree, past, range(len(PUBLISHED)), NOW)
    assert all(past.count(language.parse(one.query), NOW) == one.count > 0 for one in found)
    return [one.query for one in found]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("seminarjum", "seminarium"),
        ("wocher cyberbezpieczenstwo", "cyberbezpieczenstwo wouchery"),
        ('"konkurs na doktorarty"', '"konkurs na doktoraty"'),
        ('"dofinansowanie udziału w targach krajowych"', '"dofinansowanie udziału w targach"'),
        ("recyklaty drony", "recyklaty"),
        ("sad", "sąd"),
        ("laka", "łąka"),
        ("topic:circular-economy/plastik", "topic:circular-economy"),
        ("kind:tender doktorat", "doktorat"),
    ],
)
def test_the_least_change_that_brings_something_comes_first(past: Past, typed: str, first: str) -> None:
    assert tried(past, typed)[0] == first


def test_only_a_short_query_is_respelt(past: Past) -> None:
    others = [f"xyzzyqq{n}" for n in range(advice.MOST_RESPELT)]
    assert tried(past, " OR ".join(["seminarjum", *others[1:]])) != []
    long = " OR ".join(["seminarjum", *others])
    assert "seminarium" not in " ".join(tried(past, long))
    assert cpu_s(lambda: tried(past, long)) < 0.2


def test_small_words_are_no_advice(past: Past) -> None:
    assert "na" not in tried(past, "bony na doktoraty")
    assert tried(past, "na w o xyzzy") == []


def test_where_nothing_is_near_nothing_is_advised(past: Past) -> None:
    assert tried(past, "xyzzyqq") == []
