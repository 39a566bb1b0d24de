"""What to say when asking for a feed, and what an answer means. It never touches the network.

Validators are opaque: sent exactly as received, kept for the address that gave them, never made up. The
caller stores the ones of an answer only in the transaction that stores its entries.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urldefrag

from feeds.links import web_link
from feeds.politeness import Wishes

Headers = Iterable[tuple[str, str]]

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_VISIBLE = re.compile(r"[\x20-\x7e\x80-\xff]{1,1000}")
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|,)\s*(no-cache|no-store)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to recognise its own answer by, and the final address that it gave it for."""

    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """A body to read (200), or only what is new in it (226: `is_partial`, merge and drop nothing)."""

    validators: Validators
    wishes: Wishes
    content_type: str | None
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Unchanged:
    """304. `validators` are the ones to keep: a 304 may refresh them."""

    validators: Validators | None
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Moved:
    """A redirect to follow by hand; only a permanent one counts towards a new address (`note_move`)."""

    location: str
    is_permanent: bool
    status: int


@dataclass(frozen=True, slots=True)
class Gone:
    """410: stop asking and tell the editor."""


class FailureReason(StrEnum):
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BAD_REDIRECT = "bad_redirect"
    SERVER_ERROR = "server_error"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other answer: back off."""

    status: int
    reason: FailureReason
    wishes: Wishes


Answer = Fresh | Unchanged | Moved | Gone | Failed


def conditional_headers(held: Validators | None, *, url: str) -> tuple[tuple[str, str], ...]:
    """The request headers for `url`. Validators of another address are not sent.

    User-Agent and Accept-Encoding are the HTTP client's. `A-IM: feed` goes only with an ETag, without which
    a server has nothing to compute the difference from (RFC 3229, section 10.5.3).
    """
    headers = [("Accept", ACCEPT)]
    if held is None or held.url != urldefrag(url).url:
        return tuple(headers)
    if held.etag and _VISIBLE.fullmatch(held.etag):
        headers += [("If-None-Match", held.etag), ("A-IM", "feed")]
    if held.last_modified and _VISIBLE.fullmatch(held.last_modified):
        headers.append(("If-Modified-Since", held.last_modified))
    return tuple(headers)


def read_answer(
    status: int, headers: Headers, *, url: str, now: datetime, held: Validators | None = None
) -> Answer:
    """What the answer of `url` means. `headers` in any case; `held` are the validators that were sent."""
    found = {name.lower(): value.strip() for name, value in headers}
    wishes = read_wishes(found.items(), now=now)
    match status:
        case 200 | 226:
            given = _validators(found, url)
            return Fresh(given, wishes, found.get("content-type"), is_partial=status == 226)
        case 304:
            return Unchanged(_refreshed(held, found, url), wishes)
        case 301 | 302 | 303 | 307 | 308:
            location = web_link(found.get("location"), url)
            if location is None:
                return Failed(status, FailureReason.BAD_REDIRECT, wishes)
            return Moved(location, is_permanent=status in (301, 308), status=status)
        case 410:
            return Gone()
        case _:
            return Failed(status, _reason(status), wishes)


def read_wishes(headers: Headers, *, now: datetime) -> Wishes:
    """How long the server asks to wait. Expires counts from the server's own clock, if it shows one."""
    found = {name.lower(): value for name, value in headers}
    control = found.get("cache-control", "")
    max_age = None if _NOT_KEPT.search(control) else _MAX_AGE.search(control)
    expires = None if max_age or _NOT_KEPT.search(control) else _http_date(found.get("expires"))
    server_now = _http_date(found.get("date")) or now
    return Wishes(
        max_age_s=int(max_age[1]) if max_age else None,
        expires_s=max(0, int((expires - server_now).total_seconds())) if expires else None,
        retry_after_s=retry_after_s(found.get("retry-after"), now=server_now),
    )


def retry_after_s(raw: str | None, *, now: datetime) -> int | None:
    """Retry-After in seconds: a number, or a date against `now` (RFC 9110, section 10.2.3)."""
    text = (raw or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:10])
    at = _http_date(text)
    return max(0, int((at - now).total_seconds())) if at else None


def _http_date(raw: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime((raw or "")[:100])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _validators(found: dict[str, str], url: str) -> Validators:
    return Validators(urldefrag(url).url, found.get("etag") or None, found.get("last-modified") or None)


def _refreshed(held: Validators | None, found: dict[str, str], url: str) -> Validators | None:
    given = _validators(found, url)
    if held is None or held.url != given.url:
        return given if given.etag or given.last_modified else None
    return Validators(held.url, given.etag or held.etag, given.last_modified or held.last_modified)


def _reason(status: int) -> FailureReason:
    match status:
        case 429:
            return FailureReason.RATE_LIMITED
        case 503:
            return FailureReason.UNAVAILABLE
        case 401 | 403 | 451:
            return FailureReason.FORBIDDEN
        case 404:
            return FailureReason.NOT_FOUND
        case _ if 500 <= status < 600:
            return FailureReason.SERVER_ERROR
        case _:
            return FailureReason.UNEXPECTED


# Clocks that run without news: of the channel wherever they stand, of the document before its first entry.
_BUILD_DATE = re.compile(rb"<lastBuildDate[^<>]{0,200}>[^<]{0,200}</lastBuildDate\s*>", re.IGNORECASE)
_FIRST_ENTRY = re.compile(rb"<(?:[A-Za-z0-9]{1,20}:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_HEAD_CLOCK = re.compile(
    rb"<(pubDate|updated|modified|dc:date|generator)\b[^<>]{0,300}>[^<]{0,300}</\1\s*>|<!--[^<>]{0,500}-->",
    re.IGNORECASE,
)


def fingerprint(body: bytes) -> str:
    """SHA-256 of the body without the clocks that move at every answer: equal means nothing new."""
    bare = _BUILD_DATE.sub(b"", body)
    first = _FIRST_ENTRY.search(bare)
    at = first.start() if first else 0
    digest = hashlib.sha256(_HEAD_CLOCK.sub(b"", bare[:at]))
    digest.update(bare[at:])
    return digest.hexdigest()
