"""Dates as feeds write them, read by one function over the raw text.

feedparser takes CET and CEST for UTC, gives nothing for a date without a zone and knows no Polish month;
so none of its dates is used. A date must never be guessed from half of one: unclear text gives None.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")
MAX_CHARS = 100

_ZONE_HOURS = {
    **dict.fromkeys(("z", "ut", "utc", "gmt", "wet"), 0),
    **dict.fromkeys(("west", "bst", "cet", "mez"), 1),
    **dict.fromkeys(("cest", "mest", "mesz", "eet"), 2),
    **dict.fromkeys(("eest", "msk"), 3),
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "jst": 9,
}  # fmt: skip
_MONTH_OF = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    "sty": 1, "lut": 2, "kwi": 4, "maj": 5, "cze": 6, "lip": 7,
    "sie": 8, "wrz": 9, "paz": 10, "lis": 11, "gru": 12,
}  # fmt: skip
_ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
    "xi": 11,
    "xii": 12,
}

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?![\d-])|(\d{4})(\d{2})(\d{2})(?=t|$)", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_YEAR_FIRST = re.compile(r"\b(\d{4})[./](\d{1,2})[./](\d{1,2})(?!\d)", re.ASCII)
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?!\d)", re.ASCII)
_DAY_WORD_YEAR = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[\s./,-]*([a-z]+)[\s./,-]+(\d{4}|\d{2})(?![\d:])", re.ASCII
)
_WORD_DAY = re.compile(r"([a-z]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?![\d:])", re.ASCII)
_YEAR = re.compile(r"(?<![\d:+-])(\d{4})(?![\d:])", re.ASCII)
_TIME = re.compile(r"(?<![\d+-])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([ap]m\b)?", re.ASCII)
_BARE_TIME = re.compile(
    r"^\D{0,12}?\b(\d{1,2})\.(\d{2})\b(?![.\d])|^t?(\d{2})(\d{2})(\d{2})?(?=z|[+-]|$)", re.ASCII
)
_OFFSET = re.compile(r"(?:gmt|utc|ut)?\s*([+-])(\d{1,2}):?(\d{2})?(?!\d)", re.ASCII)
_WORD = re.compile(r"[a-z]+", re.ASCII)


def read_date(raw: object, *, zone: tzinfo = WARSAW) -> datetime | None:
    """The moment that a date as written means, aware UTC; None when it cannot be told.

    Day before month (05.10.2026 is 5 October); a date without a zone is local time in `zone`.
    """
    if not isinstance(raw, str) or not raw.strip() or len(raw) > MAX_CHARS:
        return None
    return _read(raw, zone)


@lru_cache(4096)
def _read(raw: str, zone: tzinfo) -> datetime | None:
    if _RFC3339.fullmatch(raw) and (at := _exact(raw)):
        return at
    text = _folded(raw)
    found = _read_day(text)
    if found is None:
        return None
    day, rest = found
    clock, rest = _read_time(rest)
    try:
        local = datetime(day.year, day.month, day.day, tzinfo=_read_zone(rest, zone)) + clock
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _exact(raw: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(raw).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if 1970 <= at.year <= 9998 else None


def clamp(at: datetime | None, *, now: datetime) -> datetime | None:
    """`at`, but never later than `now`: a date in the future would sort and filter wrongly for ever."""
    return min(at, now) if at else None


def _folded(raw: str) -> str:
    """Lower case, without diacritics: `Październik` and `pazdziernik` are one word."""
    bare = unicodedata.normalize("NFKD", raw.lower().replace("ł", "l").replace("−", "-"))
    return " ".join("".join(char for char in bare if not unicodedata.combining(char)).split())


def _read_day(text: str) -> tuple[date, str] | None:
    """The calendar day, and the text without it."""
    for shape, order in ((_ISO, "ymd"), (_YEAR_FIRST, "ymd"), (_NUMBERS, "dmy"), (_DAY_WORD_YEAR, "dmy")):
        match = shape.search(text)
        if match:
            parts = [part for part in match.groups() if part] + ["1"]
            year, month, day = parts[:3] if order == "ymd" else (parts[2], parts[1], parts[0])
            found = _day(year, month, day)
            if found:
                return found, text[: match.start()] + " " + text[match.end() :]
    return _american(text)


def _american(text: str) -> tuple[date, str] | None:
    """`April 11, 2026 15:51` and the date(1) shape `Sat Apr 11 15:51:08 CEST 2026`."""
    year = _YEAR.search(text)
    for match in _WORD_DAY.finditer(text):
        found = _day(year[1], match[1], match[2]) if year else None
        if year and found:
            rest = text[: year.start()] + " " + text[year.end() :]
            return found, rest.replace(match[0], " ", 1)
    return None


def _day(year: str, month: str, day: str) -> date | None:
    number = int(month) if month.isdigit() else _ROMAN.get(month) or _MONTH_OF.get(month[:3], 0)
    years = int(year)
    if len(year) == 2:
        years += 2000 if years < 70 else 1900
    days = int(day)
    if month.isdigit() and number > 12 >= days:
        number, days = days, number  # 04/25/2026 can only be read one way
    try:
        return date(years, number, days) if 1970 <= years <= 9998 else None
    except ValueError:
        return None


def _read_time(text: str) -> tuple[timedelta, str]:
    """The time of day (midnight when none is given), and the text without it."""
    match = _TIME.search(text) or _BARE_TIME.search(text.strip())
    if not match:
        return timedelta(), text
    parts = [part for part in match.groups() if part]
    half = parts.pop() if parts[-1] in ("am", "pm") else None
    hours, minutes, seconds = (int(part) for part in [*parts, "0"][:3])
    if half:
        hours = hours % 12 + (12 if half == "pm" else 0)
    if hours > 24 or minutes > 59 or seconds > 60:
        return timedelta(), text
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59)), text[match.end() :]


def _read_zone(text: str, default: tzinfo) -> tzinfo:
    offset = _OFFSET.search(text)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return (
            timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
            if minutes < 1440
            else default
        )
    for word in _WORD.findall(text):
        if word in _ZONE_HOURS:
            return timezone(timedelta(hours=_ZONE_HOURS[word]))
    return default
