"""What goes to the parser as it came: it must mean the same as after every preparation."""

from dataclasses import replace

import pytest

from feeds import ready
from feeds.draft import MAX_ENTRIES
from feeds.types import Feed
from tests.feeds.bodies import read

ITEM = "<item><title>Nabór &#8211; „żółw”</title><link>https://m.example/1?a=1&amp;b=2#c</link></item>"
RSS = f"<rss version='2.0'><channel><title>T</title>{ITEM}</channel></rss>"


def said(feed: Feed) -> Feed:
    return replace(feed, report=())


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\n  ",
        "<?xml version='1.0'?>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet href="a.xsl" type="text/xsl"?>\n',
        "<?xml version='1.0'?><!-- made by hand -->\n",
    ],
)
def test_utf8_without_faults_goes_to_the_parser_as_it_came(before: str) -> None:
    body = (before + RSS).encode()
    assert ready.as_it_is(body, content_type="text/xml; charset=utf-8") == body.strip()
    assert read(body).entries[0].title == "Nabór – „żółw”"


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + RSS.encode(),
        b"<?xml version='1.0' encoding='ISO-8859-2'?>" + RSS.encode(),
        b"<!DOCTYPE rss [<!ENTITY a 'b'>]>" + RSS.encode(),
        b"<?x <rss ?><!DOCTYPE rss [<!ENTITY a 'b'>]>" + RSS.encode(),
        b"<!-- <rss > --><!DOCTYPE rss [<!ENTITY a 'b'>]>" + RSS.encode(),
        RSS.encode().decode("cp1252", "replace").encode(),
        RSS.replace("T<", "\x7f<").encode(),
        RSS.encode("utf-16"),
        b"<html><body>" + RSS.encode(),
    ],
)
def test_what_has_to_be_mended_goes_the_long_way(body: bytes) -> None:
    assert ready.as_it_is(body, content_type=None) is None


@pytest.mark.parametrize("fault", ["&nbsp;", "\x01", "\x85", "<br>"])
def test_what_the_parser_refuses_goes_the_long_way_after_all(fault: str) -> None:
    feed = read(RSS.replace("T<", f"T{fault}<").encode())
    assert [entry.title for entry in feed.entries] == ["Nabór – „żółw”"]


def test_bytes_that_another_label_claims_are_not_taken_as_they_came() -> None:
    assert ready.as_it_is(RSS.encode(), content_type="text/xml; charset=iso-8859-2") is None
    assert read(RSS.encode(), content_type="text/xml; charset=iso-8859-2").report == (
        "encoding: declared iso8859-2, read as utf-8",
    )


def test_words_in_cdata_that_look_like_a_prefix_are_left_alone() -> None:
    body = RSS.replace(
        ITEM, "<item><title>T</title><description><![CDATA[a rss:b <i>c</i>]]></description></item>"
    )
    assert read(body.encode()).entries[0].content_html == "a rss:b <i>c</i>"


def test_an_archive_is_read_to_its_limit_and_its_end_is_still_looked_at() -> None:
    items = "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in range(MAX_ENTRIES + 3))
    feed = read(f"<rss version='2.0'><channel>{items}<title>T</title></channel></rss>".encode())
    assert (len(feed.entries), feed.title) == (MAX_ENTRIES, "T")
    assert feed.report == (f"{MAX_ENTRIES + 3} entries, only the first {MAX_ENTRIES} read",)
