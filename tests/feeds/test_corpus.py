import csv
from pathlib import Path

import pytest

from feeds.errors import FeedError
from feeds.types import Feed
from tests.feeds.bodies import CORPUS, NO_CORPUS, read

pytestmark = pytest.mark.skipif(not (CORPUS / "index.csv").is_file(), reason=NO_CORPUS)

# Fewer than feedparser finds: items that say nothing, and one written twice.
FEWER = {
    "enc/mf_no_encoding_ISO-8859-1.xml": 9,
    "real/7ef13a42fa7e177a.xml": 34,
    "real/ffp_malformed_rss_namespaced.xml": 2,
    "real/ffp_json_feed_sample.json": 2,
    "synthetic/reader_full.atom": 2,
    "synthetic/reader_full.rss": 2,
    "synthetic/fp_illformed_rss_incomplete_cdata.xml": 0,
    "synthetic/fp_rss_entity_in_doctype.xml": 0,
}
NO_FEEDS = {"synthetic/reader_invalid.json", "synthetic/fp_illformed_rss_empty_document.xml"}


def rows() -> list[tuple[str, int]]:
    if not (CORPUS / "index.csv").is_file():
        return []
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        return [(row["file"], int(row["feedparser_6.0.14_entries"] or 0)) for row in csv.DictReader(file)]


def read_file(name: str) -> Feed:
    return read((CORPUS / name).read_bytes())


@pytest.mark.parametrize(("name", "entries"), rows())
def test_every_feed_of_the_corpus_gives_its_entries(name: str, entries: int) -> None:
    if Path(name).name.startswith("mf_xml_iso") or name.startswith("opml/") or name in NO_FEEDS:
        with pytest.raises(FeedError):
            read_file(name)
        return
    feed = read_file(name)
    assert len(feed.entries) == FEWER.get(name, entries)
    assert len({entry.key for entry in feed.entries}) == len(feed.entries)


def polish_names() -> list[str]:
    return [name for name, _ in rows() if name.startswith("pl/trybunalski")]


@pytest.mark.parametrize("name", polish_names())
def test_the_polish_feed_reads_the_same_in_every_encoding(name: str) -> None:
    original, other = read_file("pl/trybunalski_trimmed.xml"), read_file(name)
    assert other.title.replace("–", "-") == "Trybunalski.pl - Wiadomości"  # ISO-8859-2 has no such dash
    assert [entry.title for entry in other.entries] == [entry.title for entry in original.entries]
    assert [entry.key for entry in other.entries] == [entry.key for entry in original.entries]


def test_polish_and_day_first_dates_are_read() -> None:
    feed = read_file("pl/trybunalski_polish_dates.xml")
    moments = [entry.published_at.isoformat() for entry in feed.entries if entry.published_at]
    assert moments == ["2026-04-11T10:00:00+00:00", "2026-04-10T08:54:00+00:00", "2026-04-10T15:36:00+00:00"]


def test_an_entry_changed_between_two_fetches_keeps_its_key() -> None:
    first, third = read_file("real/r2e_nodejs_feed1.xml"), read_file("real/r2e_nodejs_feed3.xml")
    assert first.entries[0].key == third.entries[0].key
