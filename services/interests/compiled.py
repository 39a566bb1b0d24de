"""A query as the matcher takes it: alternatives of clauses over conditions, each condition by its atoms."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from services.interests.atoms import Atom, leaf_atoms
from services.interests.canonical import leaf_text, normalise
from services.interests.parts import parts_of
from services.interests.text import Analyser
from services.interests.tree import Leaf, Query

REMEMBERED = 50_000


class Condition(NamedTuple):
    """A leaf as text and by its atoms: it holds when the event emits any of them."""

    text: str
    atoms: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """Of every clause at least one condition holds, and none of the excluded ones."""

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
                tuple(tuple(condition(leaf) for leaf in clause) for clause in part.clauses),
                tuple(condition(leaf) for leaf in part.excluded),
            )
            for part in parts_of(tree)
        )
        return CompiledInterest(tree, parts)


def compile_query(query: Query, analyser: Analyser) -> CompiledInterest:
    """A single query, with nothing remembered."""
    return Compiler(analyser).compile(query)


def _condition(leaf: Leaf, analyser: Analyser) -> Condition:
    return Condition(leaf_text(leaf), tuple(leaf_atoms(leaf, analyser)))
