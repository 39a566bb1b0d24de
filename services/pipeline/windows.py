"""The rules of a digest's window: when it closes and what it holds. No database here."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from services.domain import cadence, reach
from services.storage.issues import ToldEvent, Waiting, Window


def closes_at(window: Window, now: datetime) -> datetime:
    """The newest time that this rhythm fell due: after a downtime, all missed windows end in one."""
    if window.is_catchup:
        return window.due_at
    return latest_close(window.cadence, window.timezone, window.due_at, now)


def latest_close(rhythm: str, timezone: str, due_at: datetime, now: datetime) -> datetime:
    """The newest time, from `due_at` on, that this cadence fell due."""
    rule, zone = cadence.parse(rhythm), ZoneInfo(timezone)
    last = due_at
    while (following := cadence.next_after(rule, last, zone)) <= now:
        last = following
    return last


def move_on(window: Window, now: datetime, held_until: datetime | None) -> tuple[int, datetime, datetime]:
    """(rhythm id, where the next window begins, when it is due).

    One that may not close in quiet hours closes when they end. In a pause or past the day's budget it takes
    its next turn: what waited in a pause has gone over to the catch-up.
    """
    if window.is_catchup:
        due = held_until or reach.next_day(window.reach, now)
        return window.rhythm_id, window.since if held_until else now, due
    rule, zone = cadence.parse(window.cadence), ZoneInfo(window.timezone)
    turn = cadence.next_after(rule, now, zone)
    if held_until is None or is_paused(window, now):
        return window.rhythm_id, closes_at(window, now) if window.is_active else window.since, turn
    return window.rhythm_id, window.since, min(held_until, turn)


def is_paused(window: Window, now: datetime) -> bool:
    until = window.reach.paused_until
    return until is not None and until > now


def newest_of_each_story(
    kept: Iterable[Waiting], events: Mapping[int, ToldEvent]
) -> tuple[list[list[Waiting]], dict[int, str]]:
    """One group of candidates for each story, by its newest event; the others {id: reason}.

    A withdrawal wins over everything that its notice said before.
    """
    groups: dict[int, dict[int, list[Waiting]]] = {}
    for one in kept:
        story = groups.setdefault(events[one.event_id].story_id, {})
        story.setdefault(one.event_id, []).append(one)
    chosen, repeated = [], {}
    for by_event in groups.values():
        newest = max(by_event)
        chosen.append(by_event.pop(newest))
        repeated.update(
            {w.candidate_id: "told_by_a_newer_event" for group in by_event.values() for w in group}
        )
    return chosen, repeated
