"""The demo institutions' feeds, as a content management system would write them: RSS, Atom, JSON Feed."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from services.cli.demo.world import DemoInstitution, DemoNotice

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
}
_ATOM = "http://www.w3.org/2005/Atom"
Said = Sequence[tuple[DemoNotice, datetime]]


def write(one: DemoInstitution, said: Said, *, site: str) -> bytes:
    """The feed of an institution with what it has said so far: (notice, when it appeared)."""
    home = f"{site}/{one.slug}"
    match one.format:
        case "atom":
            return _atom(one, said, home)
        case "json":
            return _json(one, said, home)
        case _:
            return _rss(one, said, home)


def _rss(one: DemoInstitution, said: Said, home: str) -> bytes:
    rss = ET.Element("rss", version="2.0")
    channel = ET.SubElement(rss, "channel")
    _children(channel, title=one.name, link=home, description=f"Aktualności: {one.name}", language="pl")
    for notice, at in said:
        item = ET.SubElement(channel, "item")
        _children(item, title=notice.title, link=f"{home}/{notice.key}", description=notice.summary)
        ET.SubElement(item, "guid", isPermaLink="false").text = notice.key
        _children(item, pubDate=format_datetime(at))
        for category in notice.categories:
            _children(item, category=category)
    return bytes(ET.tostring(rss, encoding="utf-8", xml_declaration=True))


def _atom(one: DemoInstitution, said: Said, home: str) -> bytes:
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "pl"})
    newest = max((at for _, at in said), default=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    _children(feed, title=one.name, id=f"urn:goniec-demo:{one.slug}", updated=newest.isoformat())
    ET.SubElement(feed, "link", href=home)
    for notice, at in said:
        entry = ET.SubElement(feed, "entry", {"xml:lang": notice.language})
        _children(entry, title=notice.title, id=f"urn:goniec-demo:{notice.key}", summary=notice.summary)
        _children(entry, published=at.isoformat(), updated=at.isoformat())
        ET.SubElement(entry, "link", href=f"{home}/{notice.key}")
        for category in notice.categories:
            ET.SubElement(entry, "category", term=category)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _json(one: DemoInstitution, said: Said, home: str) -> bytes:
    items = [
        {
            "id": notice.key,
            "url": f"{home}/{notice.key}",
            "title": notice.title,
            "content_text": notice.summary,
            "date_published": at.isoformat(),
            "language": notice.language,
            "tags": list(notice.categories),
        }
        for notice, at in said
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": one.name,
        "home_page_url": home,
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False).encode()


def _children(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
