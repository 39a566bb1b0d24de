"""What one answer of a source means: entries become drafts, and the source learns when to be asked again."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from feeds import discover, doors, politeness
from feeds import errors as feed_errors
from feeds.fetch import (
    Failed,
    Fresh,
    Gone,
    Moved,
    Unchanged,
    Validators,
    fingerprint,
    read_answer,
)
from feeds.politeness import Move, Wishes
from feeds.pool import ParserPool
from feeds.types import Door, Entry, Feed, Habits, Ladder
from services.domain import labels, seal
from services.domain.drafts import MAX_SUMMARY, Draft, plain, text_of
from services.domain.quarantine import learned_skew_s
from services.http import Answer, Failure, Response
from services.pipeline import accept, quarantine, renames, rests
from services.pipeline.accept import Accepted
from services.pipeline.quarantine import Sieved
from services.runtime import Runtime
from services.storage.polling import SourceDue, Visit
from services.storage.source_hubs import Named

Columns = dict[str, Any]
MAX_KEY = 1_000  # bytes


@dataclass(frozen=True, slots=True)
class Redirect:
    location: str
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The last answer of a source, with the redirects that led to it; without one, robots.txt said no."""

    source: SourceDue
    url: str
    answer: Answer | None
    redirects: tuple[Redirect, ...]
    at: datetime
    too_many: bool = False
    is_ours: bool = False

    @property
    def status(self) -> int | None:
        return self.answer.status if isinstance(self.answer, Response) else None


def conclude(rt: Runtime, reading: Reading, parsers: ParserPool) -> Visit:
    """Read the answer, hand its entries to accept, and say what is to be stored of the visit."""
    now = rt.clock.now()
    source, answer = reading.source, reading.answer
    if reading.too_many:
        return _failed(reading, now, Wishes(), "too many redirects")
    if answer is None:
        error = "robots.txt of this site asks us not to read this address"
        return _failed(reading, now, Wishes(retry_after_s=86_400), error)
    if reading.is_ours:
        return _outage(reading, now)
    if isinstance(answer, Failure):
        return _failed(
            reading, now, Wishes(), f"{answer.kind.value.replace('_', ' ')}: {answer.detail}"[:300]
        )
    held = None
    if source.validators_url:
        held = Validators(source.validators_url, source.etag, source.last_modified)
    told = read_answer(answer.status, answer.headers, url=reading.url, now=now, held=held)
    match told:
        case Fresh():
            return _fresh(rt, reading, told, answer.body, parsers, now)
        case Unchanged(validators=kept):
            return _unchanged(reading, kept, told.wishes, now)
        case Gone():
            columns: Columns = {"state": "stopped", "stopped_because": "the publisher says it is gone (410)"}
            return _visit(reading, "gone", columns | {"last_error": "gone (410)"}, detail="gone (410)")
        case Moved():
            return _failed(reading, now, Wishes(), "too many redirects")
        case Failed():
            visit = _failed(
                reading, now, told.wishes, f"{told.reason.value.replace('_', ' ')} ({told.status})"
            )
            return replace(visit, rest=rests.asked_for(rt, told, answer, reading.url, now=now))


def _fresh(
    rt: Runtime, reading: Reading, told: Fresh, body: bytes, parsers: ParserPool, now: datetime
) -> Visit:
    source = reading.source
    habits = habits_of(source)
    digest = bytes.fromhex(fingerprint(body))
    if digest == source.body_hash and doors.is_conditional(habits, now=now):
        return _unchanged(reading, told.validators, told.wishes, now)

    try:
        feed, sieved, done = take_in(
            rt, source, body, content_type=told.content_type, url=reading.url, parsers=parsers, now=now
        )
    except feed_errors.FeedError as exc:
        return _failed(reading, now, told.wishes, exc.message)
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    columns: Columns = {
        "body_hash": digest,
        "ladder": feed.ladder.value,
        "memory": feed.memory,
        "alarm": feed.alarm,
        "skew_s": source.skew_s or learned_skew_s([entry.ahead_s for entry in feed.entries]),
        "first_read_at": source.first_read_at or now,
        "title": plain(feed.title, limit=200) or None,
        "asked_s": min(politeness.asked_s(replace(told.wishes, ttl_s=feed.ttl_s)), 86_400),
        "due_at": _next_check(
            source, now, told.wishes, dates, ttl_s=feed.ttl_s, is_told=not (published(done) or revised(done))
        ),
        **_validator_columns(told.validators),
        **_well(),
    }
    if dates:
        columns["last_entry_at"] = max(dates)
    if feed.has_more:
        columns["due_at"] = now
    if feed.expired:
        columns |= {"state": "stopped", "stopped_because": "the feed says that it has ended (expired)"}
    visit = _visit(
        reading, "fresh", columns, size=len(body), published=published(done), revised=revised(done),
        detail="; ".join([*_held(sieved), *feed.report])[:500] or None,
    )  # fmt: skip
    return replace(visit, hub=_hub_named(rt, reading, feed, done))


def take_in(
    rt: Runtime, source: SourceDue, body: bytes, *, content_type: str | None, url: str, parsers: ParserPool,
    now: datetime,
) -> tuple[Feed, Sieved, list[Accepted]]:  # fmt: skip
    """Read a body as its source's, hold what must be held, hand on the rest. Raises FeedError."""
    habits = habits_of(source)

    def read(ladder: Ladder) -> Feed:
        return parsers.parse_safely(
            body,
            content_type=content_type,
            base_url=url,
            now=now,
            zone=ZoneInfo(source.zone),
            habits=replace(habits, ladder=ladder),
        )

    feed = read(habits.ladder)
    if habits.door is Door.FEED:
        feed = renames.settled(rt, source.source_id, feed, read)
    live = [entry for entry in feed.entries if not entry.is_withdrawn]
    sieved = Sieved([draft_of(entry, feed) for entry in live])
    if habits.door is not Door.OAI:  # a harvest brings what has changed, and never the whole
        sieved = quarantine.sieve(rt, source, live, sieved.drafts)
    return feed, sieved, _accepted(rt, source, habits, feed, sieved, now)


def published(done: Sequence[Accepted]) -> int:
    return sum(one.outcome is accept.Outcome.PUBLISHED for one in done)


def revised(done: Sequence[Accepted]) -> int:
    return sum(one.outcome is accept.Outcome.REVISED for one in done)


def _may_listen(rt: Runtime) -> bool:
    """A hub is not asked to call us where nobody outside can."""
    return rt.settings.websub and urlsplit(rt.settings.base_url).hostname != "localhost"


def _hub_named(rt: Runtime, reading: Reading, feed: Feed, done: Sequence[Accepted]) -> Named | None:
    """The hub that a feed names (WebSub, section 4): its Link headers before the document itself."""
    if not _may_listen(rt) or Door(reading.source.kind) is not Door.FEED:
        return None
    headers = reading.answer.headers if isinstance(reading.answer, Response) else ()
    hub, topic = discover.hub_and_self(headers, reading.url)
    hub, topic = hub or feed.hub_url, topic or feed.self_url or reading.url
    has_news = bool(published(done) or revised(done))
    secret = seal.seal(rt.settings.secret_key, secrets.token_urlsafe(32)) if hub else ""
    return Named(hub, topic if hub else None, secret, has_news, reading.source.last_checked_at)


def habits_of(source: SourceDue) -> Habits:
    """What has been learned about a source, and what its editor said of it."""
    return Habits(
        Ladder(source.ladder),
        source.encoding,
        door=Door(source.kind),
        rules=dict(source.rules),
        memory=dict(source.memory),
        skew_s=source.skew_s,
    )


def _accepted(
    rt: Runtime, source: SourceDue, habits: Habits, feed: Feed, sieved: Sieved, now: datetime
) -> list[Accepted]:
    """What became of the entries that are not held; those that their publisher took back are withdrawn."""
    is_first = source.first_read_at is None
    if habits.door is Door.OAI:  # a first harvest has many pages, and is the first reading to its end
        is_first = "from" not in habits.memory
    since = accept.tell_since(None if is_first else source.first_read_at, now)
    live = sieved.drafts
    undated: list[Draft] = []
    if is_first and habits.door is Door.PAGE:  # how old a list is that shows no dates, nobody knows
        undated = [draft for draft in live if draft.published_at is None]
        live = [draft for draft in live if draft.published_at is not None]
    done = accept.accept(rt, source.source_id, live, tell_since=since)
    if undated:
        quiet = now + timedelta(seconds=1)
        done += accept.accept(rt, source.source_id, undated, tell_since=quiet)
    taken_back = [_short(entry.key) for entry in feed.entries if entry.is_withdrawn]
    if taken_back:
        accept.withdraw(rt, source.source_id, taken_back)
    return done


def _held(sieved: Sieved) -> list[str]:
    if sieved.reason is None and not sieved.waiting:
        return []
    return [f"{sieved.waiting} held back" + (f" ({sieved.reason})" if sieved.reason else "")]


def _unchanged(reading: Reading, kept: Validators | None, wishes: Wishes, now: datetime) -> Visit:
    """What the last whole answer asked for holds on: a 304 repeats no `ttl`, and often no header either."""
    due_at = _next_check(
        reading.source, now, wishes, reading.source.recent, ttl_s=reading.source.asked_s or None
    )
    columns = {"due_at": due_at, **_validator_columns(kept), **_well()}
    return _visit(reading, "unchanged", columns)


def _failed(reading: Reading, now: datetime, wishes: Wishes, error: str) -> Visit:
    source = reading.source
    due_at = politeness.next_check(
        now=now, source_id=source.source_id, failures=source.errors + 1, wishes=wishes
    )
    columns = {"due_at": due_at, "errors": source.errors + 1, "last_error": error}
    return _visit(reading, "error", columns, detail=error)


def _outage(reading: Reading, now: datetime) -> Visit:
    """Our own line was dead: the source keeps its record, and is asked again before long."""
    due_at = politeness.after_outage(now=now, source_id=reading.source.source_id)
    return _visit(reading, "error", {"due_at": due_at}, detail="our own line: most sites were silent at once")


def _visit(
    reading: Reading, outcome: str, columns: Mapping[str, Any], *, size: int = 0, published: int = 0,
    revised: int = 0, detail: str | None = None,
) -> Visit:  # fmt: skip
    return Visit(
        source_id=reading.source.source_id,
        outcome=outcome,
        status=reading.status,
        took_ms=round(reading.answer.phases.total_ms) if reading.answer and reading.answer.phases else 0,
        size=size,
        published=published,
        revised=revised,
        detail=detail,
        columns={
            **columns,
            **(_move_columns(reading) if outcome in ("fresh", "unchanged") else {}),
            "dialled": (reading.answer.address if reading.answer else None) or reading.source.dialled,
        },
    )


def _next_check(
    source: SourceDue, now: datetime, wishes: Wishes, dates: Sequence[datetime], *, ttl_s: int | None,
    is_told: bool = True,
) -> datetime:  # fmt: skip
    """Once a day where its hub tells us of everything, as far as it can be trusted with that."""
    asked = Wishes(wishes.max_age_s, wishes.expires_s, ttl_s, wishes.retry_after_s)
    return politeness.next_check(
        now=now, source_id=source.source_id, entry_dates=dates, wishes=asked,
        is_told=source.is_told and is_told,
    )  # fmt: skip


def _well() -> Columns:
    return {"errors": 0, "last_error": None}


def _validator_columns(kept: Validators | None) -> Columns:
    if kept is None:
        return {"validators_url": None, "etag": None, "last_modified": None}
    return {"validators_url": kept.url, "etag": kept.etag, "last_modified": kept.last_modified}


def _move_columns(reading: Reading) -> Columns:
    """Count a permanent redirect; ten identical ones over a week replace the address."""
    source = reading.source
    permanent = reading.redirects and all(one.is_permanent for one in reading.redirects)
    if not permanent:
        return {"moved_to": None, "moved_times": 0, "moved_since": None}
    now = reading.at
    known = (
        Move(source.moved_to, source.moved_times, source.moved_since)
        if source.moved_to and source.moved_since
        else None
    )
    move = politeness.note_move(known, reading.redirects[-1].location, now=now)
    if politeness.is_settled(move, now=now):
        return {"address": move.location, "moved_to": None, "moved_times": 0, "moved_since": None}
    return {"moved_to": move.location, "moved_times": move.sightings, "moved_since": move.first_seen}


def draft_of(entry: Entry, feed: Feed) -> Draft:
    """An entry as a notice; categories that name a kind, a topic or an audience say so in our words."""
    words = labels.read(entry.categories)
    summary = plain(entry.summary, limit=MAX_SUMMARY) or text_of(entry.content_html)
    return Draft(
        key=_short(entry.key),
        title=entry.title or plain(summary, limit=120) or entry.link or entry.key,
        kind=words.kind or entry.kind or "news",
        summary=plain(summary, limit=MAX_SUMMARY),
        body_html=entry.content_html,
        url=entry.link,
        language=(entry.language or feed.language or "").partition("-")[0].lower()[:3] or None,
        topics=words.topics,
        places=words.places,
        audience=words.audience,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        published_at=entry.published_at,
    )


def _short(key: str) -> str:
    """An entry's key, or a digest of one that is too long to be looked up by."""
    raw = key.encode("utf-8", "replace")
    return key if len(raw) <= MAX_KEY else f"sha256:{hashlib.sha256(raw).hexdigest()}"
