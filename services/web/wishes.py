"""What a person chose in a form, as one query and one rhythm.

The choices narrow each other down (AND); within one kind of choice any of them will do (OR).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.web.guards import Form

EVERY = ("usual", "instant", "hourly", "daily", "weekly", "monthly")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DAYS = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun)){0,6}")
_VALUE = re.compile(r"[a-z0-9][a-z0-9_/-]{0,99}")
_MONTHDAYS = re.compile(r"[0-9]{1,2}(,[0-9]{1,2}){0,30}")
_PREFIX = re.compile(r"\w{2,}\*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Topics, places and kinds by their codes; `words` separated by commas; a `query` as it was written."""

    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    words: str = ""
    query: str = ""

    @classmethod
    def read(cls, fields: Form) -> "Wanted":
        return cls(
            topics=_codes(fields.all("topic")),
            places=_codes(fields.all("place")),
            kinds=_codes(fields.all("kind")),
            words=fields.one("words")[:500],
            query=fields.one("q")[:2_000],
        )

    @property
    def is_empty(self) -> bool:
        return not self.composed

    @property
    def composed(self) -> str:
        """The whole choice in the query language."""
        parts = [
            _any_of("topic", self.topics),
            _any_of("place", self.places),
            _any_of("kind", self.kinds),
            _alternatives(self.words),
        ]
        chosen = [part for part in parts if part]
        if not self.query:
            return " ".join(chosen)
        return " ".join([*chosen, f"({self.query})"]) if chosen else self.query

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The choice as parameters of an address."""
        listed = [("topic", self.topics), ("place", self.places), ("kind", self.kinds)]
        pairs = [(name, value) for name, values in listed for value in values]
        return [*pairs, *((n, v) for n, v in (("words", self.words), ("q", self.query)) if v)]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A cadence taken apart for a form."""

    every: str = "daily"
    weekday: str = "mon"
    hour: str = "07:00"
    monthday: str = "1"

    @classmethod
    def read(cls, fields: Form) -> "Rhythm":
        usual = cls()
        every, weekday, hour = fields.one("every"), fields.one("weekday"), fields.one("hour")
        monthday = fields.one("monthday")
        return cls(
            every=every if every in EVERY else usual.every,
            weekday=weekday if _DAYS.fullmatch(weekday) else usual.weekday,
            hour=hour if _HOUR.fullmatch(hour) else usual.hour,
            monthday=monthday if _MONTHDAYS.fullmatch(monthday) else usual.monthday,
        )

    @classmethod
    def of(cls, cadence: str) -> "Rhythm":
        """`weekly:mon,thu@07:00` taken apart."""
        head, _, hour = cadence.partition("@")
        every, _, day = head.partition(":")
        usual = cls()
        return cls(
            every=every,
            weekday=day if every == "weekly" and day else usual.weekday,
            hour=hour or usual.hour,
            monthday=day if every == "monthly" and day else usual.monthday,
        )

    @property
    def cadence(self) -> str:
        match self.every:
            case "daily":
                return f"daily@{self.hour}"
            case "weekly":
                return f"weekly:{self.weekday}@{self.hour}"
            case "monthly":
                return f"monthly:{self.monthday}@{self.hour}"
            case every:
                return every

    @property
    def hours(self) -> list[str]:
        """The times to choose from, the present one among them."""
        return sorted({*(f"{hour:02}:00" for hour in range(24)), self.hour})


def _codes(values: Sequence[str]) -> tuple[str, ...]:
    """Codes alone: nothing that a query could mistake for its own signs."""
    return tuple(dict.fromkeys(value for value in values if _VALUE.fullmatch(value)))


def _any_of(field: str, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        return f"{field}:({' OR '.join(values)})"
    return f"{field}:{values[0]}" if values else ""


def _alternatives(words: str) -> str:
    told = [_quoted(word) for word in words.split(",")]
    kept = [word for word in dict.fromkeys(told) if word]
    return f"({' OR '.join(kept)})" if len(kept) > 1 else "".join(kept)


def _quoted(word: str) -> str:
    plain = " ".join(word.replace('"', " ").replace("\\", " ").split())
    if _PREFIX.fullmatch(plain):
        return plain
    return f'"{plain}"' if any(char.isalnum() for char in plain) else ""
