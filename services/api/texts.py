"""The kinds of value that callers send, each with its rule, its wording and its JSON Schema.

Refuses what cannot be stored or told onward (NUL, lone surrogates, naive times) instead of mending it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from email_validator import validate_email
from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from services.domain import cadence, places, topics
from services.errors import BadInput

MAX_QUERY = 1_000
MAX_DEFINITION = 2_000
MIN_YEAR, MAX_YEAR = 1970, 2199
MAX_ID = 2**63 - 1
NO_CURSOR = "This cursor is not one that we gave out. Begin without `after`."

STORABLE = r"^[^\x00]*$"
LINE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
TOLD = r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f][^\x00]*$"
_LABELS = r"([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}"
_AFTER_HOST = r"[!#-;=?-\[\]_a-z{|}~]*"
URL = rf"^https?://{_LABELS}(:[0-9]{{1,5}})?([/?#]{_AFTER_HOST})?$"
_HOUR = r"@([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_DATE = "([1-9]|[12][0-9]|3[01])"
CADENCE = (
    rf"^(instant|hourly|daily{_HOUR}|weekly:{_DAY}(,{_DAY}){{0,6}}{_HOUR}"
    rf"|monthly:{_DATE}(,{_DATE}){{0,6}}{_HOUR})$"
)
TOPIC = rf"^({'|'.join(topics.TOPICS)})(/[a-z0-9]+(-[a-z0-9]+)*){{0,3}}$"
PLACE = r"^[0-9]{2}([0-9]{2}([0-9]{3})?)?$"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)  # RFC 3339


@dataclass(frozen=True, slots=True)
class Rule:
    """A text of at most `most` characters that is written as `pattern` says; `words` tell people.

    `read`, where there is one, decides instead of the pattern and gives the text in its one spelling.
    """

    most: int
    words: str
    pattern: str = STORABLE
    least: int = 0
    format: str | None = None
    example: str | None = None
    read: Callable[[str], str] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        lengths = core_schema.str_schema(min_length=self.least, max_length=self.most)
        return core_schema.no_info_after_validator_function(self._check, lengths)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        told = handler(schema)
        told.update({"format": self.format} if self.format else {"pattern": self.pattern})
        if self.example:
            told["examples"] = [self.example]
        return told

    def _check(self, value: str) -> str:
        if "\x00" in value:
            raise PydanticCustomError("nul", "The text holds the NUL character, which cannot be stored.")
        try:
            if self.read is not None:
                return self.read(value)
            if re.fullmatch(self.pattern.removeprefix("^").removesuffix("$"), value):
                return value
        except (BadInput, KeyError, ValueError, OSError):  # a zone that is not there is a KeyError
            pass
        raise PydanticCustomError("form", "{words}", {"words": self.words})


def _time(value: object) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise PydanticCustomError("time", "Write the time as 2026-11-23T12:00:00+01:00, with its offset.")
    try:
        at = datetime.fromisoformat(value.upper())
        if not MIN_YEAR <= at.year <= MAX_YEAR:
            raise ValueError("out of bounds")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "time", "This is no time of the years {low} to {high}.", {"low": MIN_YEAR, "high": MAX_YEAR}
        ) from None


def _whole(value: object) -> object:
    """A whole number, also as 24.0, which JSON Schema takes for one; never a text or a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise PydanticCustomError("whole", "Write a whole number.")
    return int(value)


def _zone(value: str) -> str:
    ZoneInfo(value)
    return value


def _email(value: str) -> str:
    return validate_email(value, check_deliverability=False).normalized


def _cadence(value: str) -> str:
    if value != "".join(value.split()).lower():
        raise ValueError("spaces or capitals")
    return value if value == "usual" else str(cadence.parse(value))


def _topic(value: str) -> str:
    """The slug of a topic, or of what lies below one; also another name of a topic, such as `fundusze`."""
    return value if re.fullmatch(TOPIC.strip("^$"), value) else topics.NAMES[value]


def _place(value: str) -> str:
    """A TERYT code, also outside the area; or the code of a place given by its one name."""
    if re.fullmatch(r"[0-9]{2}|[0-9]{4}|[0-9]{6,7}", value):
        found = places.find(value)
        return found[0].code if found else value
    if not re.search(r"[^\W\d]", value):
        raise ValueError("neither a code nor a name")
    return places.get(value).code


Key = Annotated[
    str,
    Rule(255, "The key is blank, or holds a control character.", LINE, 1, example="2026/114"),
    Field(description="The institution's own id of the notice; with it a push is idempotent."),
]
Title = Annotated[str, Rule(500, "The title is blank.", TOLD, 1)]
Label = Annotated[str, Rule(120, "The label is blank.", TOLD, 1)]
Summary = Annotated[str, Rule(2_000, "The text cannot be stored.")]
Body = Annotated[str, Rule(200_000, "The text cannot be stored.")]
Query = Annotated[
    str,
    Rule(MAX_QUERY, "The query cannot be read.", format="goniec-query", example="topic:funding deadline<30d"),
]
Definition = Annotated[
    str,
    Rule(MAX_DEFINITION, "The query cannot be read.", format="goniec-definition", example="żywność OR miód"),
]
MuteValue = Annotated[
    str,
    Rule(MAX_QUERY, "The value is blank.", LINE, 1, format="goniec-query", example="hulajnoga"),
]
Topic = Annotated[
    str,
    Rule(
        100,
        f"This is no topic. Use one of: {', '.join(topics.TOPICS)}; or what lies below: ict-ai/robotics.",
        TOPIC,
        1,
        read=_topic,
    ),
]
Place = Annotated[
    str,
    Rule(
        60, "Write a TERYT code of 2, 4 or 7 digits, or the full name of a place here.", PLACE, 2, read=_place
    ),
]
LanguageCode = Annotated[str, Rule(3, "Write a language code, such as pl.", r"^[a-z]{2,3}$", 2)]
WebUrl = Annotated[
    str,
    Rule(
        2_000,
        "Write an address that begins with http:// or https://, with odd characters percent-encoded.",
        URL,
        1,
        example="https://um.example/nabor/114",
    ),
]
HookUrl = Annotated[
    str,
    Rule(2_000, "Write an address.", least=8, format="uri", example="https://hooks.example/goniec"),
    Field(description="http or https; it must resolve to public addresses alone."),
]
Cadence = Annotated[
    str,
    Rule(
        60,
        "Write usual, instant, hourly, daily@07:00, weekly:mon,thu@07:00 or monthly:1@07:00.",
        CADENCE,
        1,
        example="daily@07:00",
        read=_cadence,
    ),
]
Zone = Annotated[
    str,
    Rule(
        64,
        "Write a time zone such as Europe/Warsaw.",
        least=1,
        format="timezone",
        example="Europe/Warsaw",
        read=_zone,
    ),
]
Email = Annotated[str, Rule(254, "This is not an e-mail address.", least=3, format="email", read=_email)]
Time = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-12-01T15:30:00+01:00"]}),
]
Whole = BeforeValidator(_whole)
LogCursor = Annotated[str, Rule(40, NO_CURSOR, r"^[0-9]{1,18}-[0-9]{1,18}$", 1)]
RowCursor = Annotated[str, Rule(18, NO_CURSOR, r"^[0-9]{1,18}$", 1)]
PlaceCursor = Annotated[str, Rule(200, NO_CURSOR, least=1, format="goniec-cursor")]
Recipient = Annotated[
    str, Rule(254, "Write an e-mail address or the id of an endpoint.", least=3, format="goniec-recipient")
]
