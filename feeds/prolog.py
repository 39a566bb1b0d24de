"""XML made ready for a parser: one true declaration, no DOCTYPE, no character that XML forbids.

Nothing that a document type could fetch or multiply reaches a parser; of its declarations only short,
flat entities stay (old feeds use them for accents). Every step is linear in the length of the text.
"""

import re

from feeds.text import legal_utf8

_DECLARATION = re.compile(r"<\?xml[^>]{0,300}\?>", re.IGNORECASE)
_REMARK = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_ENTITY = re.compile(r"<!ENTITY\s+(\w{1,40})\s+(?:\"([^\"&<>%]{0,64})\"|'([^'&<>%\"]{0,64})')\s*>", re.ASCII)
# A sign by its number too: so feeds that are old declare &nbsp; for themselves.
_HARMLESS = re.compile(
    r"<!ENTITY\s+\w{1,40}\s+"
    r"(?:\"(?:[^\"&<>%]|&#\w{1,7};){0,64}\"|'(?:[^'&<>%]|&#\w{1,7};){0,64}')\s*>",
    re.ASCII,
)
_RSS_PREFIX = re.compile(r"(</?|\s)rss:(?=[a-z]+[\s=>/])", re.IGNORECASE)
_RSS_ROOT = re.compile(r"<rss\s+version\s*=[^<>\s]{1,9}\s*>", re.IGNORECASE)
_MAX_ENTITIES = 300
_ENTRY_OPENS = re.compile(r"<(?:[a-z0-9]{1,20}:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_ENTRY_CLOSES = re.compile(r"</(?:[a-z0-9]{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)


def first_entries(text: str, *, most: int) -> tuple[str, int]:
    """The document with its first `most` entries and what follows the last one; and how many there were.

    Cut before parsing, so that an archive of a whole life costs no more than a long feed.
    """
    opens = [match.start() for match in _ENTRY_OPENS.finditer(text)]
    if len(opens) <= most:
        return text, len(opens)
    last = max((match.end() for match in _ENTRY_CLOSES.finditer(text, opens[-1])), default=len(text))
    return text[: opens[most]] + text[last:], len(opens)


def has_entries(document: bytes) -> bool:
    """Whether anything in the document looks like an entry."""
    return any(word in document for word in (b"item", b"entry", b"ITEM", b"Item"))


def to_utf8(text: str) -> bytes:
    """The document as UTF-8 bytes with a declaration that says so, and with no document type."""
    text = _after_remarks(text.lstrip("\ufeff \t\r\n"))  # what is in one may look like an element
    start = _FIRST_ELEMENT.search(text)
    at = start.start() if start else len(text)
    head, body = _DECLARATION.sub("", text[:at]), text[at:]
    lines = ["<?xml version='1.0' encoding='utf-8'?>", *_entities(head), body]
    return legal_utf8("\n".join(lines))


def _after_remarks(text: str) -> str:
    at = 0
    while remark := _REMARK.match(text, at):
        at = remark.end()
    return text[at:]


def _entities(head: str) -> list[str]:
    """A DOCTYPE of its flat entities alone, if there are any."""
    if "<!DOCTYPE" not in head.upper():
        return []
    pairs = {name: double or single for name, double, single in _ENTITY.findall(head)}
    kept = list(pairs.items())[:_MAX_ENTITIES]
    return (
        ["<!DOCTYPE feed [", *(f'<!ENTITY {name} "{value}">' for name, value in kept), "]>"] if kept else []
    )


def has_harmful_entities(text: str) -> bool:
    """Whether the document type declares more than short, flat entities: what multiplies or leads outside."""
    text = _after_remarks(text)
    start = _FIRST_ELEMENT.search(text)
    head = text[: start.start() if start else len(text)]
    if "<!ENTITY" not in head.upper():
        return False
    return head.upper().count("<!ENTITY") > sum(1 for _ in _HARMLESS.finditer(head))


def without_rss_prefix(text: str) -> str:
    """The document with `rss:` taken off its elements, where it never says what that prefix is."""
    head = text[:20_000].lower()
    if "rss:" not in head or "xmlns:rss" in head or not _RSS_PREFIX.search(head):
        return text
    plain = _RSS_PREFIX.sub(r"\1", text)
    root = _RSS_ROOT.search(plain[:20_000])
    return plain if not root else plain[: root.start()] + "<rss version='2.0'>" + plain[root.end() :]
