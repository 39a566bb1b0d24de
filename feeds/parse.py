"""Bytes to a `Feed`: RSS, Atom and RDF by feedparser, whose one home this is, and JSON Feed.

Decoding, dates, links and identity are our own (feedparser is wrong about each for Polish sources). Must
never fetch anything, and never let out an exception other than `feeds.errors`. A hostile body can take
minutes here: outside tests go through `feeds.pool`.
"""

import io
import re
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import cast

import feedparser  # type: ignore[import-untyped]

from feeds import jsonfeed, prolog
from feeds.dates import WARSAW
from feeds.decode import decode
from feeds.draft import MAX_ENTRIES, EntryDraft, FeedDraft, Frame, finish
from feeds.errors import BrokenFeed, FeedError, NotAFeed, TooLarge, TooMuchMemory
from feeds.text import as_html, person
from feeds.types import Feed, Habits

MAX_BODY_BYTES = 5_000_000
_HTML = re.compile(r"\s*(<!--.{0,500}?-->\s*){0,5}(<!doctype\s+html|<html\b)", re.IGNORECASE | re.DOTALL)
_PERIODS_S = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_FORMATS = {
    "rss090": "RSS 0.90",
    "rss091n": "RSS 0.91",
    "rss091u": "RSS 0.91",
    "rss092": "RSS 0.92",
    "rss10": "RSS 1.0",
    "rss20": "RSS 2.0",
    "rss": "RSS",
    "atom03": "Atom 0.3",
    "atom10": "Atom 1.0",
    "atom": "Atom",
    "cdf": "CDF",
}
Parsed = dict[str, object]


def parse(
    body: bytes,
    *,
    content_type: str | None,
    base_url: str,
    now: datetime,
    zone: tzinfo = WARSAW,
    habits: Habits = Habits(),  # noqa: B008  a frozen value
) -> Feed:
    """Read a feed. `base_url` is where the body came from in the end, `content_type` its header as received.

    Raises NotAFeed, BrokenFeed, TooLarge or TooMuchMemory.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"The feed is larger than {MAX_BODY_BYTES} bytes.", max_bytes=MAX_BODY_BYTES)
    frame = Frame(base_url, now, zone, habits)
    try:
        return _read(body, content_type, frame)
    except FeedError:
        raise
    except MemoryError as exc:
        raise TooMuchMemory("The feed needs more memory than a feed may have.") from exc
    except Exception as exc:  # feedparser lets many kinds of exception out on hostile input
        raise BrokenFeed("The feed cannot be read.", cause=type(exc).__name__) from exc


def _read(body: bytes, content_type: str | None, frame: Frame) -> Feed:
    decoded = decode(body, content_type=content_type, override=frame.habits.encoding)
    text = decoded.text.lstrip("\ufeff \t\r\n\0")
    if not text:
        raise NotAFeed("The answer is empty.", looks="empty")
    if text[0] in "{[":
        draft = jsonfeed.read(text)
    elif "<" not in text[:4_000]:
        raise NotAFeed("This is not a feed.", looks="text")
    elif _HTML.match(text[:4_000]):
        raise NotAFeed("This is a web page, not a feed.", looks="html")
    else:
        draft = _read_xml(text, frame.base_url)
    if decoded.remark:
        draft.report.insert(0, f"encoding: {decoded.remark}")
    return finish(draft, frame)


def _read_xml(text: str, base_url: str) -> FeedDraft:
    kept, total = prolog.first_entries(text, most=MAX_ENTRIES)
    draft = _draft(_parsed(prolog.to_utf8(kept), base_url))
    if total > MAX_ENTRIES:
        draft.report.append(f"{total} entries, only the first {MAX_ENTRIES} read")
    return draft


def _parsed(document: bytes, base_url: str) -> Parsed:
    """What feedparser finds; NotAFeed when it finds neither a format nor an entry."""
    found = _feedparser(document, base_url)
    if not found.get("entries"):
        plain_names = prolog.without_rss_prefix(document)
        found = _feedparser(plain_names, base_url) if plain_names else found
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
    summary = _markup(entry, "summary")
    detail = _one_dict(entry.get("summary_detail")) if richest is None else richest
    return EntryDraft(
        guid=_string(dict.get(entry, "id")),
        link=entry.get("link"),
        title_markup=_markup(entry, "title"),
        summary_markup=summary if _string(summary) else content,
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
    """How long the publisher asks to wait: `ttl` in minutes, else the syndication module's period."""
    ttl = str(head.get("ttl") or "").strip()
    if ttl.isascii() and ttl.isdigit() and len(ttl) < 9:
        return int(ttl) * 60
    period = _PERIODS_S.get(str(head.get("sy_updateperiod") or "").strip().lower())
    frequency = str(head.get("sy_updatefrequency") or "1").strip()
    if not period or not (frequency.isascii() and frequency.isdigit() and 0 < len(frequency) < 5):
        return None
    return period // max(1, int(frequency))


def _href(links: Iterable[Parsed], rel: str) -> object:
    return next((link.get("href") for link in links if link.get("rel") == rel), None)


def _dicts(value: object) -> list[Parsed]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _one_dict(value: object) -> Parsed:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
