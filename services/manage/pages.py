"""Lists in pages: `next` is an opaque cursor, None on the last page. Other cursors are BadInput."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.errors import BadInput
from services.storage.search import Place

T = TypeVar("T")
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    next: str | None


def write_place(place: Place) -> str:
    """The cursor of a place in the list of notices."""
    raw = f"{place.published_at.isoformat()}|{place.id}".encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, number = raw.partition("|")
        place = Place(datetime.fromisoformat(at), int(number))
    except (ValueError, binascii.Error) as exc:
        raise _not_ours() from exc
    if place.published_at.tzinfo is None or not 0 <= place.id <= MAX_ID:
        raise _not_ours()
    return place


def number_cursor(cursor: str | None) -> int | None:
    """A cursor that is the id of a row."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 20 and int(cursor) <= MAX_ID):
        raise _not_ours()
    return int(cursor)


def _not_ours() -> BadInput:
    return BadInput(
        "This cursor is not one that we gave out. Begin without `after`.", field="after"
    )  # fmt: skip
