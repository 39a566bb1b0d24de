"""What to try instead of a query that brings nothing, and what to add to one that brings too much.

Every suggestion is a query that can be read, with the exact number of notices that it would have brought.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from services.domain import places
from services.errors import QueryError
from services.interests import language
from services.interests.canonical import canonical, normalise
from services.interests.past import Past
from services.interests.tree import And, Facet, FacetField, Leaf, Not, Or, Phrase, Prefix, Query, Word

MOST = 3
TRIED = 24
MIN_STEM = 4
MOST_RESPELT = 12  # words of a query: to look for what is spelt nearly so takes milliseconds a word
CUTS = (1, 2, 3, 5)  # letters that a looser beginning lacks
NARROWING = ("kind:", "topic:", "place:", "audience:")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A query in canonical form and how many notices it would have brought in the same time."""

    query: str
    count: int


def widen(query: Query, past: Past, among: Collection[int], now: datetime) -> tuple[Suggestion, ...]:
    """For a query that brings nothing: the nearest ones that bring something, the least change first."""
    return _counted(_wider(normalise(query), past), past, past.slots(among), now)


def narrow(
    query: Query, past: Past, met: Collection[int], now: datetime, *, most: float
) -> tuple[Suggestion, ...]:
    """For a query that brings too much: additions that leave something, but no more than `most`."""
    rest, among = normalise(query), past.slots(met)
    shares = sorted(
        ((abs(number - most / 2), atom, number) for atom, number in past.facets(met)
         if atom.startswith(NARROWING) and 0 < number <= most),
    )  # fmt: skip
    found: dict[str, Suggestion] = {}
    for _, atom, _ in shares[: TRIED * 2]:
        for made in _counted([_with(rest, atom)], past, among, now):
            found.setdefault(atom.partition(":")[0], made)  # one of a field: different ways, not alike ones
    return tuple(found.values())[:MOST]


def _counted(
    tries: Iterator[Query | None] | list[Query | None], past: Past, among: BitMap, now: datetime
) -> tuple[Suggestion, ...]:
    found: dict[str, int] = {}
    for number, tried in enumerate(tries):
        if number >= TRIED or len(found) >= MOST:
            break
        if tried is not None and (text := _readable(tried)) and text not in found:
            count = past.count(language.parse(text), now, among=among)
            if count:
                found[text] = count
    return tuple(Suggestion(text, count) for text, count in found.items())


def _readable(query: Query) -> str | None:
    try:
        text = canonical(query)
        return text if canonical(language.parse(text)) == text else None
    except (QueryError, ValueError):
        return None


def _wider(query: Query, past: Past) -> Iterator[Query | None]:
    """Another spelling, then each condition looser, then each left out, then any instead of all."""
    parts = query.parts if isinstance(query, And) else (query,)
    for loosen in (_respelt, _looser) if _words(query) <= MOST_RESPELT else (_looser,):
        for place, part in enumerate(parts):
            for looser in loosen(part, past):
                yield _joined([*parts[:place], looser, *parts[place + 1 :]])
    if len(parts) > 1:
        for place in range(len(parts)):
            rest = [*parts[:place], *parts[place + 1 :]]
            yield _joined([part for part in rest if isinstance(part, Not) or _says_something(part, past)])
        yield from (part for part in parts if _says_something(part, past))


def _words(query: Query) -> int:
    match query:
        case And(parts) | Or(parts):
            return sum(map(_words, parts))
        case Phrase(words):
            return len(words)
        case _:
            return int(isinstance(query, Word))


def _says_something(part: Query, past: Past) -> bool:
    return not isinstance(part, Not) and (not isinstance(part, Word) or past.is_telling(part.text))


def _respelt(part: Query, past: Past) -> Iterator[Query]:
    """Words that no notice has, spelt as notices spell what is nearly the same."""
    match part:
        case Word(text, in_title):
            yield from (Word(near, in_title) for near in past.near(text))
        case Phrase(words, in_title):
            for place, word in enumerate(words):
                for near in past.near(word):
                    yield Phrase((*words[:place], near, *words[place + 1 :]), in_title)
        case Or(parts):
            for one in parts:
                yield from _respelt(one, past)
        case _:
            return


def _looser(part: Query, past: Past) -> Iterator[Query]:
    match part:
        case Phrase(words, in_title):
            for length in range(len(words) - 1, 1, -1):
                for piece in (words[:length], words[-length:]):
                    if past.is_telling(piece[0]) and past.is_telling(piece[-1]):
                        yield Phrase(piece, in_title)
            telling = [Word(word, in_title) for word in words if past.is_telling(word)]
            if found := _joined([*telling]):
                yield found
            if in_title:
                yield Phrase(words)
        case Word(text, in_title):
            if in_title:
                yield Word(text)
            for cut in CUTS:
                if len(text) - cut >= MIN_STEM:
                    yield Prefix(text[:-cut].lower())
        case Prefix(text, in_title):
            if in_title:
                yield Prefix(text)
            yield from (Prefix(text[:-cut]) for cut in CUTS if len(text) - cut >= MIN_STEM)
        case Facet(FacetField.TOPIC, value) if "/" in value:
            yield Facet(FacetField.TOPIC, value.rpartition("/")[0])
        case Facet(FacetField.PLACE, value):
            yield from (Facet(FacetField.PLACE, wide) for wide in reversed(places.ancestors(value)[:-1]))
        case Or(parts):
            for one in parts:
                yield from _looser(one, past)
        case _:
            return


def _joined(parts: list[Query]) -> Query | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _with(query: Query, atom: str) -> Query | None:
    field, _, value = atom.partition(":")
    added: Leaf = Facet(FacetField(field), value)
    parts = query.parts if isinstance(query, And) else (query,)
    return None if added in parts else And((*parts, added))
