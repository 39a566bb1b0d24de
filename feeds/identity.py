"""Which entry is which: the key of an entry within its source, and the hash that says whether it changed.

The ladder: guid → link → hash of title and content. When guids repeat inside one file the rule of the whole
source degrades (guid → guid+link → link+date → link+date+title) and stays there. A key must not depend on
http or https, on a trailing slash, or on anything that moves by itself.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from feeds.links import same_page
from feeds.types import Entry, Ladder

CONTENT_HASH_VERSION = 1


class Marks(NamedTuple):
    """What can tell an entry from its neighbours; all as written, dates unparsed."""

    guid: str | None
    link: str | None
    raw_date: str | None
    title: str
    content: str


@dataclass(frozen=True, slots=True)
class Identity:
    """One key and rule name for each entry, in order; `ladder` is to be kept with the source."""

    ladder: Ladder
    keys: tuple[tuple[str, str], ...]


def identify(entries: Sequence[Marks], *, ladder: Ladder = Ladder.GUID) -> Identity:
    """Name every entry, degrading the rule only as far as keeps different entries apart.

    Two entries with equal keys in the answer are the same entry, written twice.
    """
    rungs = list(Ladder)
    for rung in rungs[rungs.index(ladder) :]:
        keys = tuple(_key(entry, rung) for entry in entries)
        if len(set(keys)) == len(entries) or not _told_apart_below(entries, keys):
            return Identity(rung, keys)
    return Identity(rungs[-1], keys)


def keys_by(entries: Sequence[Marks], rung: Ladder) -> list[str]:
    """The key of each entry by one rule, whether or not it tells them apart."""
    return [_key(entry, rung)[0] for entry in entries]


def _told_apart_below(entries: Sequence[Marks], keys: Sequence[tuple[str, str]]) -> bool:
    """Whether entries share a key though they plainly are two: another page, or another title and date."""
    first: dict[tuple[str, str], Marks] = {}
    for entry, key in zip(entries, keys, strict=True):
        other = first.setdefault(key, entry)
        page, other_page = same_page(entry.link or ""), same_page(other.link or "")
        if page != other_page or (entry.title != other.title and entry.raw_date != other.raw_date):
            return True
    return False


def _key(entry: Marks, rung: Ladder) -> tuple[str, str]:
    link = same_page(entry.link) if entry.link else ""
    guid = same_page(entry.guid) if entry.guid else ""
    content = ("content", entry.title, entry.content)
    fallback = ("link", link) if link else content
    match rung:
        case Ladder.GUID:
            marks: tuple[str, ...] = ("guid", guid) if guid else fallback
        case Ladder.GUID_LINK:
            marks = ("guid+link", guid, link) if guid else fallback
        case Ladder.LINK_DATE:
            marks = ("link+date", link, entry.raw_date or "") if link else content
        case Ladder.LINK_DATE_TITLE:
            marks = ("link+date+title", link, entry.raw_date or "", entry.title) if link else content
    return _digest(marks), marks[0]


def content_hash(entry: Entry) -> str:
    """What the entry says, in 34 hex digits of which the first two are the version of this rule.

    Empty fields are left out, so that a later field changes no old hash; dates and counters are not part.
    """
    fields = (
        ("title", entry.title),
        ("link", same_page(entry.link) if entry.link else ""),
        ("summary", entry.summary),
        ("content", " ".join(entry.content_html.split())),
        ("categories", "\n".join(sorted(entry.categories))),
        ("enclosures", "\n".join(sorted(same_page(enclosure.url) for enclosure in entry.enclosures))),
    )
    parts = tuple(f"{name}={value}" for name, value in fields if value)
    return f"{CONTENT_HASH_VERSION:02x}{_digest(parts)}"


def _digest(parts: Sequence[str]) -> str:
    text = "\x1f".join(parts)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
