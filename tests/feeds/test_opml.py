import pytest

from feeds import opml
from feeds.errors import BrokenOpml, TooLarge
from feeds.opml import Outline
from tests.feeds.bodies import CORPUS, NO_CORPUS

LIST = (
    Outline(
        "https://a.example/rss?x=1&y=2",
        "Biblioteka „Łódź” <b>",
        "https://a.example/",
        ("Kultura", "Biblioteki"),
    ),
    Outline("https://b.example/rss", "B", None, ("Kultura",)),
    Outline("https://c.example/rss", "C"),
)


def test_a_list_written_reads_back_the_same() -> None:
    assert opml.read(opml.write(LIST, title="Źródła")) == LIST


def test_an_address_given_twice_is_one_feed_and_other_schemes_are_none() -> None:
    body = b"""<opml version="1.0"><body><outline xmlurl="https://a.example/1" text="A"/>
    <outline xmlUrl="https://a.example/1"/><outline xmlUrl="file:///etc/passwd"/>
    <outline text="empty"/></body></opml>"""
    assert opml.read(body) == (Outline("https://a.example/1", "A"),)


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"<html></html>", b"<?xml version='1.0'?>", b'<!DOCTYPE o [<!ENTITY a "b">]><opml/>'],
)
def test_what_is_no_list_or_declares_entities_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenOpml):
        opml.read(body)


def test_a_list_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        opml.read(b" " * 5_000_001)


def test_folders_in_folders_without_end_do_not_break_the_reader() -> None:
    deep = b"<outline text='x'>" * 200 + b"<outline xmlUrl='https://a.example/1'/>" + b"</outline>" * 200
    assert len(opml.read(b"<opml><body>" + deep + b"</body></opml>")[0].folders) == opml.MAX_FOLDERS


@pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)
def test_every_list_of_the_corpus_is_read() -> None:
    lists = {path.name: opml.read(path.read_bytes()) for path in (CORPUS / "opml").iterdir()}
    assert all(len(outlines) == 1 for outlines in lists.values())
    assert lists["cf_opml_noversion.xml"][0].folders == ("out1",)
