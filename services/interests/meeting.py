"""Offers meet needs: how well two notices of complementary kinds fit, and by what. Pure and symmetric.

The words are the keys by which queries match, weighed by how rare they are among all that is held against
each other; topics, places and audience are those that facets match by. No reason, no fit.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.domain import places, topics
from services.domain.notices import NoticeKind
from services.interests.documents import Document
from services.interests.reading import Reading
from services.interests.text import Analyser, Keys, ReadWord

COMPLEMENTS: Mapping[str, tuple[str, ...]] = {
    NoticeKind.NEED: (NoticeKind.OFFER, NoticeKind.INFRASTRUCTURE),
    NoticeKind.OFFER: (NoticeKind.NEED,),
    NoticeKind.INFRASTRUCTURE: (NoticeKind.NEED,),
}
TOPIC, WORDS, PLACE, AUDIENCE = 1.5, 6.0, 0.3, 0.3
IN_TITLE = 1.5
MIN_LETTERS = 4
MAX_SHARE = 0.34  # a word that so many of all hold tells nothing
ROOT_LETTERS, ROOT = 6, 0.5  # geotermia and geotermalny share their beginning, which weighs half
LEAST = 0.05  # the likeness in words that makes a fit where no topic is shared
WORDS_TOLD = 6


# What needs and offers are made of, whatever they are about.
_EVERYWHERE = frozenset(
    re.findall(
        r"\S+",
        "szukać poszukiwać poszukiwany potrzebny potrzebować potrzeba oferować oferta zespół firma spółka "
        "zakład gmina laboratorium katedra partner udostępniać udostępnić bezpłatny bezpłatnie rok miesiąc "
        "tydzień dzień termin region wspólny wniosek kontakt zgłoszenie przyjmować zapewniać wymagać możliwy "
        "pierwszy nasz en:look en:seek en:need en:offer en:team en:compani en:partner en:free",
    )
)


@dataclass(frozen=True, slots=True)
class Side:
    """One notice, with the kind and place of the institution that tells it."""

    document: Document
    told_by: str
    seat: str | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Why two fit: shared topics, words as the other has them, the place both lie in, for whom it is.

    `audience`: the one is meant for such as the other's institution, in at least one direction.
    """

    notice_id: int
    score: float
    topics: tuple[str, ...]
    words: tuple[str, ...]
    place: str | None
    audience: bool


def fits(side: Side, others: Sequence[Side], analyser: Analyser) -> list[Fit]:
    """The others that fit, the best first; equal ones by id."""
    read = [_read(one, analyser) for one in (side, *others)]
    spread = Counter(key for one in read for key in one)
    total = len(read)
    rare = {key: math.log((1 + total) / number) for key, number in spread.items()
            if number > 1 and (number <= 2 or number / total <= MAX_SHARE)}  # fmt: skip
    lone = math.log(1 + total)
    lengths = [_length(one, rare, lone) for one in read]
    found = [
        _fit(side, other, (read[0], words), rare, lengths[0] * length)
        for other, words, length in zip(others, read[1:], lengths[1:], strict=True)
    ]
    return sorted((one for one in found if one), key=lambda fit: (-fit.score, fit.notice_id))


Words = dict[str, tuple[float, str]]  # key → its weight in the notice, and the word as written


def _fit(
    side: Side, other: Side, read: tuple[Words, Words], rare: Mapping[str, float], length: float
) -> Fit | None:
    mine, theirs = read
    shared = {
        key: mine[key][0] * theirs[key][0] * rare[key] ** 2
        for key in mine.keys() & theirs.keys() & rare.keys()
    }
    likeness = sum(shared.values()) / length if length else 0.0
    common = _common_topics(side.document.topics, other.document.topics)
    if not common and likeness < LEAST:
        return None
    near, place = _nearness(side, other)
    ways = (other.told_by in side.document.audience) + (side.told_by in other.document.audience)
    union = len({*side.document.topics, *other.document.topics}) or 1
    score = TOPIC * len(common) / union + WORDS * math.sqrt(likeness) + PLACE * near + AUDIENCE * ways / 2
    ranked = sorted(shared, key=lambda key: (-shared[key], key))
    words = tuple(dict.fromkeys(theirs[key][1] for key in ranked))[:WORDS_TOLD]
    return Fit(other.document.notice_id, round(score, 4), common, words, place, ways > 0)


def _read(side: Side, analyser: Analyser) -> Words:
    """The words that tell something, by key; a word with several keys shares its weight among them."""
    reading = Reading(side.document, analyser)
    found: Words = {}
    for weight, words in ((IN_TITLE, reading.title), (1.0, reading.summary), (0.5, reading.body)):
        for word in filter(_tells, words):
            if not word.keys.isdisjoint(_EVERYWHERE):
                continue
            for key, share in _with_roots(word.keys).items():
                if found.get(key, (0.0, ""))[0] < weight * share:
                    found[key] = (weight * share, word.surface)
    return found


def _with_roots(keys: Keys) -> dict[str, float]:
    roots = {f"%{key[:ROOT_LETTERS]}": ROOT for key in keys if key.isalpha() and len(key) > ROOT_LETTERS}
    return roots | dict.fromkeys(keys, 1.0)


def _tells(word: ReadWord) -> bool:
    return len(word.form) >= MIN_LETTERS and any(char.isalpha() for char in word.form)


def _length(words: Words, rare: Mapping[str, float], lone: float) -> float:
    return math.sqrt(sum((weight * rare.get(key, lone)) ** 2 for key, (weight, _) in words.items()))


def _common_topics(mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """What lies in a topic meets it: `ict-ai/robots` and `ict-ai` share `ict-ai`."""
    above = {step for one in mine for step in topics.ancestors(one)}
    below = {step for one in theirs for step in topics.ancestors(one)}
    shared = above & below
    return tuple(
        sorted(one for one in shared if not any(o != one and o.startswith(f"{one}/") for o in shared))
    )


def _nearness(side: Side, other: Side) -> tuple[float, str | None]:
    """1 for one municipality, less for one county, least for one region; and the code of what both lie in."""
    mine = {above for code in _codes(side) for above in places.ancestors(code)}
    theirs = {above for code in _codes(other) for above in places.ancestors(code)}
    common = max(mine & theirs, key=lambda code: (len(code), code), default=None)
    return ({2: 0.3, 4: 0.6, 6: 1.0}.get(len(common), 0.0), common) if common else (0.0, None)


def _codes(side: Side) -> tuple[str, ...]:
    return side.document.places or ((side.seat,) if side.seat else ())
