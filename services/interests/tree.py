"""The tree of a query: leaves that can be tested, joined by And, Or and Not. Values only."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class FacetField(StrEnum):
    """Fields whose values come from lists and hierarchies, not from the text."""

    TOPIC = "topic"
    KIND = "kind"
    PLACE = "place"
    SOURCE = "source"
    INSTITUTION = "institution"
    AUDIENCE = "audience"
    LANG = "lang"


class Relation(StrEnum):
    """The two relations that all others are written in: `<=29d` is `<30d`, `>29d` is `>=30d`."""

    BEFORE = "<"
    FROM = ">="


@dataclass(frozen=True, slots=True)
class Facet:
    """A field has this value, or one that lies below it."""

    field: FacetField
    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """Any inflected form of a word. Capitals are kept where they tell a name or an acronym."""

    text: str
    in_title: bool = False


@dataclass(frozen=True, slots=True)
class Exact:
    """Exactly this form, whatever its case."""

    text: str
    in_title: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """A form that begins so."""

    text: str
    in_title: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after another, each in any inflected form; at least two."""

    words: tuple[str, ...]
    in_title: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """The deadline against today (`days` ahead; never one that has passed) or against a `day`."""

    relation: Relation
    days: int | None = None
    day: date | None = None


Leaf = Facet | Word | Exact | Prefix | Phrase | Deadline


@dataclass(frozen=True, slots=True)
class Not:
    part: "Query"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Query", ...]


Query = Leaf | Not | And | Or
