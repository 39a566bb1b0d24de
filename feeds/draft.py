"""From what a format's reader found to a finished `Feed`: the part that all formats share.

Readers hand over drafts; here keys are given, dates are read, links are checked and sizes are capped. It
must let nothing through that `feeds.types` forbids.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from feeds.dates import clamp, read_date
from feeds.identity import Marks, identify, keys_by
from feeds.links import absolute_links, web_link
from feeds.text import language, legal, one_line, plain
from feeds.types import Alarm, Enclosure, Entry, Feed, Habits, Ladder

MAX_ENTRIES = 2_000
MAX_TITLE_CHARS = 1_000
MAX_SUMMARY_CHARS = 1_000
MAX_LABELS = 50
MAX_TTL_S = 86_400


@dataclass(frozen=True, slots=True)
class Frame:
    """The circumstances of one reading: where the body came from, when, and what is known of its source."""

    base_url: str
    now: datetime
    zone: tzinfo
    habits: Habits


@dataclass(slots=True)
class EntryDraft:
    """An item as found. `title_markup`, `summary_markup` and `content_markup` are HTML."""

    guid: str | None = None
    link: object = None
    title_markup: str = ""
    summary_markup: str = ""
    content_markup: str = ""
    content_base: str | None = None
    raw_published: object = None
    raw_updated: object = None
    authors: Sequence[object] = ()
    categories: Sequence[object] = ()
    enclosures: Sequence[tuple[object, object, object]] = ()
    language: object = None
    kind: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_withdrawn: bool = False
    is_legal: bool = False  # whether an XML parser has looked at every character of it


@dataclass(slots=True)
class FeedDraft:
    """A document as found, before anything in it is believed."""

    format: str
    title_markup: str = ""
    link: object = None
    language: object = None
    hub_url: object = None
    self_url: object = None
    ttl_s: int | None = None
    expired: bool = False
    memory: dict[str, str] = field(default_factory=dict)
    has_more: bool = False
    alarm: Alarm | None = None
    entries: Sequence[EntryDraft] = ()
    report: list[str] = field(default_factory=list)


def finish(draft: FeedDraft, frame: Frame) -> Feed:
    """The feed that the draft makes in its frame."""
    report = list(draft.report)
    drafts = draft.entries[:MAX_ENTRIES]
    if len(draft.entries) > MAX_ENTRIES:
        report.append(f"{len(draft.entries)} entries, only the first {MAX_ENTRIES} read")
    entries, ladder = _entries(drafts, frame, report)
    ttl = draft.ttl_s if draft.ttl_s and draft.ttl_s > 0 else None
    return Feed(
        format=draft.format,
        title=plain(draft.title_markup, max_chars=MAX_TITLE_CHARS),
        link=web_link(draft.link, frame.base_url),
        language=language(draft.language),
        entries=entries,
        hub_url=web_link(draft.hub_url, frame.base_url),
        self_url=web_link(draft.self_url, frame.base_url),
        ttl_s=min(ttl, MAX_TTL_S) if ttl else None,
        expired=draft.expired,
        report=tuple(report),
        ladder=ladder,
        memory=draft.memory,
        has_more=draft.has_more,
        alarm=draft.alarm,
    )


def _entries(
    drafts: Sequence[EntryDraft], frame: Frame, report: list[str]
) -> tuple[tuple[Entry, ...], Ladder]:
    made = [_said(draft, frame) for draft in drafts]
    told = [said for said in made if _says_something(said)]
    identity = identify([said.marks for said in told], ladder=frame.habits.ladder)
    named: dict[str, Entry] = {}
    for said, (key, rule) in zip(told, identity.keys, strict=True):
        if key not in named:
            named[key] = _entry(said, key, rule, frame)
    if identity.ladder != frame.habits.ladder:
        former = keys_by([said.marks for said in told], frame.habits.ladder)
        for (key, _), old in zip(identity.keys, former, strict=True):
            named[key] = replace(named[key], former_key=named[key].former_key or old)
        report.append(f"identifiers repeat: entries are now told apart by {identity.ladder}")
    dates = [(said.marks.raw_date, said.published) for said in told]
    _count(report, len(told) - len(named), "entries written twice")
    _count(report, len(made) - len(told), "entries that say nothing left out")
    _count(report, sum(at is not None and at > frame.now for _, at in dates), "dates in the future")
    _count(report, sum(bool(raw) and at is None for raw, at in dates), "dates not understood")
    return tuple(named.values()), identity.ladder


def _says_something(said: "_Said") -> bool:
    marks = said.marks
    is_named = said.draft.is_withdrawn and marks.guid
    return bool(marks.title or marks.content or marks.link or said.files or is_named)


def _count(report: list[str], number: int, words: str) -> None:
    if number:
        report.append(f"{number} {words}")


class _Said(NamedTuple):
    """A draft believed as far as it may be, but for its name. Dates are not yet clamped."""

    draft: EntryDraft
    marks: Marks
    summary: str
    content: str
    published: datetime | None
    updated: datetime | None
    files: tuple[Enclosure, ...]


def _said(draft: EntryDraft, frame: Frame) -> _Said:
    base = draft.content_base
    if base != frame.base_url and not web_link(base):
        base = frame.base_url
    updated = read_date(draft.raw_updated, zone=frame.zone)
    raw = draft.raw_published if draft.raw_published else draft.raw_updated
    summary = plain(draft.summary_markup, max_chars=MAX_SUMMARY_CHARS)
    content = draft.content_markup or draft.summary_markup
    content = absolute_links(content if draft.is_legal else legal(content).strip(), base)
    marks = Marks(
        guid=one_line(draft.guid, max_chars=4_000) if draft.guid else None,
        link=web_link(draft.link, frame.base_url),
        raw_date=one_line(raw, max_chars=100) if isinstance(raw, str) and raw.strip() else None,
        title=plain(draft.title_markup, max_chars=MAX_TITLE_CHARS),
        content=content or summary,
    )
    return _Said(
        draft=draft,
        marks=marks,
        summary=summary,
        content=content,
        published=read_date(draft.raw_published, zone=frame.zone) or updated,
        updated=updated,
        files=_enclosures(draft.enclosures, frame.base_url),
    )


def _entry(said: _Said, key: str, rule: str, frame: Frame) -> Entry:
    return Entry(
        key=key,
        key_rule=rule,
        title=said.marks.title,
        link=said.marks.link,
        summary=said.summary,
        content_html=said.content,
        published_at=clamp(_by_its_clock(said.published, frame), now=frame.now),
        updated_at=clamp(_by_its_clock(said.updated, frame), now=frame.now),
        authors=_labels(said.draft.authors),
        categories=_labels(said.draft.categories),
        enclosures=said.files,
        language=language(said.draft.language),
        raw_date=said.marks.raw_date,
        guid=said.marks.guid,
        kind=said.draft.kind,
        starts_at=said.draft.starts_at,
        ends_at=said.draft.ends_at,
        is_withdrawn=said.draft.is_withdrawn,
        ahead_s=max(0, int((said.published - frame.now).total_seconds())) if said.published else 0,
    )


def _by_its_clock(at: datetime | None, frame: Frame) -> datetime | None:
    return at - timedelta(seconds=frame.habits.skew_s) if at and frame.habits.skew_s else at


def _labels(found: Sequence[object]) -> tuple[str, ...]:
    """Names and categories as short plain lines, each once, in order."""
    if not found:
        return ()
    lines = (_label(label) for label in found[:MAX_LABELS] if isinstance(label, str))
    return tuple(dict.fromkeys(line for line in lines if line))


@lru_cache(1024)
def _label(label: str) -> str:
    return plain(label, max_chars=200)


def _enclosures(found: Sequence[tuple[object, object, object]], base_url: str) -> tuple[Enclosure, ...]:
    if not found:
        return ()
    kept: dict[str, Enclosure] = {}
    for raw_url, kind, length in found[:MAX_LABELS]:
        url = web_link(raw_url, base_url)
        if url:
            media_type = one_line(kind, max_chars=100).lower() if isinstance(kind, str) else ""
            kept.setdefault(url, Enclosure(url, media_type or None, _whole_number(length)))
    return tuple(kept.values())


def _whole_number(raw: object) -> int | None:
    """A count of bytes as a number, or None for anything else (zero is what writers put when unknown)."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 15:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < 10**15:
        return None
    return raw
