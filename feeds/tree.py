"""A well-formed document as a tree, with each element under the name that feeds give it.

lxml builds the tree; nothing is fetched, and of entities only the flat ones that `feeds.prolog` left are
resolved. What is not well formed is no tree: it must never be guessed at here.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from html.entities import html5
from urllib.parse import urljoin

from lxml import etree

Element = etree._Element

_PREFIX_OF = {
    "": "",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://purl.org/rss/1.0/modules/rss091#": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/rss/1.0/modules/syndication/": "sy:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
_USUAL = {prefix[:-1]: uri for uri, prefix in _PREFIX_OF.items() if prefix} | {
    "atom": "http://www.w3.org/2005/Atom",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
}
_PREFIX = re.compile(r"[</\s]([A-Za-z][A-Za-z0-9_-]{0,20}):[A-Za-z]")
_DECLARED = re.compile(r"xmlns:([A-Za-z][A-Za-z0-9_-]{0,20})\s*=")
_ROOT_NAME = re.compile(r"<[A-Za-z][\w:.-]{0,40}")
_XML = "{http://www.w3.org/XML/1998/namespace}"
_SAYS_BASE = etree.XPath("boolean(//@base | //@xml:base)")
_SAYS_LANGUAGE = etree.XPath("boolean(//@lang | //@xml:lang)")
_MANY_PREFIXES = 200
_DECLARED_IN_BYTES = re.compile(rb"xmlns:([\w.-]{1,40})")
_HAS_MANY_ATTRIBUTES = etree.XPath("boolean(//*[@*[101]])")
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_AMPERSAND = re.compile(r"&(?!#\d{1,7};|#[xX][0-9A-Fa-f]{1,6};)(?:([A-Za-z][A-Za-z0-9]{1,30});)?")
_CUT_OFF = frozenset(
    {"ERR_CDATA_NOT_FINISHED", "ERR_TAG_NOT_FINISHED", "ERR_COMMENT_NOT_FINISHED", "ERR_DOCUMENT_END"}
)
_BARE_VALUE = re.compile(r"(<[A-Za-z][\w:.-]{0,40}\s+[\w:.-]{1,40}=)([^\s\"'<>=]{1,500})(?=\s*/?>)")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


def is_flooded(root: Element, document: bytes) -> bool:
    """Whether there are more attributes at an element, or more prefixes, than anybody writes."""
    if document.count(b"xmlns:") > _MANY_PREFIXES:
        names = {one[1] for one in _DECLARED_IN_BYTES.finditer(document)}
        if len(names) > _MANY_PREFIXES:
            return True
    return bool(_HAS_MANY_ATTRIBUTES(root))


def is_built_to_hurt(document: bytes) -> bool:
    """Whether a document that is no tree breaks the parser's limits (256 elements in each other), or is
    flooded as far as it can be read."""
    parser = etree.XMLParser(recover=True, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(document, parser)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        return True
    return root is not None and is_flooded(root, document)


def grow(document: bytes) -> Element | None:
    """The root of a well-formed document in UTF-8, whatever it declares; None when it is not one."""
    parser = etree.XMLParser(
        encoding="utf-8",
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return None


def grow_cut_off(document: bytes) -> Element | None:
    """The root of a document that is well formed as far as it goes, but ends in the middle; else None."""
    parser = etree.XMLParser(
        recover=True, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(document, parser)
    faults = {error.type_name for error in parser.error_log}
    if root is None or not faults <= _CUT_OFF:
        return None
    if "ERR_CDATA_NOT_FINISHED" in faults or not _ends_closed(document):
        _drop_half_named(root)
    return root


def _ends_closed(document: bytes) -> bool:
    """Whether the last whole tag closes something, so that what was cut off is between elements."""
    end = document.rfind(b">")
    tag = document[document.rfind(b"<", 0, end) : end]
    return tag.startswith(b"</") or tag.endswith(b"/")


def _drop_half_named(root: Element) -> None:
    """Take away the entry whose identifier was cut in two: half of one is another, and tells it twice."""
    last = root
    while len(last):
        last = last[-1]
    entry = last.getparent()
    if entry is not None and name(last) in ("guid", "id", "link") and name(entry) in ("item", "entry"):
        around = entry.getparent()
        if around is not None:
            around.remove(entry)


def mended(text: str) -> tuple[str, int]:
    """The text with bare `&` escaped, HTML's named signs written out and bare values of attributes quoted,
    all outside CDATA; and how many."""
    pieces = _CDATA.split(text)
    count = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal count
        name = match[1]
        if name in _OF_XML:
            return match[0]
        count += 1
        sign = html5.get(f"{name};") if name else None
        return escape(sign) if sign else "&amp;" + match[0][1:]

    for place in range(0, len(pieces), 2):
        if "&" in pieces[place]:
            pieces[place] = _AMPERSAND.sub(mend, pieces[place])
        if _BARE_VALUE.search(pieces[place]):
            pieces[place], quoted = _BARE_VALUE.subn(r'\1"\2"', pieces[place])
            count += quoted
    return "".join(pieces), count


def declared(text: str) -> tuple[str, list[str]]:
    """The text with its undeclared prefixes declared, those of the usual modules as what they are; and which.

    A prefix in mere words may be among them: declaring it does no harm.
    """
    tags = "".join(_CDATA.split(text)[::2])
    missing = sorted(set(_PREFIX.findall(tags)) - set(_DECLARED.findall(tags)) - {"xml", "xmlns"})[:40]
    root = _ROOT_NAME.search(text)
    if not missing or not root:
        return text, []
    said = "".join(f' xmlns:{prefix}="{_USUAL.get(prefix, "undeclared:" + prefix)}"' for prefix in missing)
    return text[: root.end()] + said + text[root.end() :], missing


@lru_cache(4096)
def named(tag: object) -> str:
    """The name of a tag; what is no element's (an entity that nobody resolved) has none."""
    if not isinstance(tag, str):
        return "?"
    uri, brace, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    if not brace:
        return local.lower()
    lower = uri.lower()
    prefix = "" if "backend.userland.com/rss" in lower else _PREFIX_OF.get(lower)
    return f"?:{local.lower()}" if prefix is None else prefix + local.lower()


def name(element: Element) -> str:
    """`title`, `dc:creator`, `media:group`…: the prefix everybody uses, none for RSS and Atom themselves."""
    return named(element.tag)


def own_text(element: Element) -> str:
    """The text of an element without that of its children."""
    if not len(element):
        return (element.text or "").strip()
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def markup(element: Element, *, bare: bool) -> str:
    """What is inside an element, as HTML; when `bare`, without the one `div` that Atom puts around it."""
    if bare and _is_wrapped(element):
        element = element[0]
    return "".join(_inside(element)).strip()


def _is_wrapped(element: Element) -> bool:
    if len(element) != 1 or name(element[0]).rpartition(":")[2] != "div":
        return False
    return not (element.text or "").strip() and not (element[0].tail or "").strip()


def _inside(element: Element) -> Iterator[str]:
    if element.text:
        yield escape(element.text, quote=False)
    for child in element:
        yield from _outside(child)
        if child.tail:
            yield escape(child.tail, quote=False)


def _outside(element: Element) -> Iterator[str]:
    tag = name(element).rpartition(":")[2]
    said = "".join(f' {_local(str(key))}="{_quoted(str(value))}"' for key, value in element.attrib.items())
    yield f"<{tag}{said}>"
    yield from _inside(element)
    if tag not in _VOID:
        yield f"</{tag}>"


def _quoted(value: str) -> str:
    return escape(value, quote=False).replace('"', "&quot;")


def _local(key: str) -> str:
    return key.replace(_XML, "xml:") if key.startswith(_XML) else key.rpartition("}")[2]


class Scope:
    """The base address and the language that hold at an element; cheap where a document names neither."""

    def __init__(self, root: Element, base_url: str) -> None:
        self._has_base = bool(_SAYS_BASE(root))
        self._has_language = bool(_SAYS_LANGUAGE(root))
        self._base_url = base_url

    def base(self, element: Element) -> str:
        if not self._has_base:
            return self._base_url
        at = self._base_url
        for said in reversed(self._said(element, "base")):
            at = joined(at, said)
        return at

    def language(self, element: Element) -> str | None:
        said = self._said(element, "lang") if self._has_language else []
        return said[0] if said else None

    def _said(self, element: Element, word: str) -> list[str]:
        """What the element and those around it say, innermost first."""
        found = (one.get(_XML + word, one.get(word)) for one in (element, *element.iterancestors()))
        return [value for value in found if value is not None]


def joined(base: str, address: str) -> str:
    """The address as it is meant at `base`; the base when that is no web address."""
    try:
        url = urljoin(base, address.strip())
    except ValueError:
        return base
    return url if url.lower().startswith(("http://", "https://")) else base
