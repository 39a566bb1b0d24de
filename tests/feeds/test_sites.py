"""Who asks us to wait means all of their names, and nobody else's."""

import pytest

from feeds.sites import site_of


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.umk.pl/rss", "umk.pl"),
        ("https://a.b.umk.pl:8443/rss", "umk.pl"),
        ("https://bip.um.torun.pl/rss", "um.torun.pl"),
        ("https://www.gmina.com.pl/rss", "gmina.com.pl"),
        ("https://miasto.wordpress.com/feed", "miasto.wordpress.com"),
        ("https://news.bbc.co.uk/rss", "bbc.co.uk"),
        ("http://user:secret@127.0.0.1:8080/rss", "127.0.0.1:8080"),
        ("http://[::1]:8080/rss", "[::1]:8080"),
        ("http://localhost/rss", "localhost"),
    ],
)
def test_a_site_is_the_name_that_was_registered(url: str, site: str) -> None:
    assert site_of(url) == site
