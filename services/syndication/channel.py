"""What a feed is about, and its items in the one form that every writer reads. Nothing is escaped yet."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_UNTOLD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Item:
    """A notice to be told; `uid` never changes, whichever format tells it."""

    uid: str
    url: str
    title: str
    summary: str
    author: str
    categories: tuple[str, ...]
    language: str | None
    published_at: datetime
    updated_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A list of items under a name; `self_url` is where it is found, `hub_url` who tells of its changes."""

    title: str
    self_url: str
    page_url: str
    items: tuple[Item, ...]
    hub_url: str | None = None

    @property
    def updated_at(self) -> datetime | None:
        """When anything in it changed last; None while it is empty."""
        return max((item.updated_at for item in self.items), default=None)


def item_of(notice: Mapping[str, Any], base_url: str) -> Item:
    """A notice in its public form as an item."""
    page = f"{base_url}/notices/{notice['id']}"
    return Item(
        uid=page,
        url=notice["url"] or page,
        title=clean(notice["title"]),
        summary=clean(notice["summary"]),
        author=clean(notice["institution"]["name"]),
        categories=tuple(dict.fromkeys((notice["kind"], *notice["topics"]))),
        language=notice["language"],
        published_at=_time(notice["published_at"]),
        updated_at=_time(notice["fetched_at"]),
        starts_at=_maybe(notice["starts_at"]),
        ends_at=_maybe(notice["ends_at"]),
        deadline_at=_maybe(notice["deadline_at"]),
    )


def clean(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return _UNTOLD.sub("", text)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def is_same(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader has this body already (RFC 9110, 13.1.2: compared weakly)."""
    if not if_none_match:
        return False
    held: Iterable[str] = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    return any(one in (etag, "*") for one in held)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return _time(text) if text else None
