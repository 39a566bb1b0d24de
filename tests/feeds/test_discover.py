import pytest

from feeds.discover import Tier, candidates, hub_and_self, looks_like_feed
from tests.feeds.bodies import rss

URL = "https://miasto.example/aktualnosci/"


def page(head: str = "", body: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode()


def test_a_feed_is_its_own_answer() -> None:
    found = candidates(URL, body=rss("<title>A</title>"), content_type="text/html")
    assert [(one.url, one.tier) for one in found] == [(URL, Tier.ITSELF)]


def test_tiers_come_in_order_and_each_address_once() -> None:
    found = candidates(
        URL,
        headers=[
            ("Link", '</h.xml>; rel="alternate"; type="application/rss+xml", </style.css>; rel=preload')
        ],
        body=page(
            '<meta name="generator" content="WordPress 6.8">'
            '<link rel="alternate" type="application/rss+xml" title="Komentarze" href="/comments/feed/">'
            '<link rel="alternate" type="application/atom+xml" title="Aktualności" href="atom.xml">'
            '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/1">'
            '<link rel="alternate" hreflang="en" href="/en/">',
            '<a href="/bip/rss">RSS <b>BIP</b></a><a href="atom.xml">Atom</a><a href="/kontakt">Kontakt</a>',
        ),
    )
    assert [(one.url, one.tier, one.title) for one in found] == [
        ("https://miasto.example/h.xml", Tier.LINK_HEADER, ""),
        ("https://miasto.example/aktualnosci/atom.xml", Tier.LINK_ELEMENT, "Aktualności"),
        ("https://miasto.example/comments/feed/", Tier.LINK_ELEMENT, "Komentarze"),
        ("https://miasto.example/bip/rss", Tier.ANCHOR, "RSS BIP"),
        ("https://miasto.example/feed/", Tier.KNOWN_PATH, "wordpress"),
    ]


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        ("Drupal 11", "https://miasto.example/rss.xml"),
        ("Joomla! - Open Source", "https://miasto.example/aktualnosci/?format=feed&type=rss"),
    ],
)
def test_paths_are_guessed_only_for_the_system_that_the_page_names(generator: str, expected: str) -> None:
    named = candidates(URL, body=page(f'<meta name="generator" content="{generator}">'))
    assert [one.url for one in named] == [expected]
    assert candidates(URL, body=page("<title>x</title>")) == ()


def test_a_base_element_moves_relative_links() -> None:
    head = '<base href="/pl/"><link rel="alternate" type="application/rss+xml" href="rss.xml">'
    assert candidates(URL, body=page(head))[0].url == "https://miasto.example/pl/rss.xml"


@pytest.mark.parametrize(
    "body", [b"", b"\0\0", b"plain", b"<" * 10_000, b"<html><base href='http://['>", b"\xff\xfe"]
)
def test_a_page_that_is_none_leads_nowhere(body: bytes) -> None:
    assert candidates(URL, body=body) == ()


def test_a_script_address_is_no_candidate() -> None:
    assert candidates(URL, body=page(body="<a href=\"javascript:location='/rss'\">RSS</a>")) == ()


@pytest.mark.parametrize(
    ("body", "is_feed"),
    [
        (b"<?xml version='1.0'?><!-- x --><rss version='2.0'>", True),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", True),
        (b"<rdf:RDF xmlns:rdf='x'>", True),
        (b'{"version": "https:\\/\\/jsonfeed.org\\/version\\/1.1"}', True),
        (b"<!doctype html><html><body><rss >", False),
        (b"<svg><title>rss</title></svg>", False),
        (b'{"a": 1}', False),
    ],
)
def test_a_feed_is_known_by_its_first_element(body: bytes, is_feed: bool) -> None:
    assert looks_like_feed(body) is is_feed


def test_hub_and_topic_are_read_from_link_headers() -> None:
    headers = [("link", '<https://hub.example/>; rel="hub", <feed.xml>; rel=self')]
    assert hub_and_self(headers, URL) == (
        "https://hub.example/",
        "https://miasto.example/aktualnosci/feed.xml",
    )
