"""A list of feeds is taken in address by address, and each tells what became of it."""

from collections.abc import Iterator

import pytest

from services.manage import lists, sources
from services.runtime import Runtime
from tests import factories
from tests.doubles.web import Answer, WebDouble

FEED = b"<rss><channel><title>Feed</title><item><title>A</title><guid>1</guid></item></channel></rss>"


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/a", Answer(body=FEED))
        double.answer("/b", Answer(body=FEED))
        double.answer("/page", Answer(body=b"<html><p>x</p></html>"))
        double.answer("/busy", Answer(status=503))
        yield double


def opml(*lines: str) -> bytes:
    return f'<opml version="2.0"><body>{"".join(lines)}</body></opml>'.encode()


def line(url: str, more: str = "") -> str:
    return f'<outline type="rss" text="F" xmlUrl="{url}" {more}/>'


def test_each_address_is_asked_once_and_judged(rt: Runtime, web: WebDouble) -> None:
    told: list[tuple[int, int]] = []
    wanted = [web.url(path) for path in ("/a", "/a/", "/gone", "/page", "/busy")]
    body = opml(*map(line, wanted), line("http://127.0.0.1:9/closed"), line("http://10.0.0.1/private"))
    done = lists.import_opml(
        rt, body, institution=factories.institution(rt), progress=lambda *at: told.append(at)
    )
    assert [one.outcome for one in done] == ["added", "twice", "dead", "dead", "added", "dead", "refused"]
    assert "404" in str(done[2].error)
    assert "503" in str(done[4].error)
    assert (told[0], told[-1]) == ((1, 7), (7, 7))
    assert sorted(one.path for one in web.received) == ["/a", "/busy", "/gone", "/page"]
    assert [one.notices for one in sources.list_all(rt)] == [1, 0]


def test_categories_become_topics_and_places_and_go_out_again(rt: Runtime, web: WebDouble) -> None:
    inside = line(web.url("/b"), 'category="/health/szpitale,Toruń"')
    body = opml(
        f'<outline text="Zdrowie">{line(web.url("/a"))}</outline>', f'<outline text="Inne">{inside}</outline>'
    )
    city = factories.institution(rt)
    lists.import_opml(rt, body, institution=city)
    assert sorted((one.topics, one.places) for one in sources.list_all(rt)) == [
        (("health",), ()),
        (("health/szpitale",), ("0463011",)),
    ]
    out = lists.export_opml(rt)
    assert b'text="zdrowie"' in out
    assert [one.outcome for one in lists.import_opml(rt, out, institution=city)] == ["known", "known"]
    assert b'category="/health/szpitale"' in out


def test_a_source_in_another_spelling_is_known(rt: Runtime, web: WebDouble) -> None:
    city = factories.institution(rt)
    made = sources.add(rt, web.url("/a"), institution=city)
    [one] = lists.import_opml(rt, opml(line(web.url("/a/"))), institution=city)
    assert (one.outcome, one.source_id) == ("known", made.id)
