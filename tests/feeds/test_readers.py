"""Both readers of XML must see the same in a document, or a source's keys would change with its health."""

from dataclasses import replace
from pathlib import Path

import pytest

from feeds import loose, prolog, quick, tree
from feeds.dates import WARSAW
from feeds.decode import decode
from feeds.draft import FeedDraft, Frame, finish
from feeds.links import web_link
from feeds.types import Feed, Habits
from tests.feeds.bodies import BASE, CORPUS, NO_CORPUS, NOW, read, rss

ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>%s</feed>'


def files() -> list[Path]:
    names = [path for folder in ("enc", "pl", "real", "synthetic") for path in (CORPUS / folder).glob("*")]
    return sorted(names)


def finished(draft: FeedDraft) -> Feed:
    return finish(draft, Frame(BASE, NOW, WARSAW, Habits()))


def comparable(feed: Feed) -> Feed:
    """Without what may differ: markup that means the same, and the kind of a file that no one named."""
    entries = (
        replace(
            entry,
            content_html="",
            enclosures=tuple(replace(one, media_type=None) for one in entry.enclosures),
        )
        for entry in feed.entries
    )
    return replace(feed, entries=tuple(entries), report=())


@pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)
@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_quick_reader_sees_what_feedparser_sees(path: Path) -> None:
    document = prolog.to_utf8(decode(path.read_bytes()).text.lstrip("\ufeff \n"))
    root = tree.grow(document)
    draft = quick.read(root, document, BASE) if root is not None else None
    if draft is None:
        return  # then feedparser is asked in earnest, and test_corpus tells what it finds
    assert comparable(finished(draft)) == comparable(finished(loose.read(document, BASE)))


@pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)
def test_nearly_every_file_of_the_corpus_goes_the_quick_way() -> None:
    slow = [path.name for path in files() if "read by feedparser" in str(report_of(path.read_bytes()))]
    assert len(slow) <= 7, slow


def report_of(body: bytes) -> tuple[str, ...]:
    try:
        return read(body).report
    except Exception:  # not a feed at all
        return ()


def test_prefixes_that_a_feed_never_declares_are_known_all_the_same() -> None:
    feed = read(rss("<title>A</title><dc:creator>Anna</dc:creator><slash:comments>3</slash:comments>"))
    assert feed.entries[0].authors == ("Anna",)
    assert feed.report == ("not well formed: prefixes never declared: dc, slash",)


def test_bare_ampersands_and_named_signs_are_written_out_but_not_in_cdata() -> None:
    feed = read(
        rss(
            "<title>B&R &ndash; nab&oacute;r</title><link>https://m.example/?a=1&b=2</link>"
            "<description><![CDATA[<p>A &amp; B</p>]]></description>"
        )
    )
    entry = feed.entries[0]
    assert (entry.title, entry.link, entry.summary) == ("B&R – nabór", "https://m.example/?a=1&b=2", "A & B")
    assert feed.report == ("not well formed: 4 signs and values that XML does not know written out",)


def test_a_feed_that_was_cut_off_gives_what_arrived_whole() -> None:
    whole = rss("<title>A</title><guid>1</guid>", "<title>B</title><description><![CDATA[<p>long</p>]]>")
    feed = read(whole[: whole.index(b"long")])
    assert [entry.title for entry in feed.entries] == ["A", "B"]
    assert feed.report == ("not well formed: it ends in the middle",)


@pytest.mark.parametrize("end", ["<guid>urn:12", "<guid><![CDATA[urn:12"])
def test_an_entry_whose_identifier_was_cut_in_two_is_left_for_the_next_time(end: str) -> None:
    whole = rss("<title>A</title><guid>1</guid>", f"<title>B</title><link>https://m.example/1</link>{end}345")
    feed = read(whole[: whole.index(b"345")])
    assert [entry.title for entry in feed.entries] == ["A"]


def test_a_media_group_gives_title_and_text_where_the_entry_has_none() -> None:
    feed = read(
        ATOM
        % b"""<entry xmlns:media="http://search.yahoo.com/mrss/"><id>1</id><media:group>
        <media:title>Film</media:title><media:description>Opis</media:description></media:group></entry>"""
    )
    assert (feed.entries[0].title, feed.entries[0].summary) == ("Film", "Opis")


def test_the_text_of_an_entry_without_a_summary_shows_no_tags() -> None:
    feed = read(ATOM % b'<entry><id>1</id><content type="html">&lt;p&gt;Raz&lt;/p&gt;</content></entry>')
    assert feed.entries[0].summary == "Raz"


def test_base64_is_left_to_feedparser() -> None:
    feed = read(ATOM % b'<entry><id>1</id><title type="application/octet-stream">QQ==</title></entry>')
    assert feed.entries[0].title == "A"
    assert feed.report == ("read by feedparser",)


@pytest.mark.parametrize(
    ("address", "meant"),
    [("www.a.example/x", "http://www.a.example/x"), ("https:///a.example/x", "https://a.example/x")],
)
def test_two_faults_of_links_are_understood_as_they_were_meant(address: str, meant: str) -> None:
    assert web_link(address, BASE) == meant
