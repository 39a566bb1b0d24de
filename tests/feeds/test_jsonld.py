"""What a page says of itself for machines becomes meetings and news."""

import json
from datetime import UTC, datetime

import pytest

from feeds.errors import BrokenFeed, NotAFeed
from feeds.types import Door, Feed, Habits
from tests.feeds.bodies import read

EVENT = {
    "@context": "https://schema.org", "@type": "BusinessEvent", "name": "Giełda kooperacyjna",
    "startDate": "2026-12-01T10:00", "endDate": "2026-12-01T12:00:00+01:00", "url": "/gielda",
    "location": {"name": "Hala", "address": {"streetAddress": "Rynek 1", "addressLocality": "Toruń"}},
    "description": "Spotkanie firm",
}  # fmt: skip
NEWS = {
    "@type": ["NewsArticle"], "headline": "Nowe laboratorium", "mainEntityOfPage": {"@id": "https://umk.example/lab"},
    "datePublished": "2026-11-20T08:00:00Z", "author": [{"name": "Redakcja"}], "keywords": "nauka, zdrowie",
}  # fmt: skip


def page(*things: object) -> Feed:
    blocks = "".join(f'<script type="application/ld+json">{json.dumps(one)}</script>' for one in things)
    return read(
        f"<!doctype html><html><title>UMK</title>{blocks}</html>".encode(), habits=Habits(door=Door.JSONLD)
    )


def test_an_event_has_its_times_and_its_place() -> None:
    [entry] = page(EVENT).entries
    assert (entry.title, entry.kind, entry.link) == (
        "Giełda kooperacyjna",
        "meeting",
        "https://miasto.example/gielda",
    )
    assert entry.starts_at == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert entry.ends_at == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert entry.summary == "Hala, Rynek 1, Toruń — Spotkanie firm"


def test_news_are_found_in_graphs_and_lists() -> None:
    feed = page(
        {"@graph": [{"@type": "WebSite", "name": "x"}, NEWS]},
        {"@type": "ItemList", "itemListElement": [{"item": EVENT}]},
    )
    news = feed.entries[0]
    assert [entry.kind for entry in feed.entries] == ["news", "meeting"]
    assert (news.title, news.link, news.authors) == (
        "Nowe laboratorium",
        "https://umk.example/lab",
        ("Redakcja",),
    )
    assert news.categories == ("nauka", "zdrowie")


def test_a_cancelled_event_is_taken_back_under_the_same_name() -> None:
    off = EVENT | {"eventStatus": "https://schema.org/EventCancelled"}
    assert page(off).entries[0].is_withdrawn
    assert page(off).entries[0].key == page(EVENT).entries[0].key


def test_dates_of_a_series_on_one_page_are_events_of_their_own() -> None:
    assert len(page(EVENT, EVENT | {"startDate": "2026-12-08T10:00"}).entries) == 2


@pytest.mark.parametrize(
    "wrong", [{"name": 7}, {"startDate": ["x"]}, {"location": 3}, {"url": {}}, {"@type": None}]
)
def test_a_wrong_field_loses_itself_and_harms_nothing_else(wrong: dict[str, object]) -> None:
    assert [e.title for e in page(EVENT | wrong, NEWS).entries][-1] == "Nowe laboratorium"


def test_line_ends_inside_a_text_are_forgiven() -> None:
    thing = b'{"@type":"NewsArticle","headline":"A\nB","url":"/a"}'
    body = b'<html><script type="application/ld+json">' + thing + b"</script>"
    assert read(body, habits=Habits(door=Door.JSONLD)).entries[0].title == "A B"


def test_a_page_without_any_is_told_apart_from_one_that_is_broken() -> None:
    with pytest.raises(NotAFeed):
        page()
    with pytest.raises(BrokenFeed):
        read(b'<html><script type="application/ld+json">{</script>', habits=Habits(door=Door.JSONLD))
