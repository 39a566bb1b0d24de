"""Bytes to text, before any parser guesses.

The order: byte order mark → valid UTF-8, whatever the label says → the HTTP charset → the XML declaration →
a byte test between windows-1250 and ISO-8859-2 → the source's override → the shape of other scripts →
windows-1252. It must never fail: a byte that means nothing becomes U+FFFD, and `remark` says so.
"""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from feeds.guess import guess

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE_WIDE = (  # an opening < or { in a wide encoding without a mark
    (re.compile(rb"[<{]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{]"), "utf-32-be"),
    (re.compile(rb"[<{]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{]\0[^\0]"), "utf-16-be"),
)
_XML_LABEL = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']", re.IGNORECASE)
_HTTP_LABEL = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_TRUSTED = (
    "iso8859",
    "cp",
    "koi8",
    "gb",
    "big5",
    "euc",
    "shift_jis",
    "iso2022",
    "mac-",
    "tis",
    "johab",
    "ptcp",
)
_LATIN2 = frozenset({"iso8859-2", "cp1250"})

# The Polish letters of windows-1250 and of ISO-8859-2 that the other one puts elsewhere: Ś Ź ś ź ą
_ONLY_1250 = bytes.fromhex("8C8F9C9FB9")
_ONLY_LATIN2 = bytes.fromhex("A6ACB1B6BC")
_POLISH = _ONLY_1250 + _ONLY_LATIN2 + bytes.fromhex("A1A3A5AFB3BFC6CAD1D3E6EAF1F3848593949697A0ABBB")
_MARKED_POLISH = _ONLY_1250 + _ONLY_LATIN2 + bytes.fromhex("B3A3AF")
_TWICE = re.compile("[ÃÄÅ][\x80-\xbfŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]")
_NARROW = {ord(char): byte for byte in range(0x80, 0xA0) for char in bytes([byte]).decode("cp1252", "ignore")}
_HIGH = bytes(range(0x80, 0x100))
_GOING_ON = bytes(range(0x80, 0xC0))


@dataclass(frozen=True, slots=True)
class Decoded:
    """`encoding` is Python's name of what the bytes were; `remark` says where label and bytes disagreed."""

    text: str
    encoding: str
    remark: str | None = None


def decode(body: bytes, *, content_type: str | None = None, override: str | None = None) -> Decoded:
    """The text of a document. `content_type` is the HTTP header as received, `override` the editor's word."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return Decoded(body[len(mark) :].decode(name, "replace"), name)
    start = body[:64].lstrip(b" \t\r\n")
    for shape, name in _BARE_WIDE:
        if shape.match(start):
            return Decoded(body.decode(name, "replace"), name)
    labels = labels_of(body, content_type)
    if b"\x1b" in body and any(label.startswith("iso2022") for label in labels):
        return _by_label(body, labels, override)
    return _utf8(body, labels) or _by_label(body, labels, override)


def labels_of(body: bytes, content_type: str | None) -> list[str]:
    """Names of the encodings that the server and the document claim, in order of trust."""
    said = [_HTTP_LABEL.search(content_type or "")]
    inside = _XML_LABEL.search(body[:1024])
    names = [match[1] for match in said if match] + ([inside[1].decode("ascii")] if inside else [])
    return [name for name in map(_known, names) if name]


@lru_cache(256)
def _known(label: str | None) -> str | None:
    """Python's name of a charset label; None for unknown ones and for codecs that are not charsets."""
    try:
        name = codecs.lookup(label or "").name
    except (LookupError, ValueError):
        return None
    if name in ("ascii", "iso8859-1"):
        return "cp1252"  # what every browser reads (WHATWG Encoding Standard, section 4.2)
    if name in ("gb2312", "gbk"):
        return "gb18030"
    return name if name.startswith((*_TRUSTED, "utf-8")) else None


def _utf8(body: bytes, labels: list[str]) -> Decoded | None:
    remark = f"declared {labels[0]}, read as utf-8" if labels and labels[0] != "utf-8" else None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body, final=False)  # may be cut mid-letter
        return Decoded(*_once(text, remark))
    except UnicodeDecodeError:
        if _is_far_from_utf8(body):
            return None
        text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    letters = len(text) - len(text.encode("ascii", "ignore")) - broken
    if letters > 5 * broken:
        return Decoded(text, "utf-8", f"{broken} bytes are not utf-8")
    return None


def _is_far_from_utf8(body: bytes) -> bool:
    """Whether a count of bytes settles it: each letter of UTF-8 needs one that goes on, and few do."""
    going_on = _count(body, _GOING_ON)
    broken = _count(body, _HIGH) - 2 * going_on  # those that begin a letter and nothing follows, at least
    return going_on <= 5 * broken


def _once(text: str, remark: str | None) -> tuple[str, str, str | None]:
    """Undo UTF-8 that was taken for windows-1252 and encoded once more, when the whole text fits."""
    if ("Ã" in text or "Ä" in text or "Å" in text) and _TWICE.search(text):
        try:
            mended = text.translate(_NARROW).encode("latin-1").decode("utf-8")
        except UnicodeError:
            return text, "utf-8", remark
        if mended and len(text) - len(mended) > 2:
            return mended, "utf-8", "utf-8 encoded twice"
    return text, "utf-8", remark


def _by_label(body: bytes, labels: list[str], override: str | None) -> Decoded:
    for label in labels:
        if label == "utf-8":
            continue
        name = central_european(body, default=label) if label in _LATIN2 else label
        text = _strict(body, name)
        if text is not None:
            return Decoded(text, name, None if name == label else f"declared {label}, read as {name}")
    polish = central_european(body, default="iso8859-2") if _looks_polish(body) else None
    for name in filter(None, (polish, _known(override), guess(body))):
        text = _strict(body, name)
        if text is not None:
            return Decoded(text, name, f"declared {labels[0] if labels else 'nothing'}, read as {name}")
    text = body.decode("cp1252", "replace")
    return Decoded(text, "cp1252", "encoding unknown, read as cp1252")


def _strict(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeDecodeError, LookupError):
        return None


def central_european(body: bytes, *, default: str) -> str:
    """`cp1250` or `iso8859-2`, by the Polish letters that only one of them puts at a byte."""
    windows, latin2 = _count(body, _ONLY_1250), _count(body, _ONLY_LATIN2)
    if windows == latin2:
        return "cp1250" if _count(body, bytes(range(0x80, 0xA0))) else default
    return "cp1250" if windows > latin2 else "iso8859-2"


def _looks_polish(body: bytes) -> bool:
    high = _count(body, _HIGH)
    return high > 0 and _count(body, _POLISH) >= 0.85 * high and _count(body, _MARKED_POLISH) >= 0.1 * high


def _count(body: bytes, wanted: bytes) -> int:
    return len(body) - len(body.translate(None, wanted))
