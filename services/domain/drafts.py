"""What a source says before Goniec has stored it, and when it counts as changed."""

import hashlib
import html
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

_HASH_VERSION = 2
_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\ud800-\udfff]")

_COUNTED = (
    r"(?:wyświetle\w{1,4}|odsłon\w{0,3}|odczyt\w{0,4}|odwiedzin\w{0,3}|komentarz\w{0,3}|pobra(?:ń|nia|no)"
    r"|views?|hits|visits?|comments?|downloads?|likes?|shares?)"
)
# Possessive: neither eats what must follow it, so that trying less would find nothing more.
_GAP = r"(?:\s|:|\(|<[^<>]{1,60}>){0,6}+"
_NUMBER = r"\d[\d \u00a0.,]{0,12}+"
_COUNTER = re.compile(rf"\b{_COUNTED}{_GAP}{_NUMBER}|\b{_NUMBER}{_GAP}{_COUNTED}\b", re.IGNORECASE)
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}:\d{2}\b")

MAX_TITLE = 500
MAX_SUMMARY = 2_000
MAX_BODY = 200_000


@dataclass(frozen=True, slots=True)
class Draft:
    """One notice as its source gives it; `key` is the source's own id for it.

    `title` and `summary` are plain text, `body_html` is not yet sanitised, `places` are TERYT codes,
    times are aware. `published_at` may be missing: then the first sighting counts.
    """

    key: str
    title: str
    kind: str = "news"
    summary: str = ""
    body_html: str = ""
    url: str | None = None
    language: str | None = None
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    deadline_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    commercial: bool = False
    urgent: bool = False
    published_at: datetime | None = None


def plain(text: str, *, limit: int) -> str:
    """One line of text: control characters and lone surrogates gone, spaces single, cut at `limit`."""
    line = _SPACE.sub(" ", _CONTROL.sub("", unicodedata.normalize("NFC", text))).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def text_of(body_html: str) -> str:
    """The words of a sanitised body, without its tags, on one line."""
    return plain(html.unescape(_TAG.sub(" ", body_html)), limit=MAX_BODY)


def content_hash(draft: Draft) -> bytes:
    """A fingerprint of what people read; equal hashes mean that nothing changed.

    The first byte is the version of this rule, so that a change of the rule is not taken for a change
    of every notice (`is_other`). Empty fields are left out, so that a new field changes no old hash; so are
    the time of publication, clocks and counters: what moves by itself revises nothing.
    """
    fields = {
        "kind": draft.kind,
        "title": plain(draft.title, limit=MAX_TITLE),
        "summary": _at_rest(plain(draft.summary, limit=MAX_SUMMARY)),
        "body": _at_rest(_SPACE.sub(" ", draft.body_html).strip()),
        "url": draft.url,
        "language": draft.language,
        "topics": sorted(draft.topics),
        "places": sorted(draft.places),
        "audience": sorted(draft.audience),
        "deadline": _stamp(draft.deadline_at),
        "starts": _stamp(draft.starts_at),
        "ends": _stamp(draft.ends_at),
        "commercial": draft.commercial,
        "urgent": draft.urgent,
    }
    told = json.dumps({k: v for k, v in fields.items() if v}, sort_keys=True, ensure_ascii=False)
    return bytes([_HASH_VERSION]) + hashlib.sha256(told.encode("utf-8", "replace")).digest()


def is_other(stored: bytes, now: bytes) -> bool:
    """Whether two fingerprints of one notice tell of a change; those of two rules cannot be compared."""
    return stored != now and stored[:1] == now[:1]


def _at_rest(text: str) -> str:
    """The text without what counts or ticks by itself: views, comments, a clock with seconds."""
    return _CLOCK.sub("", _COUNTER.sub("", text)) if any(char.isdigit() for char in text) else text


def _stamp(at: datetime | None) -> float | None:
    return at.timestamp() if at else None
