"""Days that people give in forms, in their own zone, and numbers that forms carry."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.errors import BadInput, NotFound

SPANS = {"week": timedelta(days=7), "month": timedelta(days=30), "quarter": timedelta(days=90)}


def beginning(zone: str, text: str) -> datetime | None:
    """The beginning of a day in a zone; None where no day was given. Raises BadInput."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput("This is no day.", field="until") from error


def ahead(zone: str, text: str, *, now: datetime) -> datetime | None:
    """The beginning of a day to come; None where no day was given. Raises BadInput."""
    at = beginning(zone, text)
    if at is not None and at <= now:
        raise BadInput("This day has passed.", field="until")
    return at


def today(now: datetime, zone: str) -> str:
    """The day that it is in a zone, as forms take it."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()


def number(text: str) -> int:
    """The id that a form carries. Raises NotFound for what is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound("There is nothing of this number.")
    return int(text)
