"""What an interest is held against: a notice's own words and facets, without anybody's storage."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Document:
    """`summary` and `body` are plain text; `places` are TERYT codes; `institutions` the publisher's slug
    and those of the institutions it belongs to; times are aware."""

    notice_id: int
    kind: str
    title: str
    summary: str
    body: str
    language: str | None
    topics: tuple[str, ...]
    places: tuple[str, ...]
    source: str
    institutions: tuple[str, ...]
    audience: tuple[str, ...]
    deadline_at: datetime | None
    published_at: datetime
