"""Equal meaning has one form, the form reads back as itself, and it means what was typed."""

import random

from hypothesis import assume, given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests.canonical import canonical, leaf_text, normalise, render
from services.interests.documents import Document
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


def _typed(tree: Query, chance: random.Random) -> str:
    """A tree as somebody might type it: operators in words or signs, needless parentheses, odd spaces."""
    space = chance.choice((" ", "  ", "\t", "\u00a0", "\n", "\u3000"))
    match tree:
        case Not(part):
            return chance.choice(("-", "NOT ", "NOT" + space)) + _grouped(part, chance)
        case And(parts):
            joint = chance.choice((" ", " AND ", space, f"{space}AND{space}"))
            return joint.join(_grouped(part, chance) for part in parts)
        case Or(parts):
            return f"{space}OR{space}".join(_grouped(part, chance) for part in parts)
        case _:
            return leaf_text(tree)


def _grouped(tree: Query, chance: random.Random) -> str:
    is_bare = not isinstance(tree, And | Or) and chance.random() < 0.7
    return _typed(tree, chance) if is_bare else f"({_typed(tree, chance)})"


@given(trees, st.randoms(use_true_random=False))
def test_however_it_is_typed_it_has_the_one_form(tree: Query, chance: random.Random) -> None:
    assert _accepted(_typed(tree, chance)) == normalise(tree)


@given(st.lists(trees, min_size=2, max_size=5), st.lists(documents, min_size=3, max_size=6))
def test_queries_that_bring_different_notices_have_different_forms(
    asked: list[Query], told: list[Document]
) -> None:
    readings = [Reading(one, ANALYSER) for one in told]
    brought: dict[str, list[bool]] = {}
    for tree in asked:
        found = [meets(tree, reading, NOW) for reading in readings]
        assert brought.setdefault(canonical(tree), found) == found


def _answer(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error
