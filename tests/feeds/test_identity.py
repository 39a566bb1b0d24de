from dataclasses import replace

from feeds.identity import content_hash
from feeds.types import Habits, Ladder
from tests.feeds.bodies import read, rss


def test_the_guid_names_an_entry_and_the_rule_is_told() -> None:
    entry = read(
        rss("<title>A</title><guid isPermaLink='false'>7</guid><link>https://a.example/1</link>")
    ).entries[0]
    assert entry.key_rule == "guid"
    assert entry.guid == "7"


def test_without_a_guid_the_link_names_an_entry_and_without_a_link_its_words() -> None:
    feed = read(rss("<title>A</title><link>https://a.example/1</link>", "<title>B</title>"))
    assert [entry.key_rule for entry in feed.entries] == ["link", "content"]


def test_https_www_and_a_trailing_slash_make_no_new_entry() -> None:
    addresses = ("http://www.a.example/1/", "https://a.example/1", "https://A.example/1/")
    feeds = [read(rss(f"<title>A</title><link>{address}</link>")) for address in addresses]
    assert len({feed.entries[0].key for feed in feeds}) == 1


def test_repeated_guids_degrade_the_rule_for_the_whole_source() -> None:
    feed = read(
        rss(
            "<title>A</title><guid isPermaLink='false'>same</guid><link>https://a.example/1</link>",
            "<title>B</title><guid isPermaLink='false'>same</guid><link>https://a.example/2</link>",
        )
    )
    assert feed.ladder is Ladder.GUID_LINK
    assert {entry.key_rule for entry in feed.entries} == {"guid+link"}
    assert len({entry.key for entry in feed.entries}) == 2
    assert any("identifiers repeat" in line for line in feed.report)


def test_one_guid_and_one_link_for_everything_leaves_dates_and_titles_to_tell() -> None:
    item = "<title>{}</title><guid isPermaLink='false'>x</guid><link>https://a.example/</link><pubDate>{}</pubDate>"
    dated = read(rss(item.format("A", "2026-01-01"), item.format("B", "2026-01-02")))
    assert (dated.ladder, len(dated.entries)) == (Ladder.LINK_DATE, 2)


def test_a_degraded_rule_stays_degraded() -> None:
    body = rss("<title>A</title><guid isPermaLink='false'>7</guid><link>https://a.example/1</link>")
    feed = read(body, habits=Habits(ladder=Ladder.GUID_LINK))
    assert feed.ladder is Ladder.GUID_LINK
    assert feed.entries[0].key_rule == "guid+link"


def test_an_entry_written_twice_is_one_entry() -> None:
    item = "<title>A</title><guid isPermaLink='false'>7</guid><link>https://a.example/1</link>"
    feed = read(rss(item, item))
    assert (len(feed.entries), feed.ladder) == (1, Ladder.GUID)
    assert "1 entries written twice" in feed.report


def test_the_content_hash_follows_words_and_not_dates() -> None:
    entry = read(
        rss("<title>A</title><link>https://a.example/1</link><pubDate>2026-01-01</pubDate>")
    ).entries[0]
    assert content_hash(entry).startswith("01")
    assert content_hash(replace(entry, published_at=None, link="http://a.example/1/")) == content_hash(entry)
    assert content_hash(replace(entry, title="B")) != content_hash(entry)
