"""Any document that looks like a feed, by feedparser, whose one home this is.

Slow, forgiving and quadratic on hostile input: it reads what `feeds.quick` will not vouch for. Must never be
given an address or a file's name in place of a document: it would fetch it.
"""

import io
from collections.abc import Iterable
from typing import cast

import feedparser  # type: ignore[import-untyped]

from feeds.draft import EntryDraft, FeedDraft
from feeds.errors import NotAFeed
from feeds.text import as_html, person

_PERIODS_S = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_FORMATS = {
    "rss090": "RSS 0.90",
    "rss091n": "RSS 0.91",
    "rss091u": "RSS 0.91",
    "rss092": "RSS 0.92",
    "rss093": "RSS 0.93",
    "rss094": "RSS 0.94",
    "rss10": "RSS 1.0",
    "rss20": "RSS 2.0",
    "rss": "RSS",
    "atom03": "Atom 0.3",
    "atom10": "Atom 1.0",
    "atom": "Atom",
    "cdf": "CDF",
}
Parsed = dict[str, object]


def read(document: bytes, base_url: str) -> FeedDraft:
    """What feedparser finds in a document that `feeds.prolog` has prepared; NotAFeed when that is nothing."""
    return _draft(_parsed(document, base_url))


def _parsed(document: bytes, base_url: str) -> Parsed:
    """What feedparser finds; NotAFeed when it finds neither a format nor an entry."""
    found = _feedparser(document, base_url)
    if not found.get("version") and not found.get("entries"):
        raise NotAFeed("This is not a feed.", looks="xml")
    return found


def _feedparser(document: bytes, base_url: str) -> Parsed:
    # A stream, never bytes or text: given those, feedparser tries them as an address and as a file's name.
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": base_url}
    found = feedparser.parse(
        io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    return cast(Parsed, found)


def _draft(found: Parsed) -> FeedDraft:
    head = cast(Parsed, found.get("feed") or {})
    links = _dicts(head.get("links"))
    version = str(found.get("version") or "")
    draft = FeedDraft(
        format=_FORMATS.get(version, version or "unknown"),
        title_markup=_markup(head, "title"),
        link=head.get("link"),
        language=head.get("language"),
        hub_url=_href(links, "hub"),
        self_url=_href(links, "self"),
        ttl_s=_ttl_s(head),
        entries=[_entry(entry, head) for entry in _dicts(found.get("entries"))],
    )
    if found.get("bozo"):
        draft.report.append(f"not well formed: {type(found.get('bozo_exception')).__name__}")
    return draft


def _entry(entry: Parsed, head: Parsed) -> EntryDraft:
    contents = _dicts(entry.get("content"))
    richest = max(contents, key=_richness, default=None)
    content = _as_markup(richest.get("value"), richest.get("type")) if richest else ""
    copied = content if "summary_detail" not in entry else ""  # of the content, and no longer of its kind
    summary = copied or _markup(entry, "summary")
    detail = _one_dict(entry.get("summary_detail")) if richest is None else richest
    return EntryDraft(
        guid=_string(dict.get(entry, "id")),
        link=entry.get("link"),
        title_markup=_markup(entry, "title"),
        summary_markup=summary or content,
        content_markup=content,
        content_base=_string(detail.get("base")),
        raw_published=dict.get(entry, "published") or dict.get(entry, "created"),
        raw_updated=dict.get(entry, "updated"),
        authors=_authors(entry),
        categories=[tag.get("label") or tag.get("term") for tag in _dicts(entry.get("tags"))],
        enclosures=[
            (link.get("href"), link.get("type"), link.get("length"))
            for link in _dicts(entry.get("links"))
            if link.get("rel") == "enclosure"
        ],
        language=detail.get("language")
        or _one_dict(entry.get("title_detail")).get("language")
        or head.get("language"),
    )


def _authors(entry: Parsed) -> list[object]:
    """Names alone. A single author comes from the raw text: feedparser cuts long domains in half."""
    names = [author.get("name") for author in _dicts(entry.get("authors"))]
    raw = names if len(names) > 1 else [dict.get(entry, "author"), *names][:1]
    return [person(name) for name in raw if isinstance(name, str)]


def _richness(content: Parsed) -> tuple[bool, int]:
    return "html" in str(content.get("type")), len(_string(content.get("value")) or "")


def _markup(holder: Parsed, name: str) -> str:
    """A text construct as HTML, whatever it was."""
    detail = _one_dict(holder.get(f"{name}_detail"))
    return _as_markup(holder.get(name), detail.get("type"))


def _as_markup(value: object, kind: object) -> str:
    text = _string(value) or ""
    return text if "html" in str(kind) else as_html(text)


def _ttl_s(head: Parsed) -> int | None:
    said = (head.get("ttl") or "", head.get("sy_updateperiod") or "", head.get("sy_updatefrequency") or "1")
    return period_s(*map(str, said))


def period_s(ttl: str, period: str, frequency: str) -> int | None:
    """How long the publisher asks to wait: `ttl` in minutes, else the syndication module's period."""
    ttl, frequency = ttl.strip(), frequency.strip()
    if ttl.isascii() and ttl.isdigit() and len(ttl) < 9:
        return int(ttl) * 60
    seconds = _PERIODS_S.get(period.strip().lower())
    if not seconds or not (frequency.isascii() and frequency.isdigit() and 0 < len(frequency) < 5):
        return None
    return seconds // max(1, int(frequency))


def _href(links: Iterable[Parsed], rel: str) -> object:
    return next((link.get("href") for link in links if link.get("rel") == rel), None)


def _dicts(value: object) -> list[Parsed]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _one_dict(value: object) -> Parsed:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
