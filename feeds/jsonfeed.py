"""JSON Feed 1.0 and 1.1 (jsonfeed.org), which feedparser does not read.

Strict about the frame (a title that is a list is no title: refused), forgiving inside it (an item with a
wrong field loses the field). Must never trust a type.
"""

import json
from typing import cast

from feeds.draft import EntryDraft, FeedDraft
from feeds.errors import BrokenFeed, NotAFeed
from feeds.text import as_html

_VERSION = "jsonfeed.org/version/1"
Json = dict[str, object]


def read(text: str) -> FeedDraft:
    """The draft of a JSON Feed; NotAFeed for other JSON, BrokenFeed for a frame against the standard."""
    document = _document(text)
    items = document.get("items")
    if not isinstance(items, list):
        raise BrokenFeed("This JSON Feed has no list of items.")
    for name in ("title", "home_page_url", "feed_url"):
        if not isinstance(document.get(name, ""), str | None):
            raise BrokenFeed(f"This JSON Feed is not to the standard: its {name} is not text.", field=name)
    kept = [cast(Json, item) for item in items if isinstance(item, dict)]
    draft = FeedDraft(
        format="JSON Feed 1.1"
        if str(document.get("version")).rstrip("/").endswith("1.1")
        else "JSON Feed 1.0",
        title_markup=as_html(_text(document, "title")),
        link=document.get("home_page_url"),
        language=document.get("language"),
        hub_url=_hub(document),
        self_url=document.get("feed_url"),
        expired=document.get("expired") is True,
        entries=[_item(item, document) for item in kept],
    )
    if len(kept) < len(items):
        draft.report.append(f"{len(items) - len(kept)} items are not objects")
    return draft


def _document(text: str) -> Json:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BrokenFeed("This is not readable JSON.") from exc
    if not isinstance(document, dict) or _VERSION not in str(document.get("version"))[:100]:
        raise NotAFeed("This is JSON, but not a JSON Feed.", looks="json")
    return cast(Json, document)


def _item(item: Json, document: Json) -> EntryDraft:
    text, content = _text(item, "content_text"), _text(item, "content_html")
    return EntryDraft(
        guid=_identifier(item.get("id")),
        link=item.get("url") or item.get("external_url"),
        title_markup=as_html(_text(item, "title")),
        summary_markup=as_html(_text(item, "summary")),
        content_markup=content or as_html(text),
        raw_published=item.get("date_published"),
        raw_updated=item.get("date_modified"),
        authors=_authors(item) or _authors(document),
        categories=_list(item, "tags"),
        enclosures=[
            (found.get("url"), found.get("mime_type"), found.get("size_in_bytes"))
            for found in _list(item, "attachments")
            if isinstance(found, dict)
        ],
        language=item.get("language") or document.get("language"),
    )


def _authors(holder: Json) -> list[object]:
    """Names by 1.1 (`authors`) and 1.0 (`author`)."""
    found = [*_list(holder, "authors"), holder.get("author")]
    return [author["name"] for author in found if isinstance(author, dict) and author.get("name")]


def _hub(document: Json) -> object:
    hubs = [hub for hub in _list(document, "hubs") if isinstance(hub, dict)]
    return next((hub.get("url") for hub in hubs if str(hub.get("type")).lower() == "websub"), None)


def _identifier(raw: object) -> str | None:
    """Numbers are ids too (JSON Feed 1.1, `id`: "coerce to a string")."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    return str(raw) or None


def _text(holder: Json, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _list(holder: Json, name: str) -> list[object]:
    value = holder.get(name)
    return cast(list[object], value) if isinstance(value, list) else []
