"""How much of an event an endpoint is told: the notice whole, where to fetch it, or what changed in it.

Pure. The same event told in the same way to the same endpoint is always the same bytes: nothing here may
depend on the time of an attempt.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from services.domain import links
from services.domain.events import rfc3339

# A replay reaches back thirty days, and its last attempt comes three days later; a week is to spare.
FETCH_WITHIN = timedelta(days=40)

Snapshot = Mapping[str, Any]


class Content(StrEnum):
    FAT = "fat"
    THIN = "thin"
    DIFF = "diff"


CONTENTS = tuple(one.value for one in Content)


def data(
    content: str,
    snapshot: Snapshot,
    *,
    at: datetime,
    base_url: str,
    secret: str,
    before: Snapshot | None = None,
) -> dict[str, Any]:
    """The `data` of an event of `at`, as its endpoint chose; `before` is what a diff is told against."""
    chosen = Content(content)
    match chosen:
        case Content.FAT:
            return dict(snapshot)
        case Content.THIN:
            return _named(snapshot, at, base_url, secret)
        case Content.DIFF:
            return {
                **_named(snapshot, at, base_url, secret),
                "from_revision": before["revision"] if before else None,
                "patch": patch(before, snapshot),
            }
        case _:
            assert_never(chosen)


def patch(before: Snapshot | None, after: Snapshot) -> list[dict[str, Any]]:
    """A JSON Patch (RFC 6902) that makes `after` of `before`, member by member; of nothing, the whole.

    Not a merge patch (RFC 7396): there null takes a member out, and a notice has members that are null.
    """
    if before is None:
        return [{"op": "add", "path": "", "value": dict(after)}]
    gone = [{"op": "remove", "path": _pointer(name)} for name in before if name not in after]
    changed = [
        {"op": "replace" if name in before else "add", "path": _pointer(name), "value": value}
        for name, value in after.items()
        if name not in before or before[name] != value
    ]
    return [*gone, *changed]


def _pointer(name: str) -> str:
    """RFC 6901, section 3."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _named(snapshot: Snapshot, at: datetime, base_url: str, secret: str) -> dict[str, Any]:
    """Which notice and revision, and a link that needs no key and expires."""
    until = at + FETCH_WITHIN
    url = links.revision_url(
        base_url, secret, notice_id=snapshot["id"], revision=snapshot["revision"], expires_at=until
    )
    return {
        "id": snapshot["id"],
        "key": snapshot["key"],
        "revision": snapshot["revision"],
        "url": url,
        "expires_at": rfc3339(until),
    }
