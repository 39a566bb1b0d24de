"""From the address of a page to the feeds it may have: pure functions over an answer already in hand.

Tiers, best first: the answer is a feed → Link header → `<link rel=alternate>` → anchors that end like
feeds → paths known for the CMS that the page names. It sends nothing; whoever probes a path asks
robots.txt first.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

from lxml import etree

from feeds.decode import decode
from feeds.links import same_page, web_link
from feeds.text import legal, one_line

MAX_CANDIDATES = 50
_FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"}
)
_MAYBE_TYPES = frozenset({"application/xml", "text/xml", "application/json"})
_ROOT = re.compile(r"<(?:[A-Za-z0-9]{1,20}:)?(rss|feed|rdf)[\s>]", re.IGNORECASE)
_PAGE = re.compile(r"<!doctype\s+html|<html\b", re.IGNORECASE)
_FEEDISH = re.compile(
    r"(\.(rss|rdf|atom)|/(rss|atom|feed|feeds)(\.(xml|php|json))?|[?&](format=feed|feed=\w+).*)/?$", re.I
)
_COMMENTS = re.compile(r"comment|komentarz", re.IGNORECASE)
_LINK_VALUE = re.compile(r"<([^<>]{1,2000})>((?:\s*;[^,<]{0,500})*)")
_REL = re.compile(r"rel\s*=\s*\"?([^\";]+)", re.IGNORECASE)
_TYPE = re.compile(r"type\s*=\s*\"?([^\";]+)", re.IGNORECASE)
_CMS_PATHS = (
    ("wordpress", "/feed/"),
    ("drupal", "/rss.xml"),
    ("joomla", "?format=feed&type=rss"),
)


class Tier(IntEnum):
    ITSELF = 1
    LINK_HEADER = 2
    LINK_ELEMENT = 3
    ANCHOR = 4
    KNOWN_PATH = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be a feed: certain in the first tiers, to be probed in the last two."""

    url: str
    tier: Tier
    title: str
    media_type: str | None


def candidates(
    url: str, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", content_type: str | None = None
) -> tuple[Candidate, ...]:
    """Every feed that the answer of `url` leads to, best first, each address once.

    `headers` are the answer's (any case); `content_type` overrides the one among them.
    """
    given = [(name.lower(), value) for name, value in headers]
    kind = content_type or dict(given).get("content-type")
    if looks_like_feed(body, content_type=kind):
        return (Candidate(url, Tier.ITSELF, "", (kind or "").partition(";")[0].strip().lower() or None),)
    page = _tree(decode(body, content_type=kind).text) if body else None
    found = [*_in_headers(given, url)]
    if page is not None:
        base = next((link for link in (web_link(e.get("href"), url) for e in page.iter("base")) if link), url)
        found += [*_in_links(page, base), *_in_anchors(page, base), *_known_paths(page, url)]
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda one: (one.tier, _is_about_comments(one))):
        best.setdefault(same_page(candidate.url), candidate)
    return tuple(best.values())[:MAX_CANDIDATES]


def looks_like_feed(body: bytes, *, content_type: str | None = None) -> bool:
    """Whether a body begins as a feed does; labels are not asked."""
    text = decode(body[:8_192], content_type=content_type).text.lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return "jsonfeed.org/version/1" in text.replace("\\/", "/")
    head = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    root = _ROOT.search(head)
    page = _PAGE.search(head)
    return root is not None and (page is None or root.start() < page.start())


def hub_and_self(headers: Iterable[tuple[str, str]], url: str) -> tuple[str | None, str | None]:
    """The WebSub hub and topic that Link headers name (WebSub, section 4)."""
    links = [(rels, target) for rels, _, target in _link_values(headers)]
    hub, topic = (next((target for rels, target in links if rel in rels), None) for rel in ("hub", "self"))
    return web_link(hub, url), web_link(topic, url)


def _link_values(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[list[str], str, str]]:
    """(relations, media type, target) of each Link header value (RFC 8288)."""
    for name, value in headers:
        if name.lower() == "link":
            for match in _LINK_VALUE.finditer(value[:10_000]):
                rel, kind = _REL.search(match[2]), _TYPE.search(match[2])
                yield (
                    rel[1].lower().split() if rel else [],
                    kind[1].strip().lower() if kind else "",
                    match[1],
                )


def _in_headers(headers: Iterable[tuple[str, str]], url: str) -> Iterator[Candidate]:
    for rels, kind, target in _link_values(headers):
        link = web_link(target, url)
        if link and "alternate" in rels and _is_feed_type(kind, link):
            yield Candidate(link, Tier.LINK_HEADER, "", kind)


def _tree(text: str) -> "etree._Element | None":
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, recover=True)
    try:
        return etree.fromstring(legal(text).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _in_links(page: "etree._Element", base: str) -> Iterator[Candidate]:
    for element in page.iter("link"):
        kind = _of(element, "type").lower().partition(";")[0].strip()
        link = web_link(_of(element, "href"), base)
        rels = _of(element, "rel").lower().split()
        if link and ("alternate" in rels or "feed" in rels) and _is_feed_type(kind, link):
            yield Candidate(link, Tier.LINK_ELEMENT, one_line(_of(element, "title"), max_chars=200), kind)


def _in_anchors(page: "etree._Element", base: str) -> Iterator[Candidate]:
    for element in page.iter("a"):
        link = web_link(_of(element, "href"), base)
        if link and _FEEDISH.search(link.partition("#")[0]):
            words = "".join(part for part in element.itertext() if isinstance(part, str))
            yield Candidate(link, Tier.ANCHOR, one_line(words, max_chars=200), None)


def _known_paths(page: "etree._Element", url: str) -> Iterator[Candidate]:
    """Only for the system that the page itself names; blind probing is not polite."""
    names = [
        _of(meta, "content").lower() for meta in page.iter("meta") if _of(meta, "name").lower() == "generator"
    ]
    for system, path in _CMS_PATHS:
        link = web_link(path, url.partition("?")[0].partition("#")[0])
        if link and any(system in name for name in names):
            yield Candidate(link, Tier.KNOWN_PATH, system, None)


def _is_feed_type(kind: str, link: str) -> bool:
    if kind in _FEED_TYPES:
        return True
    return kind in _MAYBE_TYPES and "/wp-json/" not in link and "feed" in urlsplit(link).path.lower()


def _is_about_comments(candidate: Candidate) -> bool:
    return bool(_COMMENTS.search(candidate.title + " " + candidate.url))


def _of(element: "etree._Element", name: str) -> str:
    return str(element.get(name) or "")
