"""Deadlines in a query: `deadline<30d` counts days from today, `deadline>2026-12-01` names one.

A deadline that has passed is never `<30d`. Four relations are written as two: before, and from.
"""

import re
from datetime import date, timedelta

from services.domain.folding import fold
from services.errors import QueryError
from services.interests.lexer import Lexeme
from services.interests.tree import Deadline, Relation

MAX_DAYS = 3_650
MAX_YEAR = 2099
_DAYS = re.compile(r"([0-9]{1,5})d", re.IGNORECASE)
_DATE = re.compile(r"(20[0-9]{2})-([0-9]{2})-([0-9]{2})")
_EXPECTED = "a number of days such as 30d, or a date such as 2026-12-01"

# How else people write a time, only to suggest how it is written here.
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-](20[0-9]{2})r?\.?")
_YEAR_FIRST = re.compile(r"(20[0-9]{2})[./-]([0-9]{1,2})[./-]([0-9]{1,2})")
_NAMED = re.compile(r"([0-9]{1,2})\.?\s+([^\W\d_]+)\s+(20[0-9]{2})(?:\s*r\.?(?!\w))?")
_NUMBER = re.compile(r"([0-9]{1,4})\s*([^\W\d_]*)")
_MONTHS = (
    "sty jan", "lut feb", "mar", "kwi apr", "maj may", "cze jun", "lip jul", "sie aug", "wrz sep",
    "paz oct", "lis nov", "gru dec",
)  # fmt: skip
_UNITS = {
    "": 1, "d": 1, "dn": 1, "dni": 1, "dzien": 1, "dnia": 1, "day": 1, "days": 1,
    "t": 7, "w": 7, "tyg": 7, "tydz": 7, "tydzien": 7, "tygodnie": 7, "tygodni": 7, "tygodnia": 7, "week": 7,
    "weeks": 7, "m": 30, "mies": 30, "miesiac": 30, "miesiace": 30, "miesiecy": 30, "month": 30, "months": 30,
    "y": 365, "r": 365, "rok": 365, "year": 365,
}  # fmt: skip


def read(relation: Lexeme, value: Lexeme, text: str) -> Deadline:
    """The condition of a relation and the piece of `text` behind it. Raises QueryError."""
    if days := _DAYS.fullmatch(value.text):
        return _in_days(relation.text, int(days[1]), value)
    if day := _DATE.fullmatch(value.text):
        try:
            return _by_day(relation.text, date(int(day[1]), int(day[2]), int(day[3])), value)
        except ValueError:
            raise _error(value, f"{value.text} is no day of the calendar") from None
    if not value.text:
        raise _error(relation, f"deadline{relation.text} has no time")
    raise _error(value, f"{value.text[:40]!r} is no time", _suggested(value, text))


def _suggested(value: Lexeme, text: str) -> str | None:
    """The query with the time as it is written here, where it can be told which is meant."""
    rest = text[value.start :]
    for pattern, order in ((_DAY_FIRST, (3, 2, 1)), (_YEAR_FIRST, (1, 2, 3)), (_NAMED, (3, 2, 1))):
        if found := pattern.match(rest):
            year, month, day = (found[group] for group in order)
            if number := int(month) if month.isdigit() else _month(month):
                return f"{text[: value.start]}{year}-{number:02}-{int(day):02}{rest[found.end() :]}"
    if (found := _NUMBER.match(rest)) and (unit := _UNITS.get(fold(found[2]))):
        end = found.end() if found[2] else found.end(1)
        return f"{text[: value.start]}{int(found[1]) * unit}d{rest[end:]}"
    return None


def _month(name: str) -> int | None:
    begun = fold(name)[:3]
    return next((number for number, names in enumerate(_MONTHS, 1) if begun in names.split()), None)


def _in_days(relation: str, days: int, value: Lexeme) -> Deadline:
    days += relation in ("<=", ">")
    if days > MAX_DAYS:
        raise _error(value, f"{value.text} is more than {MAX_DAYS} days ahead")
    if relation.startswith(">"):
        return Deadline(Relation.FROM, days=days)
    if days == 0:
        raise _error(value, "no deadline is less than 0 days ahead")
    return Deadline(Relation.BEFORE, days=days)


def _by_day(relation: str, day: date, value: Lexeme) -> Deadline:
    day += timedelta(days=relation in ("<=", ">"))
    if day.year > MAX_YEAR:
        raise _error(value, f"{value.text} is too far ahead")
    return Deadline(Relation.FROM if relation.startswith(">") else Relation.BEFORE, day=day)


def _error(value: Lexeme, message: str, suggestion: str | None = None) -> QueryError:
    return QueryError(
        message,
        column=value.column,
        length=value.length,
        expected=_EXPECTED,
        reason="deadline",
        suggestion=suggestion,
    )
