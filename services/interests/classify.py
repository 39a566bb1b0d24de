"""Topics as stored queries: a notice that says nothing of its topics gets those whose query it meets.

The queries are written in the interest language; `DEFAULTS` are the region's; an operator may replace each.
They ask for words, kinds, audiences and languages: not for topics, which would go round in a circle, nor for
who tells it and where, which says nothing of what it is about.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from types import MappingProxyType

from services.interests import language
from services.interests.atoms import WORDS, atoms_of_reading, leaf_atoms
from services.interests.documents import Document
from services.interests.evaluate import meets, witnesses
from services.interests.lexer import Sign, lex, straight
from services.interests.reading import Reading
from services.interests.slips import refused
from services.interests.text import Analyser
from services.interests.tree import And, Exact, FacetField, Not, Or, Phrase, Query, Word


def _read() -> dict[str, str]:
    text = files("services.domain").joinpath("data/topics.json").read_text(encoding="utf-8")
    rules: dict[str, str] = json.loads(text)
    return rules


DEFAULTS: Mapping[str, str] = MappingProxyType(_read())
"""{topic: query}"""

LEAD = 1_000  # characters of a body in which it says what it is about
_NOT_ASKED = (FacetField.TOPIC, FacetField.PLACE, FacetField.SOURCE, FacetField.INSTITUTION)


def subject(document: Document) -> Document:
    """What a topic's query is held against: title, summary and the beginning of the body."""
    lead = document.body[:LEAD]
    if len(document.body) > LEAD:
        lead = lead.rpartition(" ")[0] or lead
    return replace(document, body=lead, topics=(), places=(), source="", institutions=())


def check(typed: str) -> None:
    """Whether a query can define a topic. Raises QueryError with the place of what it cannot ask for."""
    for piece in lex(straight(typed)):
        if piece.sign is Sign.FIELD and piece.text.lower() in _NOT_ASKED:
            said = f"a topic is not defined by {piece.text.lower()}:"
            raise refused("topic_field", said, piece, "words, or kind:, audience:, lang: or title:")


@dataclass(frozen=True, slots=True)
class _Rest:
    """A part of a query that is looked at closely where of each of `needs` (atoms) one is there."""

    query: Query
    needs: tuple[frozenset[object], ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A query met by any of `words` (atoms), or else by what `rest` asks for; `whole` is all of it."""

    whole: Query
    words: frozenset[object]
    rest: tuple[_Rest, ...]


class Classifier:
    """Holds one set of queries, read once. Pure; safe in several threads."""

    def __init__(self, rules: Mapping[str, str], analyser: Analyser) -> None:
        read = {topic: language.recall(rule) for topic, rule in rules.items() if rule.strip()}
        self._rules = {topic: _rule(query, analyser) for topic, query in read.items()}

    def topics(self, reading: Reading, now: datetime) -> tuple[str, ...]:
        """The topics whose query the document meets, in the order of the rules."""
        there = atoms_of_reading(reading, now).plain[WORDS]
        return tuple(topic for topic, rule in self._rules.items() if _meets(rule, there, reading, now))

    def reasons(self, reading: Reading, now: datetime) -> dict[str, frozenset[str]]:
        """{topic: the conditions that made it so}."""
        met = self.topics(reading, now)
        return {topic: witnesses(self._rules[topic].whole, reading, now) for topic in met}


def _rule(query: Query, analyser: Analyser) -> _Rule:
    parts = query.parts if isinstance(query, Or) else (query,)
    words = [
        part for part in parts if not isinstance(part, And | Or | Not) and isinstance(part, Word | Exact)
    ]
    atoms: frozenset[object] = frozenset().union(*(leaf_atoms(leaf, analyser) for leaf in words))
    rest = (_Rest(part, _needs(part, analyser)) for part in parts if part not in words)
    return _Rule(query, atoms, tuple(rest))


def _needs(query: Query, analyser: Analyser) -> tuple[frozenset[object], ...]:
    match query:
        case And(parts):
            return tuple(need for part in parts for need in _needs(part, analyser))
        case Phrase(words):
            return tuple(frozenset(f"/{key}" for key in keys) for keys in analyser.phrase_keys(words))
        case Word() | Exact():
            return (frozenset(leaf_atoms(query, analyser)),)
        case _:
            return ()


def _meets(rule: _Rule, there: frozenset[str], reading: Reading, now: datetime) -> bool:
    return not rule.words.isdisjoint(there) or any(
        meets(part.query, reading, now)
        for part in rule.rest
        if not any(need.isdisjoint(there) for need in part.needs)
    )
