"""RSS 2.0 and Atom (RFC 4287), written as trees, so that nothing in a text can become markup."""

from datetime import UTC, datetime
from email.utils import format_datetime

from lxml import etree

from services.domain.events import rfc3339
from services.syndication.channel import Channel, Item

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rss(channel: Channel) -> bytes:
    """The channel as RSS 2.0."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": ATOM, "dc": DC})
    body = etree.SubElement(root, "channel")
    _add(body, "title", channel.title)
    _add(body, "link", channel.page_url)
    _add(body, "description", channel.title)
    etree.SubElement(
        body, f"{{{ATOM}}}link", {"rel": "self", "type": "application/rss+xml", "href": channel.self_url}
    )
    if channel.hub_url:
        etree.SubElement(body, f"{{{ATOM}}}link", {"rel": "hub", "href": channel.hub_url})
    if channel.updated_at:
        _add(body, "lastBuildDate", format_datetime(channel.updated_at.astimezone(UTC), usegmt=True))
    for item in channel.items:
        _rss_item(etree.SubElement(body, "item"), item)
    return _written(root)


def atom(channel: Channel) -> bytes:
    """The channel as Atom."""
    root = etree.Element("feed", nsmap={None: ATOM})  # type: ignore[dict-item]  # the default namespace
    _add(root, "id", channel.self_url)
    _add(root, "title", channel.title)
    _add(root, "updated", rfc3339(channel.updated_at or _EPOCH))
    etree.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": channel.self_url})
    etree.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": channel.page_url})
    if channel.hub_url:
        etree.SubElement(root, "link", {"rel": "hub", "href": channel.hub_url})
    for item in channel.items:
        _atom_entry(etree.SubElement(root, "entry"), item)
    return _written(root)


def _rss_item(node: etree._Element, item: Item) -> None:
    _add(node, "title", item.title)
    _add(node, "link", item.url)
    _add(node, "guid", item.uid).set("isPermaLink", "false")
    if item.summary:
        _add(node, "description", _escaped(item.summary))
    _add(node, f"{{{DC}}}creator", item.author)
    for category in item.categories:
        _add(node, "category", category)
    _add(node, "pubDate", format_datetime(item.published_at.astimezone(UTC), usegmt=True))


def _atom_entry(node: etree._Element, item: Item) -> None:
    if item.language:
        node.set(XML_LANG, item.language)
    _add(node, "id", item.uid)
    _add(node, "title", item.title)
    etree.SubElement(node, "link", {"rel": "alternate", "href": item.url})
    _add(node, "published", rfc3339(item.published_at))
    _add(node, "updated", rfc3339(item.updated_at))
    _add(etree.SubElement(node, "author"), "name", item.author)
    for category in item.categories:
        etree.SubElement(node, "category", {"term": category})
    if item.summary:
        _add(node, "summary", item.summary)


def _add(parent: etree._Element, name: str, text: str) -> etree._Element:
    """A child with a text; a bare name takes the parent's namespace, as far as it has one by default."""
    space = parent.nsmap.get(None) if not name.startswith("{") else None
    node = etree.SubElement(parent, f"{{{space}}}{name}" if space else name)
    node.text = text
    return node


def _escaped(text: str) -> str:
    """A plain text as HTML, which is what a description of RSS is read as."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _written(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))
