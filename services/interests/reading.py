"""A document as read: its fields cut into words with their keys, once, and only when words are asked for."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from services.domain.notices import OPERATION
from services.interests.documents import Document
from services.interests.text import Analyser, Keys, ReadWord
from services.interests.tokens import tokenise

WARSAW = ZoneInfo("Europe/Warsaw")
MAX_READ = 200_000


@dataclass(frozen=True)
class Reading:
    """May be kept as long as the document stands: nothing here depends on the time of asking.

    `zone` tells the days of deadline and publication. Word about our own work (kind operation) has neither
    words nor a language here: only who asks for that kind, or for that institution, is to meet it.
    """

    document: Document
    analyser: Analyser
    zone: ZoneInfo = WARSAW

    @cached_property
    def title(self) -> tuple[ReadWord, ...]:
        return self._read(self.document.title)

    @cached_property
    def summary(self) -> tuple[ReadWord, ...]:
        return self._read(self.document.summary)

    @cached_property
    def body(self) -> tuple[ReadWord, ...]:
        return self._read(self.document.body)

    def texts(self, *, in_title: bool) -> Iterator[tuple[str, tuple[ReadWord, ...]]]:
        """(field, its words): the title alone, or all fields; the title is among all."""
        yield "title", self.title
        if not in_title:
            yield "summary", self.summary
            yield "body", self.body

    def places_of(self, field: str, keys: Keys) -> list[int]:
        """Where in a field (title, summary, body) words have any of the keys, in order."""
        index = self._places[field]
        return sorted({place for key in keys for place in index.get(key, ())})

    @cached_property
    def _places(self) -> dict[str, dict[str, list[int]]]:
        found: dict[str, dict[str, list[int]]] = {}
        for field, words in self.texts(in_title=False):
            index = found[field] = defaultdict(list)
            for place, word in enumerate(words):
                for key in word.keys:
                    index[key].append(place)
        return found

    @property
    def language(self) -> str:
        """The language without its region: `pl-PL` is `pl`."""
        if self.document.kind == OPERATION:
            return ""
        return (self.document.language or "").replace("_", "-").partition("-")[0].lower()

    @property
    def published_day(self) -> date:
        return self.document.published_at.astimezone(self.zone).date()

    @property
    def deadline_day(self) -> date | None:
        at = self.document.deadline_at
        return at.astimezone(self.zone).date() if at else None

    def days_left(self, now: datetime) -> int | None:
        """Calendar days until the deadline; None when there is none or it has passed."""
        at, day = self.document.deadline_at, self.deadline_day
        if at is None or day is None or at < now:
            return None
        return (day - now.astimezone(self.zone).date()).days

    def _read(self, text: str) -> tuple[ReadWord, ...]:
        if self.document.kind == OPERATION:
            return ()
        is_english = self.language == "en"
        read = self.analyser.read
        return tuple([read(token, is_english) for token in tokenise(text[:MAX_READ])])
