"""Everything a query can test, as atoms: a document emits them, a condition holds when one of its is there.

Hierarchies are expanded on the document's side. Beginnings, phrases and deadlines are emitted only where an
interest asks for them (`services.interests.asked`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from services.domain import areas, places, topics
from services.interests.documents import Document
from services.interests.reading import Reading
from services.interests.text import Analyser, Keys
from services.interests.tree import Deadline, Exact, Facet, FacetField, Leaf, Phrase, Prefix, Word

WORDS = "words"


@dataclass(frozen=True, slots=True)
class PhraseAtom:
    """Words one after another, each by any of its keys."""

    words: tuple[Keys, ...]
    in_title: bool


Atom = str | Prefix | Deadline | PhraseAtom


@dataclass(frozen=True, slots=True)
class EventAtoms:
    """What an event emits: {dimension: atoms}. `reading` and `now` serve the atoms that must be asked for."""

    plain: Mapping[str, frozenset[str]]
    reading: Reading
    now: datetime


def event_atoms(document: Document, analyser: Analyser, now: datetime) -> EventAtoms:
    """The atoms of a document at a time (deadlines are relative to it)."""
    return atoms_of_reading(Reading(document, analyser), now)


def atoms_of_reading(reading: Reading, now: datetime) -> EventAtoms:
    return EventAtoms({**facet_atoms(reading), WORDS: _word_atoms(reading)}, reading, now)


def facet_atoms(reading: Reading) -> dict[str, frozenset[str]]:
    """{dimension: atoms} of all that is not text; topics and places with what they lie in."""
    document = reading.document
    day = reading.published_day
    values = {
        FacetField.TOPIC: {above for topic in document.topics for above in topics.ancestors(topic)},
        FacetField.PLACE: {above for code in document.places for above in _wider(code, day)},
        FacetField.KIND: {document.kind},
        FacetField.SOURCE: {document.source},
        FacetField.INSTITUTION: set(document.institutions),
        FacetField.AUDIENCE: set(document.audience),
        FacetField.LANG: {reading.language},
    }
    return {str(field): frozenset(f"{field}:{value}" for value in had) for field, had in values.items()}


def leaf_atoms(leaf: Leaf, analyser: Analyser) -> frozenset[Atom]:
    """A condition holds when the event emits any of these."""
    match leaf:
        case Facet(FacetField.PLACE, code):
            return frozenset({f"place:{places.stem(code)}"})
        case Facet(field, value):
            return frozenset({f"{field}:{value}"})
        case Word(text, in_title):
            return frozenset(_key_atom(key, in_title) for key in analyser.query_keys(text))
        case Exact(text, in_title):
            return frozenset({_form_atom(text, in_title)})
        case Phrase(words, in_title):
            return frozenset({PhraseAtom(analyser.phrase_keys(words), in_title)})
        case Prefix() | Deadline():
            return frozenset({leaf})
        case _:
            assert_never(leaf)


def _wider(code: str, day: date) -> Iterator[str]:
    """A place with all that it lies in: municipality, county, region, and the areas of that day."""
    yield from places.ancestors(code)
    yield from areas.areas_of(code, day)


def _word_atoms(reading: Reading) -> frozenset[str]:
    """Forms and keys are gathered first, so that an atom is made once, however often its word comes."""
    found: list[str] = []
    for in_title in (False, True):
        words = [word for _, words in reading.texts(in_title=in_title) for word in words]
        form_start, key_start = _form_atom("", in_title), _key_atom("", in_title)
        found += [form_start + form for form in {word.form for word in words}]
        found += [key_start + key for key in set().union(*[word.keys for word in words])]
    return frozenset(found)


def _key_atom(key: str, in_title: bool) -> str:
    return f"title/{key}" if in_title else f"/{key}"


def _form_atom(form: str, in_title: bool) -> str:
    return f"title={form}" if in_title else f"={form}"
