"""XML made ready for a parser: one true declaration, no DOCTYPE, no character that XML forbids.

Nothing that a document type could fetch or multiply reaches a parser; of its declarations only short,
flat entities stay (old feeds use them for accents). Every step is linear in the length of the text.
"""

import re

from feeds.text import legal

_DECLARATION = re.compile(r"<\?xml[^>]{0,300}\?>", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_ENTITY = re.compile(r"<!ENTITY\s+(\w{1,40})\s+(?:\"([^\"&<>%]{0,64})\"|'([^'&<>%\"]{0,64})')\s*>", re.ASCII)
_RSS_PREFIX = re.compile(r"(</?)rss:", re.IGNORECASE)
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


def to_utf8(text: str) -> bytes:
    """The document as UTF-8 bytes with a declaration that says so, and with no document type."""
    text = legal(text).lstrip("\ufeff \t\r\n")
    start = _FIRST_ELEMENT.search(text)
    at = start.start() if start else len(text)
    head, body = _DECLARATION.sub("", text[:at]), text[at:]
    lines = ["<?xml version='1.0' encoding='utf-8'?>", *_entities(head), body]
    return "\n".join(lines).encode("utf-8", "replace")


def _entities(head: str) -> list[str]:
    """A DOCTYPE of its flat entities alone, if there are any."""
    if "<!DOCTYPE" not in head.upper():
        return []
    pairs = {name: double or single for name, double, single in _ENTITY.findall(head)}
    kept = list(pairs.items())[:_MAX_ENTITIES]
    return (
        ["<!DOCTYPE feed [", *(f'<!ENTITY {name} "{value}">' for name, value in kept), "]>"] if kept else []
    )


def without_rss_prefix(document: bytes) -> bytes | None:
    """The document with `rss:` taken off its elements, when it never says what that prefix is."""
    text = document.decode("utf-8")
    if "<rss:" not in text.lower() or "xmlns:rss" in text.lower():
        return None
    return _RSS_PREFIX.sub(r"\1", text).encode("utf-8")
