"""In what order a digest tells its stories, and why: pure numbers, so that each place can be explained.

A story's score is the product of how well it meets what was asked for, how near its deadline is and how new
it is. Then one after another is chosen, and what resembles the chosen ones, or comes from the same
institution or city, steps back (maximal marginal relevance, Carbonell and Goldstein 1998). Corrections are
not ranked here: they always come first. Never hides a story: whatever has no room waits for the next letter.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HALF_LIFE = timedelta(hours=48)
RELEVANCE = 0.7  # λ of MMR: the rest of the weight goes against resemblance
SAME_INSTITUTION = 0.6
SAME_CITY = 0.85
MOST_COMPARED = 60
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Ranked:
    """What decides about one story. `match` is the strength of what it meets, `words` tell likeness."""

    key: int
    match: float
    deadline_at: datetime | None
    told_at: datetime
    institution: str
    city: str | None
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A story's place (from 1) with the factors whose product is its score."""

    key: int
    place: int
    match: float
    deadline: float
    novelty: float
    variety: float

    @property
    def score(self) -> float:
        return self.match * self.deadline * self.novelty * self.variety

    def told(self) -> dict[str, float]:
        """The factors as they are kept and shown."""
        named = {"score": self.score, "match": self.match, "deadline": self.deadline,
                 "novelty": self.novelty, "variety": self.variety}  # fmt: skip
        return {"place": self.place, **{name: round(value, 3) for name, value in named.items()}}


def rank(stories: Sequence[Ranked], now: datetime, *, half_life: timedelta = HALF_LIFE) -> list[Place]:
    """All stories, the best first; the same input gives the same order on every machine."""
    scored = sorted(
        ((_base(one, now, half_life), one) for one in stories), key=lambda pair: (-pair[0], -pair[1].key)
    )
    chosen = _diverse(scored[:MOST_COMPARED])
    chosen += [(one, 1.0) for _, one in scored[MOST_COMPARED:]]
    return [
        Place(one.key, number, one.match, deadline_factor(one.deadline_at, now),
              novelty_factor(one.told_at, now, half_life), variety)
        for number, (one, variety) in enumerate(chosen, 1)
    ]  # fmt: skip


def deadline_factor(deadline_at: datetime | None, now: datetime) -> float:
    """Most for what closes in 3 to 14 days: time enough to act, not enough to wait."""
    if deadline_at is None:
        return 1.0
    days = (deadline_at - now).total_seconds() / _DAY_S
    steps = ((0, 0.5), (3, 1.6), (14, 2.0), (30, 1.3))
    return next((factor for limit, factor in steps if days < limit), 1.0)


def novelty_factor(told_at: datetime, now: datetime, half_life: timedelta) -> float:
    """1 for what came just now, a half after each half-life."""
    return float(0.5 ** (max(timedelta(), now - told_at) / half_life))


def _base(one: Ranked, now: datetime, half_life: timedelta) -> float:
    return one.match * deadline_factor(one.deadline_at, now) * novelty_factor(one.told_at, now, half_life)


def _diverse(scored: Sequence[tuple[float, Ranked]]) -> list[tuple[Ranked, float]]:
    """Greedy choice: each time the story with the highest score after what stands already is counted."""
    left = dict(enumerate(scored))
    likeness = dict.fromkeys(left, 0.0)
    chosen: list[tuple[Ranked, float]] = []
    institutions: Counter[str] = Counter()
    cities: Counter[str] = Counter()
    while left:
        varieties = {n: _variety(one, likeness[n], institutions, cities) for n, (_, one) in left.items()}
        best = max(left, key=lambda n: (left[n][0] * varieties[n], -n))
        one = left.pop(best)[1]
        chosen.append((one, varieties[best]))
        institutions[one.institution] += 1
        if one.city:
            cities[one.city] += 1
        for n, (_, other) in left.items():
            likeness[n] = max(likeness[n], _jaccard(one.words, other.words))
    return chosen


def _variety(one: Ranked, likeness: float, institutions: Counter[str], cities: Counter[str]) -> float:
    near = SAME_CITY ** cities[one.city] if one.city else 1.0
    own = SAME_INSTITUTION ** institutions[one.institution]
    return float((RELEVANCE + (1 - RELEVANCE) * (1 - likeness)) * own * near)


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
