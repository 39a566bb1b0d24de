"""The formats in which a list of notices is told, by the name that stands in an address."""

from collections.abc import Callable
from dataclasses import dataclass

from services.syndication import calendar, jsonfeed, xml
from services.syndication.channel import Channel


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    media_type: str
    write: Callable[[Channel], bytes]
    has_charset: bool = True

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; charset=utf-8" if self.has_charset else self.media_type


RSS = Format("rss", "application/rss+xml", xml.rss)
ATOM = Format("atom", "application/atom+xml", xml.atom)
JSON = Format("json", "application/feed+json", jsonfeed.json_feed, has_charset=False)
ICS = Format("ics", "text/calendar", calendar.ics)
FORMATS = {form.name: form for form in (RSS, ATOM, JSON, ICS)}
