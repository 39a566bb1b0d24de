"""A query as the matcher takes it: alternatives of clauses over conditions, each condition by its atoms."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, assert_never

from services.interests.atoms import Atom, leaf_atoms
from services.interests.canonical import leaf_text, normalise
from services.interests.parts import parts_of
from services.interests.text import Analyser
from services.interests.tree import Deadline, Exact, Facet, FacetField, Leaf, Phrase, Prefix, Query, Word

REMEMBERED = 50_000


class Condition(NamedTuple):
    """A leaf as text and by its atoms: it holds when the event emits any of them."""

    text: str
    atoms: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """Of every clause at least one condition holds, and none of the excluded ones.

    The clause that is likely to be met by the fewest documents comes first.
    """

    clauses: tuple[tuple[Condition, ...], ...]
    excluded: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CompiledInterest:
    """`query` is the normal tree; of its parts any may hold."""

    query: Query
    parts: tuple[CompiledPart, ...]


class Compiler:
    """Compiles queries; remembers the conditions it met, which a million interests share."""

    def __init__(self, analyser: Analyser) -> None:
        self._condition = lru_cache(REMEMBERED)(lambda leaf: _condition(leaf, analyser))

    def compile(self, query: Query) -> CompiledInterest:
        """Words become keys, alternatives become parts. Raises TooManyParts for what `parse` would refuse."""
        tree = normalise(query)
        condition = self._condition
        parts = tuple(
            CompiledPart(
                tuple(tuple(condition(leaf) for leaf in clause) for clause in _rarest_first(part.clauses)),
                tuple(condition(leaf) for leaf in part.excluded),
            )
            for part in parts_of(tree)
        )
        return CompiledInterest(tree, parts)


def compile_query(query: Query, analyser: Analyser) -> CompiledInterest:
    """A single query, with nothing remembered."""
    return Compiler(analyser).compile(query)


# What share of notices meets a condition, about. It orders clauses: being wrong costs time, never a match.
_FACETS = {
    FacetField.SOURCE: 0.005,
    FacetField.INSTITUTION: 0.005,
    FacetField.TOPIC: 0.08,
    FacetField.PLACE: 0.1,
    FacetField.KIND: 0.15,
    FacetField.AUDIENCE: 0.2,
    FacetField.LANG: 0.9,
}
_PHRASE, _WORD, _PREFIX, _DEADLINE = 0.001, 0.03, 0.1, 0.4
_IN_TITLE = 0.1


def _rarest_first(clauses: Iterable[tuple[Leaf, ...]]) -> list[tuple[Leaf, ...]]:
    return sorted(clauses, key=lambda clause: sum(map(_share, clause)))


def _share(leaf: Leaf) -> float:
    match leaf:
        case Facet(field):
            return _FACETS[field]
        case Phrase():
            return _PHRASE
        case Word(_, in_title) | Exact(_, in_title):
            return _WORD * (_IN_TITLE if in_title else 1)
        case Prefix(_, in_title):
            return _PREFIX * (_IN_TITLE if in_title else 1)
        case Deadline():
            return _DEADLINE
        case _:
            assert_never(leaf)


def _condition(leaf: Leaf, analyser: Analyser) -> Condition:
    return Condition(leaf_text(leaf), tuple(leaf_atoms(leaf, analyser)))
