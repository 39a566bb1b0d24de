"""How strongly a story meets what a reader asked for: by where the words stand, and how rare the interest is.

A condition met in the title counts 2, in the lead 1.5, in the text below or by a facet 1; each interest
weighs by its rarity over the last month, so that what is hard to come by is not buried. Looks at nothing
that the reader did not ask for.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from services.domain.ranking import Ranked
from services.errors import QueryError
from services.interests import language
from services.interests.documents import Document
from services.interests.evaluate import meets
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tree import Deadline, Exact, Facet, Phrase, Prefix, Query, Word
from services.runtime import Runtime
from services.storage import telling
from services.storage.issues import ToldEvent, Waiting

IN_TITLE, IN_LEAD, BELOW = 2.0, 1.5, 1.0
COUNTED = timedelta(days=30)


@dataclass
class Scales:
    """Weighs the stories of one batch; what is read of an event is read once for all its readers."""

    analyser: Analyser
    now: datetime
    rarity: Mapping[int, float]
    _read: dict[int, tuple[Reading, Reading]] = field(default_factory=dict)
    _weights: dict[tuple[int, str], float] = field(default_factory=dict)

    def story(self, key: int, event: ToldEvent, group: Iterable[Waiting]) -> Ranked:
        """One story as ranking sees it; `group` are all the reader's candidates for it."""
        shot = event.snapshot
        deadline = shot["deadline_at"]
        return Ranked(
            key=key,
            match=sum(self._strength(event, one) for one in group),
            deadline_at=datetime.fromisoformat(deadline) if deadline else None,
            told_at=event.at,
            institution=shot["institution"]["slug"],
            city=event.city,
            words=frozenset(k for word in self._readings(event)[0].title for k in word.keys),
        )

    def _strength(self, event: ToldEvent, one: Waiting) -> float:
        weights = [self._weight(event, text) for text in one.witnesses] or [BELOW]
        return self.rarity.get(one.interest_id, 1.0) * sum(weights)

    def _weight(self, event: ToldEvent, witness: str) -> float:
        known = self._weights.get((event.event_id, witness))
        if known is None:
            known = self._weights[event.event_id, witness] = self._weigh(event, witness)
        return known

    def _weigh(self, event: ToldEvent, witness: str) -> float:
        asked = _condition(witness)
        if not isinstance(asked, Word | Phrase | Prefix | Exact):
            return BELOW
        title, lead = self._readings(event)
        if meets(asked, title, self.now):
            return IN_TITLE
        return IN_LEAD if meets(asked, lead, self.now) else BELOW

    def _readings(self, event: ToldEvent) -> tuple[Reading, Reading]:
        if event.event_id not in self._read:
            title, lead = (_document(event, part) for part in ("title", "summary"))
            self._read[event.event_id] = Reading(title, self.analyser), Reading(lead, self.analyser)
        return self._read[event.event_id]


def scales(rt: Runtime, waiting: Iterable[Waiting]) -> Scales:
    """The scales for a batch: counts how often each of its interests was met lately."""
    now = rt.clock.now()
    since, waiting = now - COUNTED, list(waiting)
    if not waiting:
        return Scales(rt.analyser, now, {})
    with rt.begin() as session:
        events = telling.events_since(session, since)
        met = telling.met_since(session, (one.interest_id for one in waiting), since)
    return Scales(rt.analyser, now, {i: math.log((1 + events) / (1 + min(n, events))) + 1
                                     for i, n in met.items()})  # fmt: skip


@lru_cache(maxsize=8192)
def _condition(witness: str) -> Query | Deadline | Facet | None:
    try:
        return language.recall(witness)
    except QueryError:  # written by an earlier version's language
        return None


def _document(event: ToldEvent, part: str) -> Document:
    """The notice with the words of one part alone."""
    shot = event.snapshot
    return Document(
        notice_id=event.notice_id, kind=shot["kind"], title=shot[part], summary="", body="",
        language=shot["language"], topics=(), places=(), source="", institutions=(), audience=(),
        deadline_at=None, published_at=event.at,
    )  # fmt: skip
