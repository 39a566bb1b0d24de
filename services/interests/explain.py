"""Why a document meets a query, or why not, in words of both; and how a query's words were read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.interests.canonical import normalise, render
from services.interests.documents import Document
from services.interests.evaluate import Found, found, meets
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tree import And, Leaf, Not, Or, Phrase, Query, Word

MAX_FOUND = 20


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the things that must all hold. `found` is what the document has of it.

    Of an excluded clause that fails, `found` is what stood in the way.
    """

    text: str
    holds: bool
    is_excluded: bool
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`failing` are the texts of the clauses that do not hold; `understood` tells how words were read."""

    matched: bool
    clauses: tuple[Clause, ...]
    understood: tuple[str, ...]

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(clause.text for clause in self.clauses if not clause.holds)


def why(query: Query, document: Document, now: datetime, analyser: Analyser) -> Explanation:
    """Every clause of a query with what was found of it in the document."""
    tree = normalise(query)
    reading = Reading(document, analyser)
    clauses = tuple(
        _clause(part, reading, now) for part in (tree.parts if isinstance(tree, And) else (tree,))
    )
    return Explanation(all(one.holds for one in clauses), clauses, understood(tree, analyser))


def understood(query: Query, analyser: Analyser) -> tuple[str, ...]:
    """`wspolprace: współpraca` for every word that was read as something else than itself."""
    told: dict[str, tuple[str, ...]] = {}
    for leaf in _leaves(query):
        words = leaf.words if isinstance(leaf, Phrase) else (leaf.text,) if isinstance(leaf, Word) else ()
        told.update((word, analyser.understood(word)) for word in words)
    return tuple(f"{word}: {', '.join(read)}" for word, read in told.items() if read != (word,))


def _clause(part: Query, reading: Reading, now: datetime) -> Clause:
    asked = part.part if isinstance(part, Not) else part
    met = (one for leaf in _that_speak(asked, reading, now) for one in found(leaf, reading, now))
    kept = tuple(dict.fromkeys(met))[:MAX_FOUND]
    return Clause(render(part), meets(part, reading, now), isinstance(part, Not), kept)


def _that_speak(query: Query, reading: Reading, now: datetime) -> Iterator[Leaf]:
    """The tests that speak for a query: of alternatives those that hold, and never what is excluded."""
    match query:
        case Or(parts):
            held = [part for part in parts if meets(part, reading, now)]
            for part in held:
                yield from _that_speak(part, reading, now)
        case And(parts):
            for part in parts:
                yield from _that_speak(part, reading, now)
        case Not():
            return
        case _:
            yield query


def _leaves(query: Query) -> Iterator[Leaf]:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield query
