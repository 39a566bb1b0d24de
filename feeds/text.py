"""Plain words out of what feeds call text.

Takes away what must never reach a header, a database or a page: control characters, lone surrogates, marks
that turn the direction of writing. It does not sanitise HTML.
"""

import html
import re
from functools import lru_cache

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\r"))
_TURNING = re.compile("[\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SCRIPT, _STYLE = (
    "[sS][cC][rR][iI][pP][tT]",
    "[sS][tT][yY][lL][eE]",
)  # searched four times as fast as any case
_HIDDEN = re.compile(rf"<(?:{_SCRIPT}\b.*?</{_SCRIPT}\s*>|{_STYLE}\b.*?</{_STYLE}\s*>)", re.DOTALL)
_HIDING = re.compile(rf"<(?:{_SCRIPT}|{_STYLE})\b")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_ADDRESS = re.compile(r"(mailto:)?[^\s<>()@]{1,100}@[^\s<>()@]{1,200}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def legal(text: str) -> str:
    """The text without the characters that XML, JSON and PostgreSQL refuse."""
    return text if _is_legal(text) else _ILLEGAL.sub("", text)


def _is_legal(text: str) -> bool:
    """Whether a glance at the bytes settles that all is well: ten times as fast as looking."""
    try:
        return _is_legal_utf8(text.encode())
    except UnicodeEncodeError:  # a lone surrogate
        return False


def _is_legal_utf8(raw: bytes) -> bool:
    return len(raw) == len(raw.translate(None, _CONTROLS)) and b"\xef\xbf" not in raw


def legal_utf8(text: str) -> bytes:
    """The legal part of a text as UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    return raw if _is_legal_utf8(raw) and b"\xed" not in raw else _ILLEGAL.sub("", text).encode()


def one_line(text: str, *, max_chars: int) -> str:
    """The text on one line, single spaces, cut at `max_chars`."""
    return _cut(_on_one_line(text), max_chars)


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return " ".join(_TURNING.sub("", legal(text.replace("\u00ad", ""))).split())


def _cut(line: str, max_chars: int) -> str:
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def plain(markup: str, *, max_chars: int) -> str:
    """HTML as one line of plain text: tags away, entities resolved."""
    if len(markup) > 4 * max_chars and (line := _first_words(markup, max_chars)):
        return line
    return _cut(_words(markup), max_chars)


def _first_words(markup: str, max_chars: int) -> str | None:
    """The beginning of a long text, piece by piece until there is enough; None where pieces cannot be told.

    A piece ends with a tag, which is a space: what is hidden, or a remark, may hold what looks like one.
    """
    lines, have, at = [], 0, 0
    while have <= max_chars + 1:
        tag = _TAG.search(markup, at + max_chars)
        piece = markup[at : tag.end()] if tag else markup[at:]
        if "<!" in piece or _HIDING.search(piece):
            return None
        line = _seen_words(_TAG.sub(" ", piece))
        if line:
            lines.append(line)
            have += len(line) + 1
        if not tag:
            break
        at = tag.end()
    return _cut(" ".join(lines), max_chars)


def _words(markup: str) -> str:
    if "<" in markup:
        markup = _TAG.sub(" ", _HIDDEN.sub(" ", markup))
    return _seen_words(markup)


def _seen_words(text: str) -> str:
    return _on_one_line(html.unescape(text) if "&" in text else text)


def person(text: str) -> str:
    """A person's name without the e-mail address that RSS wants beside it."""
    name = text[:1_000]
    return (_ADDRESS.sub(" ", name) if "@" in name else name).strip(" \t\r\n()<>,;")


def as_html(text: str) -> str:
    """Plain text as HTML that shows it unchanged, its line ends kept."""
    return legal_as_html(legal(text).strip())


def legal_as_html(text: str) -> str:
    """The same, for a text that an XML parser has let through and that has no space around it."""
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def language(tag: object) -> str | None:
    """A language tag (BCP 47, lower case), or None when it is not one."""
    return _language(tag) if isinstance(tag, str) and len(tag) < 100 else None


@lru_cache(256)
def _language(tag: str) -> str | None:
    tidy = tag.strip().replace("_", "-")
    return tidy.lower() if _LANGUAGE.fullmatch(tidy) else None
