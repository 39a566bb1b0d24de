"""What a page says of itself for machines (JSON-LD, schema.org): events and news as entries.

Reads pages with `<script type="application/ld+json">` and bare JSON-LD. No context is ever fetched; a type
or a field that is wrong loses itself, not the page.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import cast

from feeds import markup
from feeds.dates import read_date
from feeds.draft import EntryDraft, FeedDraft, Frame
from feeds.errors import BrokenFeed, NotAFeed
from feeds.text import as_html

Json = dict[str, object]
MAX_THINGS = 5_000
_NEWS = re.compile(r"(News|Analysis|Blog|Tech|Scholarly|Report|LiveBlog)?(Article|Posting|Report)$")
_CANCELLED = "eventcancelled"
_RAW_BREAKS = re.compile(r"[\x00-\x1f]+")


def read(text: str, frame: Frame) -> FeedDraft:
    """The events and news of a page; NotAFeed when it has no JSON-LD, BrokenFeed when none can be read."""
    title, language, blocks = _blocks(text)
    if not blocks:
        raise NotAFeed("This page has no JSON-LD.", looks="html")
    documents = [one for one in map(_document, blocks) if one is not None]
    if not documents:
        raise BrokenFeed("The JSON-LD of this page is not readable JSON.")
    draft = FeedDraft("JSON-LD", title_markup=as_html(title), link=frame.base_url, language=language)
    if len(documents) < len(blocks):
        draft.report.append(f"{len(blocks) - len(documents)} blocks of JSON-LD are not readable JSON")
    draft.entries = [entry for one in _things(documents) if (entry := _entry(one, frame.zone)) is not None]
    return draft


def _blocks(text: str) -> tuple[str, str | None, list[str]]:
    """(title, language, blocks of JSON-LD)."""
    if text[:1] in "{[":
        return "", None, [text]
    root = markup.page(text)
    if root is None:
        return "", None, []
    kinds = ((script, str(script.get("type") or "").partition(";")[0]) for script in root.iter("script"))
    blocks = [script.text or "" for script, kind in kinds if kind.strip().lower() == "application/ld+json"]
    return markup.title_of(root), root.get("lang"), blocks


def _document(block: str) -> object:
    bare = block.strip().removeprefix("<!--").removesuffix("-->").removesuffix(";")
    for text in (bare, _RAW_BREAKS.sub(" ", bare)):  # line ends inside a text are the commonest fault
        try:
            return cast(object, json.loads(text))
        except (ValueError, RecursionError):
            continue
    return None


def _things(documents: list[object]) -> Iterator[Json]:
    """Every object in reading order, through graphs, lists and what a page is about."""
    waiting = list(reversed(documents))
    seen = 0
    while waiting and seen < MAX_THINGS:
        one = waiting.pop()
        seen += 1
        if isinstance(one, list):
            waiting.extend(reversed(one))
        elif isinstance(one, dict):
            yield one
            inside = (
                "@graph",
                "itemListElement",
                "item",
                "mainEntity",
                "hasPart",
                "subEvent",
                "event",
                "events",
            )
            waiting.extend(one[name] for name in reversed(inside) if isinstance(one.get(name), dict | list))


def _entry(thing: Json, zone: tzinfo) -> EntryDraft | None:
    types = [str(one).rpartition("/")[2].rpartition(":")[2] for one in _list(thing.get("@type"))]
    if any(one.endswith(("Event", "Festival", "Hackathon")) or one == "CourseInstance" for one in types):
        return _event(thing, zone)
    if any(_NEWS.fullmatch(one) for one in types):
        return _news(thing)
    return None


def _event(thing: Json, zone: tzinfo) -> EntryDraft | None:
    starts, ends = (_moment(thing.get(name), zone) for name in ("startDate", "endDate"))
    if not _text(thing.get("name")):
        return None
    entry = _news(thing)
    place = _place(thing.get("location"))
    if place:
        entry.summary_markup = " — ".join(part for part in (as_html(place), entry.summary_markup) if part)
        entry.content_markup = f"<p>{as_html(place)}</p>{entry.content_markup}"
    # One date of a series often shares its page with the others.
    entry.guid = (
        entry.guid or f"{_address(thing) or _text(thing.get('name'))}#{_text(thing.get('startDate'))}"
    )
    entry.kind, entry.starts_at = "meeting", starts
    entry.ends_at = ends if ends and (starts is None or ends > starts) else None
    entry.is_withdrawn = _text(thing.get("eventStatus")).lower().endswith(_CANCELLED)
    return entry


def _news(thing: Json) -> EntryDraft:
    words = _text(thing.get("description")) or _text(thing.get("abstract"))
    body = _text(thing.get("articleBody")) or words
    return EntryDraft(
        guid=_text(thing.get("@id")) or None,
        link=_address(thing),
        title_markup=_text(thing.get("headline")) or _text(thing.get("name")),
        summary_markup=words if "<" in words else as_html(words),
        content_markup=body if "<" in body else as_html(body),
        raw_published=_text(thing.get("datePublished")) or None,
        raw_updated=_text(thing.get("dateModified")) or None,
        authors=[_text(_dict(one).get("name")) or _text(one) for one in _list(thing.get("author"))],
        categories=[*_labels(thing.get("articleSection")), *_labels(thing.get("keywords"))],
        language=_text(thing.get("inLanguage")) or None,
        kind="news",
    )


def _address(thing: Json) -> str | None:
    page = thing.get("mainEntityOfPage")
    found = (_text(thing.get("url")), _text(page), _text(_dict(page).get("@id")), _text(thing.get("@id")))
    return next((one for one in found if one), None)


def _place(location: object) -> str:
    """Name and address on a line; of several places the first."""
    for one in _list(location):
        place = _dict(one)
        address = place.get("address")
        parts = [_text(place.get("name")) or _text(one), _text(address)]
        parts += [
            _text(_dict(address).get(name)) for name in ("streetAddress", "postalCode", "addressLocality")
        ]
        found = list(dict.fromkeys(part for part in parts if part))
        if found:
            return ", ".join(found)
    return ""


def _labels(value: object) -> list[object]:
    return [
        part.strip()
        for one in _list(value)
        for part in (_text(one) or _text(_dict(one).get("name"))).split(",")
    ]


def _moment(value: object, zone: tzinfo) -> datetime | None:
    """A time, or the midnight of a day, aware UTC."""
    raw = _text(value)
    try:
        at = datetime.fromisoformat(raw)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return read_date(raw, zone=zone)


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else [] if value is None else [value]


def _dict(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Text, or the first text of a list, or a text with its language (`@value`)."""
    value = value[0] if isinstance(value, list) and value else value
    value = (
        value.get("@value", value.get("@id") if len(value) == 1 else None)
        if isinstance(value, dict)
        else value
    )
    return value.strip() if isinstance(value, str) else ""
