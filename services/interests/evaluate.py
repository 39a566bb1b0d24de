"""A query held against one document, straight from the tree: slow over many queries, and plainly right.

The matcher must agree with it; explanations, previews and lists of notices are made with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from services.domain import areas, places
from services.domain.folding import fold
from services.interests.canonical import leaf_text
from services.interests.reading import Reading
from services.interests.text import ReadWord
from services.interests.tree import (
    And,
    Deadline,
    Exact,
    Facet,
    FacetField,
    Leaf,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Relation,
    Word,
)

_TEXT = (Word, Exact, Prefix, Phrase)


@dataclass(frozen=True, slots=True)
class Found:
    """What made a condition hold: `text` as the document has it, in `field` (title, body, topic …)."""

    field: str
    text: str


def meets(query: Query, reading: Reading, now: datetime) -> bool:
    """Does the document meet the query?"""
    match query:
        case And(parts):
            return all(meets(part, reading, now) for part in sorted(parts, key=_reads_text))
        case Or(parts):
            return any(meets(part, reading, now) for part in sorted(parts, key=_reads_text))
        case Not(part):
            return not meets(part, reading, now)
        case _:
            return next(found(query, reading, now), None) is not None


def witnesses(query: Query, reading: Reading, now: datetime) -> frozenset[str]:
    """The conditions, as text, by which a met query is met; excluded ones are none."""
    match query:
        case And(parts):
            return frozenset().union(*(witnesses(part, reading, now) for part in parts))
        case Or(parts):
            held = [part for part in parts if meets(part, reading, now)]
            return frozenset().union(*(witnesses(part, reading, now) for part in held))
        case Not():
            return frozenset()
        case _:
            return frozenset({leaf_text(query)})


def found(leaf: Leaf, reading: Reading, now: datetime) -> Iterator[Found]:
    """Every place of the document that makes a condition hold."""
    match leaf:
        case Facet(facet, value):
            day = reading.published_day
            yield from (
                Found(facet, had) for had in _values(facet, reading) if _lies_in(facet, had, value, day)
            )
        case Deadline():
            if deadline_holds(leaf, reading.days_left(now), reading.deadline_day):
                yield Found("deadline", str(reading.deadline_day))
        case Word(text, in_title):
            keys = reading.analyser.query_keys(text)
            for field, words in reading.texts(in_title=in_title):
                yield from (Found(field, word.surface) for word in words if not keys.isdisjoint(word.keys))
        case Exact(text, in_title):
            for field, words in reading.texts(in_title=in_title):
                yield from (Found(field, word.surface) for word in words if word.form == text)
        case Prefix(text, in_title):
            for field, words in reading.texts(in_title=in_title):
                yield from (Found(field, word.surface) for word in words if begins(word.form, text))
        case Phrase():
            yield from _phrases(leaf, reading)
        case _:
            assert_never(leaf)


def begins(form: str, prefix: str) -> bool:
    """A beginning typed in ASCII ignores the diacritics of the form; one with diacritics does not."""
    return (fold(form) if prefix.isascii() else form).startswith(prefix)


def _values(field: FacetField, reading: Reading) -> tuple[str, ...]:
    document = reading.document
    match field:
        case FacetField.TOPIC:
            return document.topics
        case FacetField.PLACE:
            return document.places
        case FacetField.INSTITUTION:
            return document.institutions
        case FacetField.AUDIENCE:
            return document.audience
        case FacetField.KIND:
            return (document.kind,)
        case FacetField.SOURCE:
            return (document.source,)
        case FacetField.LANG:
            return (reading.language,)


def _lies_in(field: FacetField, had: str, wanted: str, day: date) -> bool:
    """Topics and places include what lies below them; parents of institutions are listed."""
    match field:
        case FacetField.TOPIC:
            return had == wanted or had.startswith(f"{wanted}/")
        case FacetField.PLACE:
            return had.startswith(places.stem(wanted)) or wanted in areas.areas_of(had, day)
        case _:
            return had == wanted


def deadline_holds(leaf: Deadline, left: int | None, day: date | None) -> bool:
    """`left` are the days until the deadline, None when it has passed; `day` is its day, None without one."""
    if leaf.days is not None:
        return left is not None and (left < leaf.days) is (leaf.relation is Relation.BEFORE)
    return day is not None and leaf.day is not None and (day < leaf.day) is (leaf.relation is Relation.BEFORE)


def _phrases(leaf: Phrase, reading: Reading) -> Iterator[Found]:
    first, *others = reading.analyser.phrase_keys(leaf.words)
    for field, words in reading.texts(in_title=leaf.in_title):
        for start in reading.places_of(field, first):
            piece: tuple[ReadWord, ...] = words[start : start + 1 + len(others)]
            if len(piece) == 1 + len(others) and all(
                not keys.isdisjoint(word.keys) for keys, word in zip(others, piece[1:], strict=True)
            ):
                yield Found(field, " ".join(word.surface for word in piece))


def _reads_text(query: Query) -> bool:
    """Conditions on facets come first: they cost nothing and often decide."""
    match query:
        case And(parts) | Or(parts):
            return any(map(_reads_text, parts))
        case Not(part):
            return _reads_text(part)
        case _:
            return isinstance(query, _TEXT)
