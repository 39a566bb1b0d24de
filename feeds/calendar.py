"""A calendar (iCalendar, RFC 5545) as entries: each event once, each repetition that is near by its date.

What is cancelled (STATUS, METHOD:CANCEL, EXDATE) comes out as withdrawn; of two versions of one event the
higher SEQUENCE counts. Must never count out a repetition without an end.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice
from typing import cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Component
from icalendar.error import BrokenCalendarProperty

from feeds.draft import MAX_ENTRIES, EntryDraft, FeedDraft, Frame
from feeds.errors import BrokenFeed, NotAFeed
from feeds.text import as_html

AHEAD = timedelta(days=92)
MOST_AHEAD = 12  # repetitions of one event
PAST = timedelta(days=7)
READ_AGAIN = timedelta(days=30)
MAX_STEPS = 100_000
_PERIODS = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_STEPS = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # months
_LINE = re.compile(r"[ \t]|[A-Za-z0-9-]{1,60}(;[^:]{0,1000})?:")


def read(text: str, frame: Frame) -> FeedDraft:
    """The draft of a calendar; NotAFeed for another document, BrokenFeed for one that cannot be read."""
    start = text.upper().find("BEGIN:VCALENDAR")
    if start < 0 or text[:start].strip():
        raise NotAFeed("This is not a calendar (iCalendar).", looks="no-calendar")
    if not text.rstrip("\0 \t\r\n").upper().endswith("END:VCALENDAR"):
        raise BrokenFeed("This calendar ends in the middle.")
    text, mended = _mended(text)
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as exc:
        raise BrokenFeed(f"This calendar cannot be read: {str(exc)[:150]}") from exc
    draft = FeedDraft("iCalendar", title_markup=as_html(_name(calendars)), ttl_s=_ttl_s(calendars))
    if mended:
        draft.report.append(f"{mended} lines that are none joined to the ones before them")
    events = [event for one in calendars for event in _events(one, frame, draft.report)]
    entries = list(_entries(events, frame, draft.report))
    draft.entries = sorted(entries, key=lambda one: _distance(one.starts_at, frame.now))[:MAX_ENTRIES]
    draft.memory = {"read": "yes"}
    if any(event.rule or event.dates for event in events):
        draft.memory["again_after"] = (frame.now + READ_AGAIN).isoformat()
    return draft


def _distance(at: datetime | None, now: datetime) -> tuple[bool, float]:
    """What is to come, the nearest first, then what is over, the latest first: so a cap cuts old history."""
    away_s = ((at or now) - now).total_seconds()
    return away_s < 0, abs(away_s)


def _mended(text: str) -> tuple[str, int]:
    """The text with line ends that were not escaped, the commonest fault, put right; and how many."""
    lines: list[str] = []
    mended = 0
    for line in text.splitlines():
        if not line.strip() or _LINE.match(line):
            lines.append(line)
            continue
        mended += 1
        if lines and not lines[-1].upper().startswith(("BEGIN:", "END:")):
            lines.append(f" \\n{line}")
    return "\r\n".join(lines) + "\r\n", mended


def is_to_be_read_again(memory: dict[str, str], *, now: datetime) -> bool:
    """Whether repetitions that were too far ahead at the last reading have come nearer by a month."""
    after = memory.get("again_after")
    return after is not None and now >= datetime.fromisoformat(after)


@dataclass(frozen=True, slots=True)
class _Event:
    """A VEVENT understood. Times are aware; `instance` is the repetition that it replaces, with all that come
    after it where it says so (`is_onward`; RFC 5545, section 3.2.13)."""

    component: Component
    uid: str
    start: datetime
    end: datetime | None
    sequence: int
    is_cancelled: bool
    rule: str | None
    dates: tuple[datetime, ...]
    left_out: tuple[datetime, ...]
    instance: datetime | None
    is_onward: bool


def _events(calendar: Component, frame: Frame, report: list[str]) -> Iterator[_Event]:
    zone = _zone(calendar, frame.zone)
    is_cancelled = _text(calendar, "METHOD").upper() == "CANCEL"
    unread = 0
    for component in calendar.walk("VEVENT"):
        start = _first(component, "DTSTART")
        if not isinstance(start, date):
            unread += 1
            continue
        yield _event(component, start, zone, is_cancelled=is_cancelled)
    if unread:
        report.append(f"{unread} events without a readable start left out")


def _event(component: Component, start: date, zone: tzinfo, *, is_cancelled: bool) -> _Event:
    instance = _first(component, "RECURRENCE-ID")
    rule = component.get("RRULE")
    at = _moment(start, zone)
    return _Event(
        component=component,
        uid=_text(component, "UID") or f"{_text(component, 'SUMMARY')} {at.isoformat()}",
        start=at,
        end=_end(component, start, at, zone),
        sequence=_number(component, "SEQUENCE"),
        is_cancelled=is_cancelled or _text(component, "STATUS").upper() == "CANCELLED",
        rule=(rule[0] if isinstance(rule, list) else rule).to_ical().decode() if rule else None,
        dates=tuple(_moments(component, "RDATE", zone)),
        left_out=tuple(_moments(component, "EXDATE", zone)),
        instance=_moment(instance, zone) if isinstance(instance, date) else None,
        is_onward=_parameter(component, "RECURRENCE-ID", "RANGE").upper() == "THISANDFUTURE",
    )


def _end(component: Component, start: date, at: datetime, zone: tzinfo) -> datetime | None:
    """When it ends. A day as a whole ends a minute before the next one begins, and one alone has no end."""
    end, length = _first(component, "DTEND"), _first(component, "DURATION")
    if isinstance(length, timedelta) and timedelta() < length < timedelta(days=3_650):
        ends = at + length
    elif isinstance(end, date):
        ends = _moment(end, zone)
    else:
        return None
    if not isinstance(start, datetime):
        return ends - timedelta(minutes=1) if ends - at > timedelta(hours=26) else None
    return ends if ends > at else None


def _entries(events: Iterable[_Event], frame: Frame, report: list[str]) -> Iterator[EntryDraft]:
    """Every event and near repetition once: by its UID, a repetition by its first time too."""
    newest: dict[tuple[str, datetime | None], _Event] = {}
    for event in events:
        held = newest.get((event.uid, event.instance))
        if held is None or event.sequence >= held.sequence:
            newest[event.uid, event.instance] = event
    changes = _changes(newest.values())
    is_first_reading = not frame.habits.memory
    past = 0
    for (uid, instance), event in newest.items():
        if instance is not None and event.start > frame.now - PAST:
            yield _entry(event, f"{uid}#{_stamp(instance)}", event.start, frame)
        elif instance is None and (event.rule or event.dates):
            yield from _repetitions(event, newest, frame, report, changes=changes.get(uid, []))
        elif instance is None and (is_first_reading or (event.end or event.start) > frame.now - PAST):
            yield _entry(event, uid, event.start, frame)
        else:
            past += 1
    if past:
        report.append(f"{past} events that are over left out")


def _repetitions(
    event: _Event, known: dict[tuple[str, datetime | None], _Event], frame: Frame, report: list[str],
    *, changes: Sequence[tuple[datetime, _Event]],
) -> Iterator[EntryDraft]:  # fmt: skip
    """The repetitions that are near, but for those that have an event of their own."""
    try:
        near = sorted({*_by_rule(event, frame.now), *_by_dates(event, frame.now)})
    except (ValueError, OverflowError, TypeError, IndexError):
        report.append("a repetition that cannot be understood: only its first date read")
        near = [event.start]
    left_out = set(event.left_out)
    for at in [at for at in near if at not in left_out][:MOST_AHEAD]:
        if (event.uid, at) not in known:
            change = next((one for since, one in changes if since < at), None)
            when = _moved(at, change) if change else at
            yield _entry(change or event, f"{event.uid}#{_stamp(at)}", when, frame)
    for at in left_out:
        if frame.now < at < frame.now + AHEAD and (event.uid, at) not in known:
            yield _entry(event, f"{event.uid}#{_stamp(at)}", at, frame, is_withdrawn=True)


def _changes(events: Iterable[_Event]) -> dict[str, list[tuple[datetime, _Event]]]:
    """{uid: what holds from one repetition on}, the latest first."""
    found: dict[str, list[tuple[datetime, _Event]]] = {}
    for event in events:
        if event.instance is not None and event.is_onward:
            found.setdefault(event.uid, []).append((event.instance, event))
    return {uid: sorted(ones, key=lambda one: one[0], reverse=True) for uid, ones in found.items()}


def _moved(at: datetime, change: _Event) -> datetime:
    """A later repetition, moved on the clock as the one was with which the change began."""
    zone = change.start.tzinfo or UTC
    was = (change.instance or change.start).astimezone(zone).replace(tzinfo=None)
    shift = change.start.replace(tzinfo=None) - was
    return (at.astimezone(zone).replace(tzinfo=None) + shift).replace(tzinfo=zone)


def _by_rule(event: _Event, now: datetime) -> Iterator[datetime]:
    """Dates by RRULE, counted on the clock of the event's own zone, so that 10 o'clock stays 10 o'clock."""
    if not event.rule:
        yield event.start
        return
    parts = dict(part.split("=", 1) for part in event.rule.upper().split(";") if "=" in part)
    if parts.get("FREQ") not in _PERIODS:
        raise ValueError("repeats too often")
    if not _can_be_met(parts):
        return
    zone = event.start.tzinfo or UTC
    here = now.astimezone(zone).replace(tzinfo=None)
    until, count = parts.pop("UNTIL", None), parts.pop("COUNT", None)
    last = min(_last(until, zone), here + AHEAD) if until else here + AHEAD
    first = event.start.replace(tzinfo=None)
    if count is None:
        first = _nearer(first, here, parts)
    parts["UNTIL"] = f"{last:%Y%m%dT%H%M%S}"  # in any case, so that a rule that is never met ends too
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=first)
    for at in islice(rule, min(int(count), MAX_STEPS) if count else MAX_STEPS):
        if at > here - timedelta(days=1):
            yield at.replace(tzinfo=zone)


def _can_be_met(parts: Mapping[str, str]) -> bool:
    """Whether there are such days at all: a library looks for 30 February until the year 9999."""
    months, days = (
        [int(one) for one in parts.get(name, "").split(",") if one] for name in ("BYMONTH", "BYMONTHDAY")
    )
    if not all(1 <= month <= 12 for month in months) or not all(1 <= abs(day) <= 31 for day in days):
        raise ValueError("no such month or day")
    longest = max((_LONGEST[month - 1] for month in months), default=31)
    return not days or min(abs(day) for day in days) <= longest


def _nearer(first: datetime, now: datetime, parts: Mapping[str, str]) -> datetime:
    """A later first time of the same rhythm, so that years of repetitions are not counted one by one."""
    step = _STEPS.get(parts["FREQ"])
    if step is None:
        return first
    step *= max(1, int(parts.get("INTERVAL", "1")))
    return first + max(0, (now - first) // step - 2) * step


def _last(until: str, zone: tzinfo) -> datetime:
    """UNTIL on the event's clock: a day holds to its end, UTC is brought over (RFC 5545, section 3.3.10)."""
    if "T" not in until:
        return datetime.strptime(until[:8], "%Y%m%d") + timedelta(days=1, seconds=-1)  # noqa: DTZ007
    at = datetime.strptime(until.rstrip("Z")[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if until.endswith("Z") else at


def _by_dates(event: _Event, now: datetime) -> Iterator[datetime]:
    return (at for at in event.dates if now - timedelta(days=1) < at < now + AHEAD)


def _entry(event: _Event, guid: str, at: datetime, frame: Frame, *, is_withdrawn: bool = False) -> EntryDraft:
    component = event.component
    place, words = _text(component, "LOCATION"), _text(component, "DESCRIPTION")
    created = _first(component, "CREATED") if not frame.habits.memory else None
    published = _moment(created, frame.zone) if isinstance(created, date) else None
    if at < frame.now - PAST:
        published = min(published or at, at)
    return EntryDraft(
        guid=guid,
        link=_text(component, "URL"),
        title_markup=as_html(_text(component, "SUMMARY")),
        summary_markup=as_html(" — ".join(part for part in (place, words) if part)),
        content_markup="".join(f"<p>{as_html(part)}</p>" for part in (place, words) if part),
        raw_published=published.isoformat() if published else None,
        categories=list(_categories(component)),
        kind="meeting",
        starts_at=at.astimezone(UTC),
        ends_at=(at + (event.end - event.start)).astimezone(UTC) if event.end else None,
        is_withdrawn=is_withdrawn or event.is_cancelled,
    )


def _categories(component: Component) -> Iterator[str]:
    found = component.get("CATEGORIES")
    for one in found if isinstance(found, list) else [found]:
        yield from (str(name) for name in cast(Iterable[object], _part(one, "cats") or ()))


def _moment(at: date, zone: tzinfo) -> datetime:
    """A day is its midnight; a time without a zone is the calendar's own."""
    if not isinstance(at, datetime):
        return datetime(at.year, at.month, at.day, tzinfo=zone)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _moments(component: Component, name: str, zone: tzinfo) -> Iterator[datetime]:
    found = component.get(name)
    for one in found if isinstance(found, list) else [found]:
        for item in cast(Iterable[object], _part(one, "dts") or ()):
            at = _part(item, "dt")
            at = at[0] if isinstance(at, tuple) else at
            if isinstance(at, date):
                yield _moment(at, zone)


def _zone(calendar: Component, default: tzinfo) -> tzinfo:
    try:
        name = _text(calendar, "X-WR-TIMEZONE")
        return ZoneInfo(name) if name else default
    except (ValueError, KeyError, OSError):
        return default


def _first(component: Component, name: str) -> object:
    """The value of a property; of one written twice the first."""
    found = component.get(name)
    return _part(found[0] if isinstance(found, list) and found else found, "dt")


def _part(value: object, name: str) -> object:
    """What the library made of a property; None where it could make nothing of it."""
    try:
        return getattr(value, name, None)
    except BrokenCalendarProperty:
        return None


def _text(component: Component, name: str) -> str:
    found = component.get(name)
    found = found[0] if isinstance(found, list) and found else found
    return str(found).strip() if found is not None else ""


def _parameter(component: Component, name: str, parameter: str) -> str:
    found = component.get(name)
    found = found[0] if isinstance(found, list) and found else found
    return str(getattr(found, "params", {}).get(parameter, ""))


def _number(component: Component, name: str) -> int:
    raw = _text(component, name)
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0


def _name(calendars: Iterable[Component]) -> str:
    found = (_text(one, name) for one in calendars for name in ("X-WR-CALNAME", "NAME"))
    return next((name for name in found if name), "")


def _ttl_s(calendars: Iterable[Component]) -> int | None:
    for one in calendars:
        length = _first(one, "REFRESH-INTERVAL")
        if isinstance(length, timedelta):
            return int(length.total_seconds())
    return None


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
