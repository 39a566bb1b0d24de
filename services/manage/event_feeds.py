"""The log of events as a feed: what was published, changed and taken back, the newest first."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from services.manage import event_log
from services.runtime import Runtime
from services.syndication.channel import Channel, Item, item_of
from services.syndication.forms import Format

ITEMS = 50
WORDS = {"published": "New", "revised": "Changed", "withdrawn": "Withdrawn", "reminder": "Soon over"}


def channel(rt: Runtime, form: Format, q: str) -> Channel:
    """The newest events that meet a query. Each is an item of its own, known by the event's id."""
    base, asked = rt.settings.base_url, f"?{urlencode({'q': q})}" if q.strip() else ""
    items = tuple(_item(one, base) for one in event_log.newest(rt, q=q, limit=ITEMS))
    name = " ".join(f"{rt.settings.operator_name}: events {q}".split())
    return Channel(name, f"{base}/feeds/events.{form.name}{asked}", f"{base}/{asked}", items)


def _item(event: dict[str, Any], base: str) -> Item:
    """An event as an item; of what was withdrawn only the title is told."""
    kind = event["type"].split(".")[-2]
    told = item_of(event["data"], base)
    at = datetime.fromisoformat(event["time"])
    return replace(
        told, uid=f"urn:uuid:{event['id']}", title=f"{WORDS.get(kind, kind)}: {told.title}", published_at=at,
        updated_at=at, summary="" if kind == "withdrawn" else told.summary,
    )  # fmt: skip
