"""Deadlines in a query: `deadline<30d` counts days from today, `deadline>2026-12-01` names one.

A deadline that has passed is never `<30d`. Four relations are written as two: before, and from.
"""

import re
from datetime import date, timedelta

from services.errors import QueryError
from services.interests.lexer import Lexeme
from services.interests.tree import Deadline, Relation

MAX_DAYS = 3_650
MAX_YEAR = 2099
_DAYS = re.compile(r"([0-9]{1,5})d", re.IGNORECASE)
_DATE = re.compile(r"(20[0-9]{2})-([0-9]{2})-([0-9]{2})")
_EXPECTED = "a number of days such as 30d, or a date such as 2026-12-01"


def read(relation: Lexeme, value: Lexeme) -> Deadline:
    """The condition of a relation and the piece behind it. Raises QueryError."""
    if days := _DAYS.fullmatch(value.text):
        return _in_days(relation.text, int(days[1]), value)
    if day := _DATE.fullmatch(value.text):
        try:
            return _by_day(relation.text, date(int(day[1]), int(day[2]), int(day[3])), value)
        except ValueError:
            raise _error(value, f"{value.text} is no day of the calendar") from None
    what = f"{value.text[:40]!r} is no time" if value.text else f"deadline{relation.text} has no time"
    raise _error(value, what)


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


def _error(value: Lexeme, message: str) -> QueryError:
    return QueryError(message, column=value.column, length=value.length, expected=_EXPECTED)
