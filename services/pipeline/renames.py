"""An entry that its source names anew is still the same entry: nobody must get it a second time.

Guids repeat, or change at every reading; then the rule by which a source's entries are told apart degrades,
and what is stored takes the new names before anything is compared with it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feeds.types import Entry, Feed, Ladder
from services.runtime import Runtime
from services.storage import held as store
from services.storage import notices
from services.storage.held import Stored

CHURN = 0.05  # of a reading; below, a page and a title that come twice may be two entries
LEAST_CHURN = 2
_STEADY = (Ladder.LINK_DATE, Ladder.LINK_DATE_TITLE)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the pages of a reading: keys, and keys by page and title."""

    keys: frozenset[str]
    by_page: dict[tuple[str, str], str]


def settled(rt: Runtime, source_id: int, feed: Feed, reread: Callable[[Ladder], Feed]) -> Feed:
    """The feed by the rule that holds for it, after what is stored has been renamed to match.

    `reread` reads the same body by another rule. Idempotent: a second time finds nothing to rename.
    """
    known = _known(rt, source_id, feed.entries)
    names = _by_former_keys(feed.entries, known)
    churned = [entry for entry in feed.entries if _changed_name(entry, known) and entry.former_key is None]
    if len(churned) >= LEAST_CHURN and len(churned) > CHURN * len(feed.entries):
        if feed.ladder not in _STEADY:
            feed = reread(Ladder.LINK_DATE)
        names |= {known.by_page[_page(entry)]: entry.key for entry in feed.entries
                  if _changed_name(entry, known)}  # fmt: skip
    if names:
        with rt.begin() as session:
            notices.rename(session, source_id, names)
    return feed


def _known(rt: Runtime, source_id: int, entries: Sequence[Entry]) -> Known:
    urls = [entry.link for entry in entries if entry.link]
    with rt.begin() as session:
        found = store.same_entries(session, source_id, urls)
    return Known(frozenset(one.key for one in found), _unique(found))


def _unique(found: Sequence[Stored]) -> dict[tuple[str, str], str]:
    often = Counter((one.url or "", one.title) for one in found)
    return {page: one.key for one in found if often[page := (one.url or "", one.title)] == 1}


def _changed_name(entry: Entry, known: Known) -> bool:
    """Whether the page and title of an entry are known, but under another key."""
    return entry.key not in known.keys and _page(entry) in known.by_page


def _page(entry: Entry) -> tuple[str, str]:
    return entry.link or "", entry.title


def _by_former_keys(entries: Sequence[Entry], known: Known) -> dict[str, str]:
    """What was stored by the rule that held before, under its new name: of entries that shared a key, the one
    whose page or title is the stored one's."""
    names: dict[str, str] = {}
    for entry in entries:
        old = entry.former_key
        if old and old in known.keys and known.by_page.get(_page(entry)) == old:
            names[old] = entry.key
    return names
