"""Notices for reading: in the query language and one by one. Changes nothing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.domain import drafts, events, links, tokens
from services.domain.notices import OPERATION
from services.errors import BadInput, NotFound
from services.manage import checks
from services.manage.pages import Page, read_place, write_place
from services.manage.sieve import Meets, sieve
from services.runtime import Runtime
from services.storage import search as store
from services.storage import telling

BATCH = 200
MOST_LOOKED_AT = 5_000  # rows that one call reads at most; then it answers with what it has, and a cursor
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stats:
    """How much there is; `recent_notices` of the last thirty days."""

    institutions: int
    subscribers: int
    notices: int
    recent_notices: int


def search(rt: Runtime, *, q: str = "", after: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    """Notices that stand and meet a query (when empty: all but word about our own work), newest first.

    A page may be shorter than `limit` and still have a `next`: so much was looked at in one go.
    """
    limit = _limit(limit)
    place, meets = read_place(after), _meets(rt, q)
    found: list[store.Listed] = []
    looked, is_end = 0, False
    while len(found) <= limit and not is_end and looked < MOST_LOOKED_AT:
        with rt.begin() as session:
            size, without = (BATCH, "") if meets else (limit + 1, OPERATION)
            rows = store.page(session, after=place, without=without, limit=size)
        is_end = len(rows) < (BATCH if meets else limit + 1)
        looked += len(rows)
        found += [row for row in rows if meets is None or meets(row.document())]
        place = rows[-1].place if rows else place
    items = [dict(row.form) for row in found[:limit]]
    if len(found) > limit:
        return Page(items, write_place(found[limit - 1].place))
    return Page(items, None if is_end or place is None else write_place(place))


def get(rt: Runtime, notice_id: int) -> dict[str, Any]:
    """One notice with its sanitised `body_html`, the number of `revisions` and `tellers`:
    the other notices of the same story, by the institution that tells it.

    A withdrawn one is still there, marked so. Raises NotFound.
    """
    with rt.begin() as session:
        rows = store.some(session, [notice_id])
        if not rows:
            raise NotFound("There is no such notice.", notice_id=notice_id)
        listed = rows[0]
        known = store.revisions(session, notice_id)
        told = store.tellers(session, int(listed.form["story"]))
    return {
        **listed.form,
        "body_html": listed.body_html,
        "body_text": drafts.text_of(listed.body_html),
        "revisions": len(known),
        "revised_at": events.rfc3339(known[-1].recorded_at) if len(known) > 1 else None,
        "tellers": [
            {"notice": other.id, "title": other.form["title"], **other.form["institution"]}
            for other in told
            if other.id != notice_id
        ],
    }


def revision(rt: Runtime, token: str) -> dict[str, Any]:
    """One revision, for the bearer of a link that a thin event told. Raises NotFound."""
    try:
        named = tokens.read(rt.settings.secret_key, links.REVISION, token, rt.clock.now())
    except BadInput as exc:
        raise NotFound(exc.message) from exc
    which = int(named["n"]), int(named["r"])
    with rt.begin() as session:
        found = telling.snapshots(session, [which])
    if which not in found:
        raise NotFound("This revision is no longer kept.")
    return dict(found[which])


def stats(rt: Runtime) -> Stats:
    with rt.begin() as session:
        return Stats(**store.counts(session, since=rt.clock.now() - RECENT))


def _meets(rt: Runtime, q: str) -> Meets | None:
    if not q.strip():
        return None
    return sieve(rt, checks.query(q)[1])


def _limit(limit: int) -> int:
    if not 1 <= limit <= 500:
        raise BadInput("The limit of a page is from 1 to 500.", field="limit")
    return limit
