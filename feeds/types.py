"""What a feed says, as values that no longer show which format it came in.

Text here is untrusted: titles and summaries are plain text, `content_html` is raw HTML that has not been
sanitised. These values must never carry a link that is not http or https.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Door(StrEnum):
    """What stands at a source's address, and so which reader reads it."""

    FEED = "feed"
    CALENDAR = "calendar"
    OAI = "oai"
    PAGE = "page"
    JSONLD = "jsonld"


class Ladder(StrEnum):
    """How far a source's identity rule has had to degrade, from the best rule to the last resort."""

    GUID = "guid"
    GUID_LINK = "guid+link"
    LINK_DATE = "link+date"
    LINK_DATE_TITLE = "link+date+title"


@dataclass(frozen=True, slots=True)
class Habits:
    """What has been learned about one source, or set by its editor.

    `ladder` is the identity rule to start from (kept from the last read, so that it degrades once and for
    good); `encoding` helps where bytes and labels decide nothing; `skew_s` is by how much its clock is ahead.
    `rules` are an editor's words to the door's reader (the CSS rules of a page, the set of a repository);
    `memory` is what that reader said at its last visit, empty before the first.
    """

    ladder: Ladder = Ladder.GUID
    encoding: str | None = None
    door: Door = Door.FEED
    rules: dict[str, str] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    skew_s: int = 0


@dataclass(frozen=True, slots=True)
class Enclosure:
    url: str
    media_type: str | None
    length: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as its source gave it.

    `key` names the entry within its source and `key_rule` says how it was made; `former_key` is its key by
    the rule that held before this reading. `raw_date` is the date as written; `published_at` and `updated_at`
    are aware UTC and never later than the time of reading; by how much the date as written was is `ahead_s`.
    `kind` is what the door itself knows of it (a calendar holds meetings); what `is_withdrawn` has been taken
    back by its publisher: cancelled, deleted.
    """

    key: str
    key_rule: str
    title: str
    link: str | None
    summary: str
    content_html: str
    published_at: datetime | None
    updated_at: datetime | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    enclosures: tuple[Enclosure, ...]
    language: str | None
    raw_date: str | None
    guid: str | None = None
    kind: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_withdrawn: bool = False
    ahead_s: int = 0
    former_key: str | None = None


class Alarm(StrEnum):
    """What shows that a document was built to hurt its readers."""

    ENTITIES = "entities"  # that are made of others, or lead to a file or an address
    FLOOD = "flood"  # of attributes, of namespaces, of elements in elements


@dataclass(frozen=True, slots=True)
class Feed:
    """One document read: its entries in its own order, and what the reader had to mend (`report`).

    `alarm` names what only attacks are built of; what is read is harmless all the same.
    `memory` is to be kept for the next reading of a door that has one; `has_more` says that the rest is
    to be asked for at once.
    """

    format: str
    title: str
    link: str | None
    language: str | None
    entries: tuple[Entry, ...]
    hub_url: str | None
    self_url: str | None
    ttl_s: int | None
    expired: bool
    report: tuple[str, ...]
    ladder: Ladder = Ladder.GUID
    memory: dict[str, str] = field(default_factory=dict)
    has_more: bool = False
    alarm: Alarm | None = None
