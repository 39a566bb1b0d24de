"""Plain words out of what feeds call text.

Takes away what must never reach a header, a database or a page: control characters, lone surrogates, marks
that turn the direction of writing. It does not sanitise HTML.
"""

import html
import re

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TURNING = re.compile("[\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_ADDRESS = re.compile(r"(mailto:)?[^\s<>()@]{1,100}@[^\s<>()@]{1,200}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def legal(text: str) -> str:
    """The text without the characters that XML, JSON and PostgreSQL refuse."""
    return _ILLEGAL.sub("", text)


def one_line(text: str, *, max_chars: int) -> str:
    """The text on one line, single spaces, cut at `max_chars`."""
    line = " ".join(_TURNING.sub("", legal(text.replace("\u00ad", ""))).split())
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def plain(markup: str, *, max_chars: int) -> str:
    """HTML as one line of plain text: tags away, entities resolved."""
    bare = _TAG.sub(" ", _HIDDEN.sub(" ", markup)) if "<" in markup else markup
    return one_line(html.unescape(bare), max_chars=max_chars)


def person(text: str) -> str:
    """A person's name without the e-mail address that RSS wants beside it."""
    return _ADDRESS.sub(" ", text[:1_000]).strip(" \t\r\n()<>,;")


def as_html(text: str) -> str:
    """Plain text as HTML that shows it unchanged, its line ends kept."""
    return html.escape(legal(text).strip(), quote=False).replace("\n", "<br>\n")


def language(tag: object) -> str | None:
    """A language tag (BCP 47, lower case), or None when it is not one."""
    if not isinstance(tag, str):
        return None
    tidy = tag.strip().replace("_", "-")
    return tidy.lower() if _LANGUAGE.fullmatch(tidy) else None
