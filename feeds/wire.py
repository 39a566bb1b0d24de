"""What the pool and its child processes say to each other: a JSON head, then bytes, each with its length.

No pickle: an answer comes from a process that has read hostile bytes, so it is checked like any input.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from feeds.errors import FeedError, ParserCrashed, by_code
from feeds.types import Feed, Habits

MAX_MESSAGE_BYTES = 100_000_000
_FEED = TypeAdapter(Feed)
_OK, _FAILED = b"+", b"-"


@dataclass(frozen=True, slots=True)
class Order:
    """One body to read, with everything `parse` needs."""

    body: bytes
    content_type: str | None
    base_url: str
    now: datetime
    zone: ZoneInfo
    habits: Habits


_HEAD = TypeAdapter(tuple[str | None, str, datetime, ZoneInfo, Habits])


def pack_order(order: Order) -> bytes:
    head = _HEAD.dump_json((order.content_type, order.base_url, order.now, order.zone, order.habits))
    return _framed(head) + _framed(order.body)


def read_order(stream: BinaryIO) -> Order | None:
    """The next order; None when the other side is gone."""
    head, body = read_frame(stream), read_frame(stream)
    if head is None or body is None:
        return None
    return Order(body, *_HEAD.validate_json(head))


def pack_feed(feed: Feed) -> bytes:
    return _framed(_OK + _FEED.dump_json(feed))


def pack_error(error: FeedError) -> bytes:
    data = {name: str(value) for name, value in error.data.items()}
    said = {"code": error.code, "message": error.message, "data": data}
    return _framed(_FAILED + json.dumps(said).encode())


def read_answer(stream: BinaryIO) -> Feed | FeedError:
    """The child's answer: a feed, or what it refused with; ParserCrashed when there is no whole answer."""
    answer = read_frame(stream)
    if answer is None:
        return ParserCrashed("The feed's parser ended without an answer.")
    try:
        if answer[:1] == _OK:
            return _FEED.validate_json(answer[1:])
        said = json.loads(answer[1:])
        return by_code(str(said["code"]))(str(said["message"]), **dict(said["data"]))
    except (ValidationError, ValueError, KeyError, TypeError):
        return ParserCrashed("The feed's parser gave an answer that is none.")


def read_frame(stream: BinaryIO) -> bytes | None:
    size = _exactly(stream, 8)
    length = int.from_bytes(size, "big") if size else MAX_MESSAGE_BYTES + 1
    return _exactly(stream, length) if length <= MAX_MESSAGE_BYTES else None


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(8, "big") + message


def _exactly(stream: BinaryIO, length: int) -> bytes | None:
    data = stream.read(length)
    return data if len(data) == length else None
