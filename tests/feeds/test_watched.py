"""A page is watched by CSS rules, and says so when a rule finds nothing."""

import pytest

from feeds import watched
from feeds.errors import BrokenFeed
from feeds.types import Door, Feed, Habits
from tests.feeds.bodies import read

PAGE = """<!doctype html><html lang="pl"><head><title>Rejestr zmian</title><base href="/bip/"></head><body>
<ul class="news"><li><a href="a">Przetarg A</a> <time datetime="2026-11-20">20 listopada</time>
<p>Opis A</p></li>
<li><h3>Nabór <b>B</b></h3><a href="/b">więcej</a><span class="d">21.11.2026</span>
<script>x()</script></li></ul>
<ul class="menu"><li><a href="/x">Menu</a></li></ul></body></html>"""


def watch(html: str = PAGE, **rules: str) -> Feed:
    return read(html.encode(), habits=Habits(door=Door.PAGE, rules=rules))


def test_items_are_read_by_their_rules() -> None:
    feed = watch(item="ul.news > li", title="h3, a", date="time, .d", summary="p")
    assert [(e.title, e.link, str(e.published_at)[:10], e.summary) for e in feed.entries] == [
        ("Przetarg A", "https://miasto.example/bip/a", "2026-11-19", "Opis A"),
        ("Nabór B", "https://miasto.example/b", "2026-11-20", ""),
    ]
    assert (feed.title, feed.language) == ("Rejestr zmian", "pl")


def test_without_more_rules_an_item_is_its_first_link() -> None:
    feed = watch(item="ul.news > li")
    assert (feed.entries[0].title, feed.entries[0].link) == ("Przetarg A", "https://miasto.example/bip/a")


def test_an_item_may_itself_be_the_link() -> None:
    assert [e.title for e in watch(item="ul.news a").entries] == ["Przetarg A", "więcej"]


def test_a_page_that_was_rebuilt_is_a_fault_and_not_a_page_without_news() -> None:
    with pytest.raises(BrokenFeed, match="finds nothing"):
        watch(item="table.news tr")


def test_a_rule_that_finds_nothing_is_told() -> None:
    assert any("date" in line for line in watch(item="ul.news > li", date=".when").report)


@pytest.mark.parametrize("rule", ["li:hover::before(", "a[", "li:nth-child(x)", "x" * 301])
def test_a_rule_that_is_no_selector_is_named(rule: str) -> None:
    assert watched.fault_of(rule)


@pytest.mark.parametrize("rule", ["li", "ul.news > li:first-child", "a[href^='/x'], h2 + p", "div:not(.x)"])
def test_usual_selectors_are_taken(rule: str) -> None:
    assert watched.fault_of(rule) is None
