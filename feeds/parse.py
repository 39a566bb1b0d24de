"""Bytes to a `Feed`: decode, prepare, read by the quickest reader that is sure of what it reads, finish.

What is no feed (a calendar, a repository, a page) goes to the reader of its door (`feeds.doors`).

Decoding, dates, links and identity are our own (feedparser is wrong about each for Polish sources). Must
never fetch anything, and never let out an exception other than `feeds.errors`. A hostile body can take
minutes here: outside tests go through `feeds.pool`.
"""

import re
from datetime import datetime, tzinfo

from feeds import doors, jsonfeed, loose, prolog, quick, ready, shells, tree
from feeds.dates import WARSAW
from feeds.decode import decode
from feeds.draft import MAX_ENTRIES, FeedDraft, Frame, finish
from feeds.errors import BrokenFeed, FeedError, NotAFeed, TooLarge, TooMuchMemory
from feeds.types import Alarm, Door, Feed, Habits

MAX_BODY_BYTES = 5_000_000
_PAGES = {
    "html": "This is a web page, not a feed.",
    "wall": "This is a wall against bots, not a feed.",
    "shell": "This is an empty shell that a browser has to fill, not a feed.",
}
_HTML = re.compile(r"\s*(<!--.{0,500}?-->\s*){0,5}(<!doctype\s+html|<html\b)", re.IGNORECASE | re.DOTALL)


def parse(
    body: bytes,
    *,
    content_type: str | None,
    base_url: str,
    now: datetime,
    zone: tzinfo = WARSAW,
    habits: Habits = Habits(),  # noqa: B008  a frozen value
) -> Feed:
    """Read a feed. `base_url` is where the body came from in the end, `content_type` its header as received.

    Raises NotAFeed, BrokenFeed, TooLarge or TooMuchMemory.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"The feed is larger than {MAX_BODY_BYTES} bytes.", max_bytes=MAX_BODY_BYTES)
    frame = Frame(base_url, now, zone, habits)
    try:
        return _read(body, content_type, frame)
    except FeedError:
        raise
    except MemoryError as exc:
        raise TooMuchMemory("The feed needs more memory than a feed may have.") from exc
    except Exception as exc:  # feedparser lets many kinds of exception out on hostile input
        raise BrokenFeed("The feed cannot be read.", cause=type(exc).__name__) from exc


def _read(body: bytes, content_type: str | None, frame: Frame) -> Feed:
    if frame.habits.door is Door.FEED and (draft := _read_as_it_is(body, content_type, frame.base_url)):
        return finish(draft, frame)
    decoded = decode(body, content_type=content_type, override=frame.habits.encoding)
    text = decoded.text.lstrip("\ufeff \t\r\n\0")
    if not text:
        raise NotAFeed("The answer is empty.", looks="empty")
    door = frame.habits.door
    if door is not Door.FEED:
        draft = doors.read(door, text, frame)
    elif text[0] in "{[":
        draft = jsonfeed.read(text)
    elif "<" not in text[:4_000]:
        raise NotAFeed("This is not a feed.", looks="text")
    elif _HTML.match(text[:4_000]):
        looks = shells.looks_of(text)
        raise NotAFeed(_PAGES[looks], looks=looks)
    else:
        draft = _read_xml(text, frame.base_url)
    if decoded.remark:
        draft.report.insert(0, f"encoding: {decoded.remark}")
    return finish(draft, frame)


def _read_as_it_is(body: bytes, content_type: str | None, base_url: str) -> FeedDraft | None:
    """The short way, for a document in which nothing has to be mended; None for any other."""
    document = ready.as_it_is(body, content_type=content_type)
    root = tree.grow(document) if document else None
    return _read_tree(root, document, base_url) if document and root is not None else None


def _read_tree(root: tree.Element, document: bytes, base_url: str) -> FeedDraft | None:
    draft = quick.read(root, document, base_url)
    if draft and tree.is_flooded(root, document):
        draft.alarm = Alarm.FLOOD
    return draft


def _read_xml(text: str, base_url: str) -> FeedDraft:
    kept, total = prolog.first_entries(text, most=MAX_ENTRIES)
    document = prolog.to_utf8(prolog.without_rss_prefix(kept))
    draft = _read_quickly(document, base_url)
    if draft is None:
        draft = loose.read(document, base_url)
        draft.report.append("read by feedparser")
    draft.alarm = draft.alarm or _alarm(kept, document, draft)
    if total > MAX_ENTRIES:
        draft.report.append(f"{total} entries, only the first {MAX_ENTRIES} read")
    return draft


def _alarm(text: str, document: bytes, draft: FeedDraft) -> Alarm | None:
    if prolog.has_harmful_entities(text):
        return Alarm.ENTITIES
    return Alarm.FLOOD if draft.report and tree.is_built_to_hurt(document) else None


def _read_quickly(document: bytes, base_url: str) -> FeedDraft | None:
    """By tree, if need be after the commonest faults are mended; None when that is not to be trusted."""
    root = tree.grow(document)
    if root is not None:
        return _read_tree(root, document, base_url)
    text, count = tree.mended(document.decode("utf-8"))
    text, prefixes = tree.declared(text)
    document = text.encode("utf-8")
    root = tree.grow(document)
    faults = [f"{count} signs and values that XML does not know written out"] if count else []
    if prefixes:
        faults.append(f"prefixes never declared: {', '.join(prefixes)}")
    if root is None:
        root = tree.grow_cut_off(document)
        faults.append("it ends in the middle")
    draft = _read_tree(root, document, base_url) if root is not None else None
    if draft:
        draft.report.append(f"not well formed: {'; '.join(faults)}"[:300])
    return draft
