"""The log of events as consumers pull it: in order and without gaps from a cursor, or the newest first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.domain import events
from services.domain.notices import OPERATION
from services.errors import BadInput
from services.manage import checks
from services.manage.pages import Page
from services.manage.sieve import Meets, sieve
from services.runtime import Runtime
from services.storage import log as store
from services.storage import search
from services.storage.log import Cursor, Logged

BATCH = 200
MOST = 500
MOST_LOOKED_AT = 5_000  # events that one call reads at most; then it answers with what it has, and a cursor

Told = tuple[str, dict[str, Any]]  # the cursor of an event, and the event as a CloudEvent


def read(rt: Runtime, *, q: str = "", after: str | None = None, limit: int = 100) -> Page[Told]:
    """Events after a cursor, in order, nothing skipped; `next` is where to go on, and is always given."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"The limit of a page is from 1 to {MOST}.", field="limit")
    meets, cursor = _meets(rt, q), _cursor(after)
    items: list[Told] = []
    looked, size = 0, BATCH if meets else limit
    while len(items) < limit and looked < MOST_LOOKED_AT:
        with rt.begin() as session:
            rows = store.read_log(session, after=cursor, limit=size)
            wanted = _wanted(session, rows, meets)
        for row in rows:
            cursor = row.cursor
            if row.id in wanted:
                items.append((str(cursor), _cloudevent(rt, row)))
            if len(items) == limit:
                break
        looked += len(rows)
        if len(rows) < size:
            break
    return Page(items, str(cursor))


def page(rt: Runtime, *, q: str = "", after: str | None = None, limit: int = 100) -> Page[dict[str, Any]]:
    """The same as `read`, without the place of each."""
    found = read(rt, q=q, after=after, limit=limit)
    return Page([event for _, event in found.items], found.next)


def newest(rt: Runtime, *, q: str = "", limit: int) -> list[dict[str, Any]]:
    """The newest events that meet a query, the newest first."""
    meets, before = _meets(rt, q), None
    items: list[dict[str, Any]] = []
    looked = 0
    while len(items) < limit and looked < MOST_LOOKED_AT:
        with rt.begin() as session:
            rows = store.read_back(session, before=before, limit=BATCH)
            wanted = _wanted(session, rows, meets)
        items += [_cloudevent(rt, row) for row in rows if row.id in wanted]
        looked += len(rows)
        if len(rows) < BATCH:
            break
        before = rows[-1].cursor
    return items[:limit]


def newest_cursor(rt: Runtime) -> str:
    """The place of the newest event that may be told; empty while there is none. One look at an index."""
    with rt.begin() as session:
        rows = store.read_back(session, before=None, limit=1)
    return str(rows[0].cursor) if rows else ""


def is_past(newest: str, after: str) -> bool:
    """Whether a place lies behind another one; the empty place is before all."""
    return bool(newest) and (not after or Cursor.parse(newest) > Cursor.parse(after))


def _wanted(session: Session, rows: Sequence[Logged], meets: Meets | None) -> set[int]:
    """What is asked for: without a query all but word about our own work, with one also withdrawals."""
    if meets is None:
        return {row.id for row in rows if row.snapshot["kind"] != OPERATION}
    documents = dict(search.documents_of(session, [row.id for row in rows]))
    return {row.id for row in rows if row.type == "withdrawn" or meets(documents[row.id])}


def _meets(rt: Runtime, q: str) -> Meets | None:
    return sieve(rt, checks.query(q)[1]) if q.strip() else None


def _cursor(after: str | None) -> Cursor:
    try:
        return Cursor.parse(after) if after else Cursor()
    except ValueError as exc:
        raise BadInput(
            "This cursor is not one that we gave out. Begin without `after`.", field="after"
        ) from exc


def _cloudevent(rt: Runtime, row: Logged) -> dict[str, Any]:
    return events.cloudevent(
        uid=row.uid, kind=row.type, at=row.at, snapshot=row.snapshot, base_url=rt.settings.base_url
    )
