"""A calendar is read as its organiser means it: repetitions, changes, cancellations."""

from datetime import UTC, datetime, timedelta

import pytest

from feeds.calendar import MOST_AHEAD, is_to_be_read_again
from feeds.errors import BrokenFeed, NotAFeed
from feeds.types import Door, Entry, Feed, Habits
from tests.feeds.bodies import NOW, read

WARSAW = "DTSTART;TZID=Europe/Warsaw"


def event(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def calendar(*events: str, head: tuple[str, ...] = ()) -> Feed:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", *head, *events, "END:VCALENDAR", "")
    return read("\r\n".join(lines).encode(), habits=Habits(door=Door.CALENDAR))


def starts(feed: Feed, *, withdrawn: bool = False) -> list[str]:
    chosen = [entry for entry in feed.entries if entry.is_withdrawn is withdrawn]
    return [f"{entry.starts_at:%m-%d %H:%M}" for entry in chosen]


def only(feed: Feed) -> Entry:
    [entry] = feed.entries
    return entry


def test_an_event_is_a_meeting_with_its_times_and_place() -> None:
    entry = only(
        calendar(
            event(
                "UID:1", f"{WARSAW}:20261201T100000", "DURATION:PT90M", "SUMMARY:Dzień otwarty\\, rekrutacja",
                "LOCATION:Toruń", "URL:https://umk.example/1", "CATEGORIES:nauka,spotkanie",
            ),
            head=("X-WR-CALNAME:Kalendarz UMK",),
        )
    )  # fmt: skip
    assert (entry.title, entry.kind, entry.link) == (
        "Dzień otwarty, rekrutacja",
        "meeting",
        "https://umk.example/1",
    )
    assert entry.starts_at == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert entry.ends_at == datetime(2026, 12, 1, 10, 30, tzinfo=UTC)
    assert entry.summary == "Toruń"
    assert entry.categories == ("nauka", "spotkanie")


def test_a_repetition_keeps_its_hour_through_a_change_of_clocks() -> None:
    feed = calendar(
        event("UID:1", f"{WARSAW}:20261010T100000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1", "SUMMARY:A")
    )
    assert starts(feed) == ["12-01 09:00", "01-01 09:00", "02-01 09:00"]


def test_an_endless_repetition_is_read_as_far_as_is_near_and_once_more_later() -> None:
    feed = calendar(event("UID:1", f"{WARSAW}:20200101T100000", "RRULE:FREQ=DAILY", "SUMMARY:A"))
    assert len(feed.entries) == MOST_AHEAD
    assert len({entry.key for entry in feed.entries}) == MOST_AHEAD
    assert not is_to_be_read_again(feed.memory, now=NOW)
    assert is_to_be_read_again(feed.memory, now=NOW + timedelta(days=31))


def test_a_date_left_out_is_taken_back() -> None:
    feed = calendar(
        event(
            "UID:1", f"{WARSAW}:20261201T100000", "RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:A",
            "EXDATE;TZID=Europe/Warsaw:20261208T100000",
        )
    )  # fmt: skip
    assert starts(feed) == ["12-01 09:00", "12-15 09:00", "12-22 09:00"]
    assert starts(feed, withdrawn=True) == ["12-08 09:00"]


def test_one_repetition_may_move_and_another_be_cancelled() -> None:
    master = event("UID:1", f"{WARSAW}:20261201T100000", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:A")
    moved = event(
        "UID:1", "RECURRENCE-ID;TZID=Europe/Warsaw:20261208T100000", f"{WARSAW}:20261209T120000", "SUMMARY:A"
    )
    off = event(
        "UID:1",
        "RECURRENCE-ID:20261215T090000Z",
        f"{WARSAW}:20261215T100000",
        "STATUS:CANCELLED",
        "SUMMARY:A",
    )
    plain, changed = calendar(master), calendar(master, moved, off)
    assert starts(changed) == ["12-01 09:00", "12-09 11:00"]
    assert starts(changed, withdrawn=True) == ["12-15 09:00"]
    assert {entry.key for entry in changed.entries} == {entry.key for entry in plain.entries}


def test_until_is_brought_over_to_the_clock_of_the_event() -> None:
    rule = "RRULE:FREQ=DAILY;UNTIL=20261203T090000Z"
    assert len(calendar(event("UID:1", f"{WARSAW}:20261201T100000", rule, "SUMMARY:A")).entries) == 3


def test_of_two_versions_the_higher_sequence_counts() -> None:
    feed = calendar(
        event("UID:1", f"{WARSAW}:20261202T100000", "SEQUENCE:2", "SUMMARY:New"),
        event("UID:1", f"{WARSAW}:20261201T100000", "SEQUENCE:1", "SUMMARY:Old"),
    )
    assert only(feed).title == "New"


@pytest.mark.parametrize("said", ["STATUS:CANCELLED", "METHOD:CANCEL"])
def test_a_cancelled_event_is_taken_back(said: str) -> None:
    lines = [f"{WARSAW}:20261201T100000", "UID:1", "SUMMARY:A"]
    is_method = said.startswith("METHOD")
    feed = calendar(event(*lines, *(() if is_method else (said,))), head=(said,) if is_method else ())
    assert only(feed).is_withdrawn


def test_a_day_as_a_whole_has_no_hour_of_its_end() -> None:
    one = only(
        calendar(event("UID:1", "DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202", "SUMMARY:A"))
    )
    assert (one.starts_at, one.ends_at) == (datetime(2026, 11, 30, 23, tzinfo=UTC), None)
    two = only(
        calendar(event("UID:1", "DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203", "SUMMARY:A"))
    )
    assert two.ends_at == datetime(2026, 12, 2, 22, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=SOMETIMES", "FREQ=DAILY;BYMONTH=99", "FREQ=DAILY;UNTIL=x"]
)
def test_a_repetition_that_makes_no_sense_costs_the_repetition_alone(rule: str) -> None:
    feed = calendar(
        event("UID:1", f"{WARSAW}:20261201T100000", f"RRULE:{rule}", "SUMMARY:A"),
        event("UID:2", f"{WARSAW}:20261202T100000", "SUMMARY:B"),
    )
    assert {entry.title for entry in feed.entries} >= {"B"}


def test_an_event_without_a_readable_start_is_left_out_and_told() -> None:
    feed = calendar(event("UID:1", "DTSTART:whenever", "SUMMARY:A"), event("UID:2", "SUMMARY:B"))
    assert feed.entries == ()
    assert any("2 events without a readable start" in line for line in feed.report)


def test_what_is_to_come_stands_before_what_is_over() -> None:
    days = ("20261101", "20261224", "20201201", "20261201")
    feed = calendar(*(event(f"UID:{day}", f"{WARSAW}:{day}T100000", "SUMMARY:A") for day in days))
    assert starts(feed) == ["12-01 09:00", "12-24 09:00", "11-01 09:00", "12-01 09:00"]


def test_another_document_is_no_calendar() -> None:
    with pytest.raises(NotAFeed):
        read(b"<html></html>", habits=Habits(door=Door.CALENDAR))
    with pytest.raises(BrokenFeed):
        read(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", habits=Habits(door=Door.CALENDAR))


def test_a_line_end_that_was_not_escaped_costs_nothing() -> None:
    feed = calendar(
        event("UID:1", f"{WARSAW}:20261201T100000", "DESCRIPTION:Plan", "dnia i jego cel", "SUMMARY:A")
    )
    assert only(feed).summary == "Plan dnia i jego cel"
    assert any("1 lines" in line for line in feed.report)


def test_a_rule_that_is_never_met_ends() -> None:
    rule = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"
    assert calendar(event("UID:1", "DTSTART:20200101T100000Z", rule, "SUMMARY:A")).entries == ()


def test_a_rhythm_of_years_is_met_in_step() -> None:
    rule = "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"
    feed = calendar(event("UID:1", "DTSTART:20180102T100000Z", rule, "SUMMARY:A"))
    assert starts(feed)[:4] == ["11-26 10:00", "12-08 10:00", "12-10 10:00", "12-22 10:00"]


WEEKLY = ("UID:1", f"{WARSAW}:20261105T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=7", "SUMMARY:Klub")


def onward(day: str, *lines: str) -> str:
    return event("UID:1", f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Warsaw:{day}T100000", *lines)


def test_a_change_of_one_repetition_and_all_after_it_holds_for_all_after_it() -> None:
    """RFC 5545, section 3.2.13: those after it move as it moved, and last as long."""
    moved = onward("20261203", f"{WARSAW}:20261204T120000", "DURATION:PT2H", "SUMMARY:Klub w piątki")
    feed = calendar(event(*WEEKLY), moved)
    told = {f"{entry.starts_at:%m-%d %H:%M}": entry for entry in feed.entries}
    assert sorted(told) == ["11-26 09:00", "12-04 11:00", "12-11 11:00", "12-18 11:00"]
    assert [told[at].title for at in sorted(told)] == ["Klub", *["Klub w piątki"] * 3]
    last = told["12-18 11:00"]
    assert last.starts_at is not None
    assert last.ends_at is not None
    assert last.ends_at - last.starts_at == timedelta(hours=2)
    before = {entry.guid for entry in calendar(event(*WEEKLY)).entries}
    assert {entry.guid for entry in feed.entries} == before  # the same meetings, revised


def test_the_latest_change_counts_and_one_repetition_may_differ_from_it() -> None:
    feed = calendar(
        event(*WEEKLY),
        onward("20261126", f"{WARSAW}:20261126T110000", "SUMMARY:B"),
        onward("20261210", "STATUS:CANCELLED", f"{WARSAW}:20261210T100000", "SUMMARY:C"),
        event(
            "UID:1",
            "RECURRENCE-ID;TZID=Europe/Warsaw:20261203T100000",
            f"{WARSAW}:20261203T150000",
            "SUMMARY:D",
        ),
    )
    assert starts(feed) == ["11-26 10:00", "12-03 14:00"]
    assert starts(feed, withdrawn=True) == ["12-10 09:00", "12-17 09:00"]


def test_a_change_keeps_its_hour_through_a_change_of_clocks() -> None:
    feed = calendar(
        event("UID:1", f"{WARSAW}:20261001T100000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1", "SUMMARY:A"),
        onward("20261001", f"{WARSAW}:20261001T120000", "SUMMARY:A"),
    )
    assert starts(feed) == ["12-01 11:00", "01-01 11:00", "02-01 11:00"]
