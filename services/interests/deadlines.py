"""Deadlines in a query: `deadline<30d` counts days from today, `deadline>2026-12-01` names one.

A deadline that has passed is never `<30d`. Four relations are written as two: before, and from.
"""

import re
from datetime import date, timedelta

from services.domain.folding import fold
from services.errors import QueryError
from services.interests.lexer import DASHES, Lexeme, Sign
from services.interests.slips import instead
from services.interests.tree import Deadline, Relation

MAX_DAYS = 3_650
MAX_YEAR = 2099
_DAYS = re.compile(r"([0-9]{1,5})d", re.IGNORECASE)
_DATE = re.compile(r"(20[0-9]{2})-([0-9]{2})-([0-9]{2})")
_EXPECTED = "a number of days such as 30d, or a date such as 2026-12-01"

# How else people write a time, only to suggest how it is written here.
_BETWEEN = rf"[{DASHES}./]"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<d>[0-9]{{1,2}}){_BETWEEN}(?P<m>[0-9]{{1,2}}){_BETWEEN}(?P<y>(?:20)?[0-9]{{2}})(?![0-9])r?",
        rf"(?P<y>20[0-9]{{2}}){_BETWEEN}(?P<m>[0-9]{{1,2}}){_BETWEEN}(?P<d>[0-9]{{1,2}})(?:t[0-9:.+z-]*)?",
        r"(?P<y>20[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?![0-9])",
        r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|\.)?\s+(?P<m>[^\W\d_]+),?\s+(?P<y>20[0-9]{2})(?:\s*r\b)?",
        r"(?P<m>[^\W\d_]{3,})\.?\s+(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>20[0-9]{2})",
        rf"(?P<y>20[0-9]{{2}}){_BETWEEN}(?P<m>[0-9]{{1,2}})(?![0-9])",
        rf"(?P<m>[0-9]{{1,2}}){_BETWEEN}(?P<y>20[0-9]{{2}})(?![0-9])",
        r"(?P<y>20[0-9]{2})(?!\s*\w)",
    )
)
_NUMBER = re.compile(r"(?:(?:in|within|za|w\s+ciągu)\s+)?([0-9]{1,4})(?![0-9]|[.,][0-9])\s*([^\W\d_]*)")
_NAME = re.compile(r"[^\W\d_]+")
_MONTHS = (
    "sty jan", "lut feb", "mar", "kwi apr", "maj may", "cze jun", "lip jul", "sie aug", "wrz sep",
    "paz oct", "lis nov", "gru dec",
)  # fmt: skip
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_UNITS = {
    "": 1, "d": 1, "dn": 1, "dni": 1, "dzien": 1, "dnia": 1, "day": 1, "days": 1,
    "t": 7, "w": 7, "tyg": 7, "tydz": 7, "tydzien": 7, "tygodnie": 7, "tygodni": 7, "tygodnia": 7, "week": 7,
    "weeks": 7, "m": 30, "mies": 30, "miesiac": 30, "miesiace": 30, "miesiecy": 30, "month": 30, "months": 30,
    "y": 365, "r": 365, "rok": 365, "roku": 365, "lata": 365, "lat": 365, "year": 365, "years": 365,
}  # fmt: skip
_NAMED = {
    "dzis": 1, "dzisiaj": 1, "today": 1, "jutro": 2, "jutra": 2, "tomorrow": 2, "tydzien": 7, "week": 7,
    "miesiac": 30, "month": 30, "kwartal": 90, "quarter": 90, "rok": 365, "year": 365,
}  # fmt: skip


def read(relation: Lexeme, value: Lexeme, text: str) -> Deadline:
    """The condition of a relation and the piece of `text` behind it. Raises QueryError."""
    if value.sign is Sign.QUOTED:
        raise _error(value, "a time stands without quotes", instead(text, value, value.text.strip()))
    if days := _DAYS.fullmatch(value.text):
        return _in_days(relation.text, int(days[1]), value)
    if day := _DATE.fullmatch(value.text):
        try:
            return _by_day(relation.text, date(int(day[1]), int(day[2]), int(day[3])), value)
        except ValueError:
            said = f"{value.text} is no day of the calendar"
            raise _error(value, said, _suggested(value, text)) from None
    if not value.text:
        raise _error(relation, f"deadline{relation.text} has no time")
    raise _error(value, f"{value.text[:40]!r} is no time", _suggested(value, text))


def _suggested(value: Lexeme, text: str) -> str | None:
    """The query with the time as it is written here, where it can be told which is meant."""
    rest = text[value.start :]
    for pattern in _DATES:
        if (found := pattern.match(rest)) and (day := _day(found)):
            return _with(text, value, day, found.end())
    if (found := _NUMBER.match(rest)) and (unit := _UNITS.get(fold(found[2]))):
        end = found.end() if found[2] else found.end(1)
        return _with(text, value, f"{int(found[1]) * unit}d", end)
    if (found := _NAME.match(rest)) and (days := _NAMED.get(fold(found[0]))):
        return _with(text, value, f"{days}d", found.end())
    return None


def _with(text: str, value: Lexeme, time: str, length: int) -> str:
    """The time in its place, without the comma or full stop that stood behind it."""
    rest = re.sub(r"^[.,;]+\s*", " ", text[value.start + length :])
    return f"{text[: value.start]}{time}{rest}"


def _day(found: re.Match[str]) -> str | None:
    """The first day of what leaves the day out; `12/31/2026` has the month in front."""
    given = {"m": "1", "d": "1"} | found.groupdict()
    month = int(given["m"]) if given["m"].isdecimal() else _month(given["m"])
    if month is None:
        return None
    year, day = int(given["y"]), int(given["d"])
    if month > 12 >= day:
        month, day = day, month
    return f"{year if year > 99 else 2000 + year}-{month:02}-{day:02}"


def _month(name: str) -> int | None:
    folded = fold(name)
    if folded in _ROMAN:
        return _ROMAN.index(folded) + 1
    return next((number for number, names in enumerate(_MONTHS, 1) if folded[:3] in names.split()), None)


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
