"""JSON Feed 1.1."""

import json
from typing import Any

from services.domain.events import rfc3339
from services.syndication.channel import Channel, Item


def json_feed(channel: Channel) -> bytes:
    """The channel as JSON Feed."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": channel.page_url,
        "feed_url": channel.self_url,
        "items": [_item(one) for one in channel.items],
    }
    if channel.hub_url:
        feed["hubs"] = [{"type": "WebSub", "url": channel.hub_url}]
    return json.dumps(feed, ensure_ascii=False).encode()


def _item(item: Item) -> dict[str, Any]:
    told = {
        "id": item.uid,
        "url": item.url,
        "title": item.title,
        "content_text": item.summary or item.title,
        "summary": item.summary or None,
        "date_published": rfc3339(item.published_at),
        "date_modified": rfc3339(item.updated_at),
        "authors": [{"name": item.author}],
        "tags": list(item.categories),
        "language": item.language,
    }
    return {name: value for name, value in told.items() if value is not None}
