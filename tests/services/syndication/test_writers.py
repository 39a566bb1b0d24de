"""Feeds and calendars, read again by readers that we did not write them with."""

import json
from datetime import UTC, datetime
from typing import Any

import feedparser  # type: ignore[import-untyped]
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds import parse
from feeds.types import Entry
from services.syndication.calendar import ics
from services.syndication.channel import Channel, etag_of, is_same, item_of
from services.syndication.jsonfeed import json_feed
from services.syndication.xml import atom, rss

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BASE = "https://goniec.example"


def notice(**given: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "key": "a",
        "revision": 1,
        "kind": "call",
        "title": "Nabór na bony & granty ]]>",
        "summary": "Wnioski do 15 stycznia; <script>alert(1)</script>",
        "url": "https://um.example/nabor?a=1&b=2",
        "language": "pl",
        "topics": ["funding"],
        "places": [],
        "audience": [],
        "institution": {"slug": "um", "name": "Urząd & Marszałek"},
        "source": 1,
        "story": 1,
        "published_at": "2026-11-20T10:00:00Z",
        "fetched_at": "2026-11-21T10:00:00Z",
        "deadline_at": None,
        "starts_at": None,
        "ends_at": None,
        "commercial": False,
        "withdrawn_at": None,
        **given,
    }


def channel(*notices: dict[str, Any]) -> Channel:
    return Channel(
        "Goniec: topic:funding <30d",
        f"{BASE}/feeds/notices.rss?q=topic%3Afunding",
        f"{BASE}/?q=topic%3Afunding",
        tuple(item_of(one, BASE) for one in notices),
    )


@pytest.mark.parametrize(
    ("write", "media_type"),
    [(rss, "application/rss+xml"), (atom, "application/atom+xml"), (json_feed, "application/feed+json")],
)
def test_our_own_reader_gets_back_what_was_written(write: Any, media_type: str) -> None:
    def read(one: dict[str, Any]) -> Entry:
        body = write(channel(one))
        return parse.parse(body, content_type=media_type, base_url=f"{BASE}/feeds/n", now=NOW).entries[0]

    entry = read(notice())
    assert entry.title == "Nabór na bony & granty ]]>"
    assert entry.link == "https://um.example/nabor?a=1&b=2"
    assert entry.key == read(notice(title="Inny tytuł")).key
    assert entry.published_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("write", [rss, atom])
def test_feedparser_finds_no_fault(write: Any) -> None:
    found = feedparser.parse(write(channel(notice(), notice(id=8, url=None))))
    assert not found.bozo
    assert [one.link for one in found.entries] == [
        "https://um.example/nabor?a=1&b=2",
        f"{BASE}/notices/8",
    ]
    assert found.entries[0].id == f"{BASE}/notices/7"
    detail = found.entries[0].summary_detail
    assert detail.type == "text/plain" or "<script>" not in detail.value


def test_an_empty_feed_is_a_feed() -> None:
    assert feedparser.parse(atom(channel())).feed.title == "Goniec: topic:funding <30d"
    assert not feedparser.parse(rss(channel())).bozo
    assert json.loads(json_feed(channel()))["items"] == []
    assert icalendar.Calendar.from_ical(ics(channel())).subcomponents == []


def test_a_meeting_and_a_deadline_stand_in_the_calendar() -> None:
    meeting = notice(
        starts_at="2026-12-01T09:00:00Z", ends_at="2026-12-01T11:00:00Z", title="Spotkanie, obrady; wnioski"
    )
    call = notice(id=8, deadline_at="2027-01-15T14:30:00Z")
    calendar = icalendar.Calendar.from_ical(ics(channel(meeting, call, notice(id=9))))
    first, second = calendar.walk("VEVENT")
    assert str(first["summary"]) == "Spotkanie, obrady; wnioski"
    assert first.decoded("dtstart") == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert first.decoded("dtend") == datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
    assert second.decoded("dtend") == datetime(2027, 1, 15, 14, 30, tzinfo=UTC)
    assert first["uid"] != second["uid"]


def test_a_meeting_that_ends_before_it_begins_has_no_end() -> None:
    wrong = notice(starts_at="2026-12-01T09:00:00Z", ends_at="2026-12-01T08:00:00Z")
    (event,) = icalendar.Calendar.from_ical(ics(channel(wrong))).walk("VEVENT")
    assert "dtend" not in event


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_told(title: str, summary: str) -> None:
    told = channel(notice(title=title, summary=summary, deadline_at="2027-01-15T14:30:00Z"))
    etree.fromstring(rss(told))
    etree.fromstring(atom(told))
    json.loads(json_feed(told))
    assert len(icalendar.Calendar.from_ical(ics(told)).walk("VEVENT")) == 1


def test_an_etag_is_known_again_in_every_spelling() -> None:
    tag = etag_of(b"x")
    assert is_same(tag, tag)
    assert is_same(f'"other", W/{tag}', tag)
    assert is_same("*", tag)
    assert not is_same('"other"', tag)
    assert not is_same(None, tag)
