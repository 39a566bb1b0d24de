import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import BrokenFeed, FeedError, NotAFeed, TooLarge
from feeds.parse import MAX_BODY_BYTES
from feeds.types import Alarm
from tests.feeds.bodies import BASE, NOW, read, rss


def test_an_rss_item_becomes_an_entry_with_plain_title_and_raw_html() -> None:
    feed = read(
        rss(
            "<title>Budżet &amp;amp; &lt;b&gt;park&lt;/b&gt;</title><link>https://m.example/1</link>"
            "<description>&lt;p&gt;Nabór do &lt;a href='/x'&gt;5 grudnia&lt;/a&gt;&lt;/p&gt;</description>"
            "<category>nabory</category><author>biuro@m.example (Anna Nowak)</author>"
            "<enclosure url='/plik.pdf' type='application/pdf' length='120'/>"
            "<pubDate>Mon, 23 Nov 2026 10:00:00 CET</pubDate>",
            head="<title>Miasto</title><language>pl-PL</language><ttl>30</ttl>",
        )
    )
    entry = feed.entries[0]
    assert (feed.format, feed.title, feed.language, feed.ttl_s) == ("RSS 2.0", "Miasto", "pl-pl", 1800)
    assert entry.title == "Budżet & park"
    assert entry.summary == "Nabór do 5 grudnia"
    assert entry.content_html == '<p>Nabór do <a href="https://miasto.example/x">5 grudnia</a></p>'
    assert entry.categories == ("nabory",)
    assert entry.authors == ("Anna Nowak",)
    assert [(e.url, e.media_type, e.length) for e in entry.enclosures] == [
        ("https://miasto.example/plik.pdf", "application/pdf", 120)
    ]
    assert entry.published_at is not None
    assert entry.published_at.isoformat() == "2026-11-23T09:00:00+00:00"
    assert entry.raw_date == "Mon, 23 Nov 2026 10:00:00 CET"


def test_an_atom_entry_keeps_its_base_its_hub_and_its_xhtml_title() -> None:
    feed = read(
        b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/dir/">
        <title>T</title><link rel="hub" href="https://hub.example/"/><link rel="self" href="atom.xml"/>
        <entry><id>urn:x:1</id><link href="one.html"/><updated>2026-11-01T10:00:00Z</updated>
        <title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Wielki <em>test</em></div></title>
        <content type="html">&lt;img src="a.png"&gt;</content></entry></feed>"""
    )
    entry = feed.entries[0]
    assert (feed.hub_url, feed.self_url) == ("https://hub.example/", "https://b.example/dir/atom.xml")
    assert (entry.title, entry.link) == ("Wielki test", "https://b.example/dir/one.html")
    assert entry.content_html == '<img src="https://b.example/dir/a.png">'
    assert entry.updated_at == entry.published_at


def test_a_title_in_plain_text_keeps_its_signs() -> None:
    assert read(rss("<title>5 &lt; 6 i AT&amp;T</title>")).entries[0].title == "5 < 6 i AT&T"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://a.example@b.example/",
        "http://",
        r"https://a\b.example/",
    ],
)
def test_only_web_links_are_kept(link: str) -> None:
    assert read(rss(f"<title>A</title><link>{link}</link>")).entries[0].link is None


def test_a_link_with_spaces_and_polish_letters_becomes_a_uri() -> None:
    entry = read(rss("<title>A</title><link>https://łódź.example/nabór 5</link>")).entries[0]
    assert entry.link == "https://xn--d-uga0v4h.example/nab%C3%B3r%205"


def test_signs_that_turn_or_break_a_line_do_not_reach_a_title() -> None:
    title = read(rss("<title>A\u202eB\r\nBcc: x&#x90;\u200f</title>")).entries[0].title
    assert title == "AB Bcc: x"


def test_a_date_in_the_future_is_clamped_and_reported() -> None:
    feed = read(rss("<title>A</title><pubDate>Tue, 24 Nov 2027 10:00:00 +0000</pubDate>"))
    assert feed.entries[0].published_at == NOW
    assert feed.entries[0].raw_date == "Tue, 24 Nov 2027 10:00:00 +0000"
    assert "1 dates in the future" in feed.report


def test_only_the_first_two_thousand_entries_are_read() -> None:
    feed = read(rss(*(f"<title>{number}</title>" for number in range(2_050))))
    assert len(feed.entries) == 2_000
    assert "2050 entries, only the first 2000 read" in feed.report
    assert not any("not well formed" in line for line in feed.report)


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"<!DOCTYPE html><html><body>Hello</body></html>", "html"),
        (b"<note><to>x</to></note>", "xml"),
        (b'{"a": 1}', "json"),
        (b"/etc/passwd", "text"),
        (b"http://169.254.169.254/latest", "text"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "text"),
    ],
)
def test_another_kind_of_document_is_told_from_a_feed(body: bytes, looks: str) -> None:
    with pytest.raises(NotAFeed) as caught:
        read(body)
    assert caught.value.data["looks"] == looks


def test_a_body_over_the_limit_is_not_parsed() -> None:
    with pytest.raises(TooLarge):
        read(b" " * (MAX_BODY_BYTES + 1))


def test_an_external_entity_is_neither_fetched_nor_read() -> None:
    doctype = (
        b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname"><!ENTITY % b SYSTEM "http://x.example/">%b;]>'
    )
    feed = read(doctype + rss("<title>x&a;y</title>").partition(b"\n")[2])
    assert feed.entries[0].title == "x&a;y"


def test_a_flat_entity_of_an_old_feed_is_still_resolved() -> None:
    body = b'<!DOCTYPE rss [<!ENTITY miasto "Brzeg">]>' + rss("<title>&miasto;!</title>").partition(b"\n")[2]
    assert read(body).entries[0].title == "Brzeg!"


def test_a_feed_that_is_not_well_formed_still_gives_its_entries() -> None:
    feed = read(
        b"<rss version='2.0'><channel><item><title>A & B</title><link>https://a.example/1</link></item>"
    )
    assert [entry.title for entry in feed.entries] == ["A & B"]
    assert any("not well formed" in line for line in feed.report)


def test_a_json_feed_is_read() -> None:
    feed = read(
        b"""{"version": "https://jsonfeed.org/version/1.1", "title": "J", "language": "pl", "expired": true,
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}], "authors": [{"name": "Biuro"}],
        "items": [{"id": 5, "url": "/1", "content_text": "a < b", "tags": ["x"],
                   "date_published": "2026-11-01T10:00:00+01:00"}, {"id": "6", "title": 7}, "junk"]}"""
    )
    entry = feed.entries[0]
    assert (feed.format, feed.expired, feed.hub_url) == ("JSON Feed 1.1", True, "https://hub.example/")
    assert (entry.guid, entry.link, entry.content_html) == ("5", "https://miasto.example/1", "a &lt; b")
    assert (entry.authors, entry.categories, entry.language) == (("Biuro",), ("x",), "pl")
    assert feed.report == ("1 items are not objects", "1 entries that say nothing left out")


@pytest.mark.parametrize(
    "body",
    [
        b'{"version": "https://jsonfeed.org/version/1.1"',
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "x"}',
        b'{"version": "https://jsonfeed.org/version/1.1", "title": ["x"], "items": []}',
        b"[" * 100_000,
    ],
)
def test_a_broken_json_feed_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenFeed):
        read(body)


def test_lone_surrogates_of_json_do_not_survive() -> None:
    items = b'"items": [{"id": "\\ud800", "title": "a\\ud800b"}]'
    body = b'{"version": "https://jsonfeed.org/version/1", "title": "x", ' + items + b"}"
    assert read(body).entries[0].title == "ab"


PIECES = st.sampled_from(
    [
        *(b"<rss version='2.0'>", b"<channel>", b"<item>", b"</item>", b"<title>", b"</title>", b"<link>"),
        *(b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>", b"<content type='xhtml'>", b"<id>"),
        *(b"<![CDATA[", b"]]>", b"&amp;", b"&#0;", b"x", b"\xb9\xff", b"\0", b"<!DOCTYPE", b"<?xml"),
        *(
            b"http://[",
            b"<pubDate>",
            b"99:99",
            b"<guid>",
            b" xml:base='http://[/'",
            b"<rdf:RDF>",
            b"<dc:date>",
        ),
        *(b"<link href='//[' rel='hub'/>", b"<enclosure url='http://a:b/'/>", b"<itunes:image href='x'/>"),
        *(b'{"version":"https://jsonfeed.org/version/1","items":[{"id":', b"}]}"),
    ]
)


@given(st.lists(PIECES, max_size=40))
def test_no_body_lets_a_foreign_exception_out(pieces: list[bytes]) -> None:
    try:
        feed = read(b"".join(pieces), base_url=BASE)
    except FeedError:
        return
    assert all(entry.key and entry.key_rule for entry in feed.entries)


@pytest.mark.parametrize(
    ("body", "alarm"),
    [
        (b'<!DOCTYPE rss [<!ENTITY eacute "&#233;">]>' + rss("<title>a</title>"), None),
        (b'<!DOCTYPE rss [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + rss("<title>a</title>"), Alarm.ENTITIES),
        (b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + rss(""), Alarm.ENTITIES),
        (b'<!DOCTYPE rss [<!ENTITY oacute "\xc3\xb3">]>' + rss("<title>a</title>"), None),
        (b'<!DOCTYPE rss SYSTEM "http://my.netscape.com/publish/formats/rss-0.91.dtd">' + rss(""), None),
        (b'<!-- <!DOCTYPE x [<!ENTITY a "&b;">]> -->' + rss("<title>a</title>"), None),
        (rss("<title>a</title><x " + " ".join(f"a{n}='1'" for n in range(100)) + "/>"), None),
        (rss("<title>a</title><x " + " ".join(f"a{n}='1'" for n in range(101)) + "/>"), Alarm.FLOOD),
        (rss("".join(f"<a:x xmlns:a='http://a.example'>{n}</a:x>" for n in range(400))), None),
        (rss("".join(f"<a{n}:x xmlns:a{n}='http://a.example'/>" for n in range(400))), Alarm.FLOOD),
        (rss("<title>a</title>" + "<x>" * 200 + "</x>" * 200), None),
        (rss("<title>a</title>" + "<x>" * 300 + "</x>" * 300), Alarm.FLOOD),
        (rss("<title>a & b</title><x " + " ".join(f"a{n}='1'" for n in range(101)) + "/>"), Alarm.FLOOD),
    ],
)
def test_what_only_attacks_are_built_of_is_told(body: bytes, alarm: Alarm | None) -> None:
    assert read(body).alarm is alarm
