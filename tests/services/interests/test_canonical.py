"""Equal meaning has one form, the form reads back as itself, and it means what was typed."""

import random

from hypothesis import assume, given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests.canonical import canonical, normalise, render
from services.interests.evaluate import meets
from services.interests.language import parse
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tree import And, Not, Or, Query
from tests.services.interests.queries import NOW, documents, trees

ANALYSER = Analyser()


def _accepted(text: str) -> Query:
    try:
        return parse(text)
    except QueryError:
        assume(False)
        raise


@given(trees)
def test_a_canonical_query_reads_back_as_itself(tree: Query) -> None:
    query = _accepted(render(tree))
    assert query == normalise(tree)
    assert parse(canonical(query)) == query
    assert canonical(parse(canonical(tree))) == canonical(tree)


def _rearranged(tree: Query, chance: random.Random) -> Query:
    """The same meaning, written otherwise: other order, repeated parts, more nesting, double negation."""
    if isinstance(tree, Not):
        return Not(_rearranged(tree.part, chance))
    if not isinstance(tree, And | Or):
        return Not(Not(tree)) if chance.random() < 0.2 else tree
    parts = [_rearranged(part, chance) for part in tree.parts]
    parts += chance.sample(parts, k=1)
    chance.shuffle(parts)
    kind = type(tree)
    return kind((kind(tuple(parts[:2])), *parts[2:])) if chance.random() < 0.5 else kind(tuple(parts))


@given(trees, st.randoms(use_true_random=False))
def test_order_repetition_and_nesting_do_not_matter(tree: Query, chance: random.Random) -> None:
    assert canonical(_rearranged(tree, chance)) == canonical(tree)


@given(trees, documents.map(lambda document: Reading(document, ANALYSER)))
def test_the_canonical_form_means_what_was_typed(tree: Query, reading: Reading) -> None:
    assert meets(normalise(tree), reading, NOW) is meets(tree, reading, NOW)


@given(st.text(max_size=60) | st.text(alphabet='aż-OR"()*=:<>3d topic', max_size=60))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    answer = _answer(text)
    if isinstance(answer, QueryError):
        assert 1 <= answer.column <= len(text) + 1
        assert answer.length >= 1
        assert answer.expected
    else:
        assert parse(canonical(answer)) == answer


def _answer(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error
