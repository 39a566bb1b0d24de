"""Lists of feeds (OPML 1.0, 1.1, 2.0) in and out.

A list that declares entities is refused, and nothing that one names is ever fetched.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from feeds.decode import decode
from feeds.errors import BrokenOpml, TooLarge
from feeds.links import web_link
from feeds.text import legal, one_line

MAX_BYTES = 5_000_000
MAX_OUTLINES = 10_000
MAX_FOLDERS = 20
_TITLE_CHARS = 300
_MAX_CATEGORIES = 50


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of a list; `folders` from the outermost in, `categories` as the list files it besides."""

    url: str
    title: str
    site_url: str | None = None
    folders: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def read(body: bytes) -> tuple[Outline, ...]:
    """The feeds of a list, each address once, in order; raises BrokenOpml or TooLarge."""
    if len(body) > MAX_BYTES:
        raise TooLarge(f"The list is larger than {MAX_BYTES} bytes.", max_bytes=MAX_BYTES)
    root = _tree(body)
    found: dict[str, Outline] = {}
    waiting: list[tuple[etree._Element, tuple[str, ...]]] = [
        (child, ()) for child in root.iterchildren("body")
    ]
    while waiting and len(found) < MAX_OUTLINES:
        element, folders = waiting.pop()
        title = _title(element)
        url = web_link(_attribute(element, "xmlurl"))
        if url:
            site = web_link(_attribute(element, "htmlurl"))
            found.setdefault(url, Outline(url, title or url, site, folders, _categories(element)))
        inside = (*folders, title)[:MAX_FOLDERS] if title else folders
        waiting.extend((child, inside) for child in reversed(list(element.iterchildren("outline"))))
    return tuple(found.values())


def write(outlines: Iterable[Outline], *, title: str) -> bytes:
    """The feeds as an OPML 2.0 document, in folders, in the order given."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = one_line(title, max_chars=_TITLE_CHARS)
    body = etree.SubElement(root, "body")
    folders: dict[tuple[str, ...], etree._Element] = {(): body}
    for outline in outlines:
        for depth in range(1, len(outline.folders) + 1):
            path = outline.folders[:depth]
            if path not in folders:
                folders[path] = etree.SubElement(folders[path[:-1]], "outline", text=legal(path[-1]))
        name = one_line(outline.title, max_chars=_TITLE_CHARS)
        line = etree.SubElement(
            folders[outline.folders], "outline", type="rss", text=name, title=name, xmlUrl=outline.url
        )
        if outline.site_url:
            line.set("htmlUrl", outline.site_url)
        if outline.categories:
            line.set("category", ",".join(f"/{legal(one)}" for one in outline.categories))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _tree(body: bytes) -> "etree._Element":
    text = decode(body).text.lstrip("\ufeff \t\r\n")
    if "<!ENTITY" in text.upper():
        raise BrokenOpml("A list of feeds must not declare entities.")
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
    )
    try:
        root = etree.fromstring(legal(text).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise BrokenOpml("This is not a readable OPML list.") from exc
    if root is None or str(root.tag).lower() != "opml":
        raise BrokenOpml("This is not an OPML list.")
    return root


def _categories(element: "etree._Element") -> tuple[str, ...]:
    """`/health/hospitals,news`: paths and labels with commas between (OPML 2.0, “category”)."""
    found = (one.strip().strip("/") for one in _attribute(element, "category").split(","))
    return tuple(dict.fromkeys(one for one in found if one))[:_MAX_CATEGORIES]


def _title(element: "etree._Element") -> str:
    return one_line(_attribute(element, "title") or _attribute(element, "text"), max_chars=_TITLE_CHARS)


def _attribute(element: "etree._Element", name: str) -> str:
    """An attribute's value whatever its case: writers use xmlUrl, xmlurl and XMLURL."""
    return next((str(value) for key, value in element.attrib.items() if str(key).lower() == name), "")
