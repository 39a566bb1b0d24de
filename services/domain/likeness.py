"""Whether two notices of two institutions tell the same news. A wrong join is worse than a missed one.

A text is compared by its shingles (four words in a row, by their keys), of which a release keeps most
whatever is cut or put around it. A meeting told in few words is known by its time and one whole part of its
title. What names another day, sum or reference number, or other people and places, is never the same: offices
write of two bridges in the same words.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

SHINGLE = 4
LEAST_SHINGLES = 12
CONTAINED = 0.4
INDEXED_ONE_IN = 8
ALL_INDEXED = 64  # a short text has too few shingles to leave any out
MAX_WORDS = 800
LEAST_SEGMENT = 3  # words of four letters and more, of a part of a title that says enough by itself
LEAST_TELLING = 2  # of them that are not said of any meeting
LEAST_PROPER = 2  # proper names on both sides, of which one should be common to them

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("stycz jan", "lut feb", "mar", "kwie apr", "maj may", "czerw jun", "lip jul", "sierp aug",
         "wrze sep", "paźdz oct", "listop nov", "grud dec"), start=1,
    )
    for name in names.split()
}  # fmt: skip
_DAY_WORD = re.compile(r"(?<![\d.])(\d{1,2})\.?\s+(" + "|".join(_MONTHS) + r")\w{0,8}", re.IGNORECASE)
_DAY_NUMBER = re.compile(r"(?<![\d./])(\d{1,2})[./](\d{1,2})(?:[./](?:20)?\d{2})?(?![\d/])")
_ISO_DAY = re.compile(r"(?<!\d)\d{4}-(\d{2})-(\d{2})(?!\d)")
_AMOUNT = re.compile(
    r"(?<![\d.,/])(\d{1,3}(?:[ \u00a0.]\d{3})+|\d+)(?:,(\d{1,2}))?\s*"
    r"(tys\.?|mln|mld)?\s*(zł|pln|eur\w*|€|usd|%|proc\.?)(?!\w)",
    re.IGNORECASE,
)
_TIMES = {"tys": 10**3, "mln": 10**6, "mld": 10**9}
_REFERENCE = re.compile(
    r"\b(?=[\w./-]{5,40}\b)(?=\S{0,60}\d)(?=\S{0,60}[./-])[A-Z]{1,6}\w*(?:[./-]\w+)+|\b\d{1,5}/\d{2,4}\b"
)

Facts = tuple[frozenset[str], frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What of a notice is compared. `segments` are the parts of its title that say enough, as digests;
    `names` its acronyms; `facts` the days, sums and reference numbers it names; `proper` the proper names
    inside the sentences of its text."""

    kind: str
    shingles: frozenset[int]
    segments: frozenset[int]
    names: frozenset[str]
    facts: Facts
    places: frozenset[str]
    starts_at: datetime | None
    ends_at: datetime | None
    deadline_at: datetime | None
    proper: frozenset[str] = frozenset()


def shingles(keys: Sequence[str]) -> frozenset[int]:
    """Digests of every four words in a row; 64 bits with a sign, as PostgreSQL counts."""
    short = keys[:MAX_WORDS]
    return frozenset(digest(short[at : at + SHINGLE]) for at in range(len(short) - SHINGLE + 1))


def digest(words: Iterable[str]) -> int:
    raw = hashlib.blake2b("\x1f".join(words).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True)


def indexed(found: frozenset[int]) -> list[int]:
    """The shingles by which a notice is looked up."""
    if len(found) <= ALL_INDEXED:
        return sorted(found)
    return sorted(one for one in found if one % INDEXED_ONE_IN == 0)


def facts(text: str) -> Facts:
    """The days, the sums of money and shares, and the reference numbers that a text names."""
    days = {f"{int(d)}.{_MONTHS[m.lower()]}" for d, m in _DAY_WORD.findall(text)}
    days |= {
        f"{int(d)}.{int(m)}" for d, m in _DAY_NUMBER.findall(text) if 0 < int(m) < 13 and 0 < int(d) < 32
    }
    days |= {f"{int(d)}.{int(m)}" for m, d in _ISO_DAY.findall(text)}
    sums = {sum_ for found in _AMOUNT.findall(text) if (sum_ := _sum(*found))}
    return frozenset(days), frozenset(sums), frozenset(_REFERENCE.findall(text))


def _sum(whole: str, part: str, times: str, unit: str) -> str | None:
    try:
        value = Decimal(re.sub(r"\D", "", whole) + (f".{part}" if part else ""))
    except InvalidOperation:
        return None
    value *= _TIMES.get(times.lower().rstrip("."), 1)
    coin = unit.lower()[:2].replace("pr", "%").replace("pl", "zł").replace("€", "eu")
    return f"{value.normalize():f} {coin}"


def is_same(one: Sketch, other: Sketch, *, boilerplate: frozenset[int] = frozenset()) -> bool:
    """Whether both tell the same news; `boilerplate` are shingles that their sources put into many texts."""
    if _differ(one, other):
        return False
    if one.starts_at and one.starts_at == other.starts_at and one.ends_at == other.ends_at:
        alike = one.kind == other.kind and one.segments & other.segments
        if alike and not (one.names and other.names and one.names.isdisjoint(other.names)):
            return True
    a, b = one.shingles - boilerplate, other.shingles - boilerplate
    least = min(len(a), len(b))
    return least >= LEAST_SHINGLES and len(a & b) >= CONTAINED * least


def _differ(one: Sketch, other: Sketch) -> bool:
    """Whether they name another day, sum, number or place, so that no likeness makes them one."""
    times = ((one.starts_at, other.starts_at), (one.deadline_at, other.deadline_at))
    if any(a and b and a != b for a, b in times):
        return True
    if one.places and other.places and one.places.isdisjoint(other.places):
        return True
    if min(len(one.proper), len(other.proper)) >= LEAST_PROPER and one.proper.isdisjoint(other.proper):
        return True
    return any(not (a <= b or b <= a) for a, b in zip(one.facts, other.facts, strict=True))
