"""A web page as a tree, for those that look for something in it. Never fetches, never fails on tag soup."""

from typing import cast

from lxml import etree

from feeds.links import web_link
from feeds.text import legal

Element = etree._Element


def page(text: str) -> Element | None:
    """The root of a page; None when there is none."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, recover=True)
    try:
        return etree.fromstring(legal(text).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def base_of(root: Element, url: str) -> str:
    """The address that the page's links start from."""
    return next((link for link in (web_link(e.get("href"), url) for e in root.iter("base")) if link), url)


def title_of(root: Element) -> str:
    return next((words_of(element) for element in root.iter("title")), "")


_WORDS = etree.XPath(
    "descendant-or-self::text()[not(ancestor::script or ancestor::style or ancestor::noscript)]"
)


def words_of(element: Element) -> str:
    """The text in and below an element, spaces single, without scripts and styles."""
    return " ".join(" ".join(str(part) for part in cast(list[object], _WORDS(element))).split())
