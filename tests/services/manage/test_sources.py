from collections.abc import Iterator

import pytest

from feeds.politeness import SHORTEST
from services.errors import AddressRefused, BadInput, Conflict, NotFound
from services.manage import lists, sources
from services.runtime import Runtime
from tests import factories
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, WebDouble, redirect

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title> Urząd
Miasta </title><language>pl-PL</language>
<item><title>A</title><guid>1</guid></item></channel></rss>""".encode()
PAGE = (
    b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head><body>x</body></html>'
)
URL = "https://a.example/feed"
OPML = b"""<opml version="2.0"><body><outline text="Kultura">
<outline type="rss" text="A" xmlUrl="https://a.example/feed"/>
<outline type="rss" text="B" xmlUrl="https://b.example/feed"/></outline>
<outline text="bez adresu"/></body></opml>"""


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/rss", Answer(body=FEED, headers=(("Content-Type", "application/rss+xml"),)))
        double.answer("/", Answer(body=PAGE, headers=(("Content-Type", "text/html"),)))
        yield double


@pytest.fixture
def city(rt: Runtime) -> str:
    return factories.institution(rt)


def test_a_feed_is_added_under_its_own_title_and_read_from_the_answer_in_hand(
    rt: Runtime, web: WebDouble, city: str
) -> None:
    made = sources.add(rt, web.url("/rss"), institution=city, topics=["Zdrowie"], places=["Toruń"])
    assert (made.address, made.title, made.language) == (web.url("/rss"), "Urząd Miasta", "pl")
    assert (made.topics, made.places, made.notices) == (("health",), ("0463011",), 1)
    assert made.due_at >= rt.clock.now() + SHORTEST
    assert len(web.received) == 1
    assert sources.show(rt, made.id).source == made


def test_the_feed_of_a_page_is_found(rt: Runtime, web: WebDouble, city: str) -> None:
    assert sources.add(rt, web.url("/"), institution=city).address == web.url("/rss")


def test_an_address_that_moved_for_good_is_followed_and_kept(rt: Runtime, web: WebDouble, city: str) -> None:
    web.answer("/old", redirect("/rss", 301))
    web.answer("/now", redirect("/rss", 302))
    assert sources.add(rt, web.url("/old"), institution=city).address == web.url("/rss")
    assert sources.add(rt, web.url("/now"), institution=city).address == web.url("/now")


def test_a_page_without_a_feed_is_refused_with_advice(rt: Runtime, web: WebDouble, city: str) -> None:
    web.answer("/page", Answer(body=b"<html><body>nic</body></html>"))
    with pytest.raises(BadInput, match="No feed was found"):
        sources.add(rt, web.url("/page"), institution=city)
    assert sources.list_all(rt) == []


@pytest.mark.parametrize("status", [404, 500])
def test_an_address_that_answers_badly_is_refused(
    rt: Runtime, web: WebDouble, city: str, status: int
) -> None:
    web.answer("/x", Answer(status=status))
    with pytest.raises(BadInput, match=str(status)):
        sources.add(rt, web.url("/x"), institution=city)


def test_the_same_address_twice_names_the_first(rt: Runtime, web: WebDouble, city: str) -> None:
    first = sources.add(rt, web.url("/rss"), institution=city)
    for again in ("/rss", "/"):
        with pytest.raises(Conflict) as told:
            sources.add(rt, web.url(again), institution=city)
        assert told.value.data["source_id"] == first.id


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "http://user:pass@example.org/feed",
        "http://[::1]:1/feed",
        "gopher://example.org",
        "nonsense",
    ],
)
def test_an_address_that_must_not_be_dialled_is_refused(rt: Runtime, city: str, address: str) -> None:
    with pytest.raises(AddressRefused):
        sources.add(rt, address, institution=city)


def test_loopback_is_refused_where_no_setting_names_it(open_runtime: OpenRuntime, web: WebDouble) -> None:
    rt = open_runtime(allow_networks="")
    with pytest.raises(AddressRefused):
        sources.add(rt, web.url("/rss"), institution=factories.institution(rt))
    assert web.received == []


@pytest.mark.parametrize(
    "wrong", [{"topics": ["astrology"]}, {"places": ["Atlantyda"]}, {"language": "x1"}, {"kind": "astrology"}]
)
def test_a_source_that_cannot_be_is_refused(rt: Runtime, city: str, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        sources.add(rt, URL, institution=city, check=False, **wrong)  # type: ignore[arg-type]


def test_an_unknown_institution_is_told_before_anything_is_fetched(rt: Runtime, web: WebDouble) -> None:
    with pytest.raises(NotFound):
        sources.add(rt, web.url("/rss"), institution="nobody")
    assert web.received == []


def test_a_list_is_imported_and_importing_it_again_adds_nothing(rt: Runtime, city: str) -> None:
    first = lists.import_opml(rt, OPML, institution=city, check=False)
    assert [(one.outcome, one.address) for one in first] == [
        ("added", "https://a.example/feed"),
        ("added", "https://b.example/feed"),
    ]
    second = lists.import_opml(rt, OPML, institution=city, check=False)
    assert [(one.outcome, one.source_id) for one in second] == [("known", one.source_id) for one in first]


def test_what_is_exported_can_be_imported(rt: Runtime, city: str) -> None:
    lists.import_opml(rt, OPML, institution=city, check=False)
    factories.door(rt)
    again = lists.import_opml(rt, lists.export_opml(rt), institution=city)
    assert [one.outcome for one in again] == ["known", "known"]


@pytest.mark.parametrize("bad", [b"", b"<html>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><opml>&a;</opml>"])
def test_a_list_that_cannot_be_read_is_refused(rt: Runtime, city: str, bad: bytes) -> None:
    with pytest.raises(BadInput):
        lists.import_opml(rt, bad, institution=city)


def test_an_institution_has_one_push_door_that_is_never_polled(rt: Runtime) -> None:
    door = factories.door(rt)
    assert factories.door(rt) == door
    assert sources.poll_now(rt) == []
    assert sources.show(rt, door).source.kind == "push"


def test_a_stopped_source_is_polled_again_when_asked(rt: Runtime, city: str) -> None:
    [one] = lists.import_opml(rt, OPML, institution=city, check=False)[:1]
    assert one.source_id is not None
    sources.stop(rt, one.source_id, because="it said nonsense")
    assert sources.show(rt, one.source_id).source.state == "stopped"
    assert sources.poll_now(rt, [one.source_id]) == [one.source_id]
    assert sources.show(rt, one.source_id).source.state == "pending"


def test_polling_what_is_not_there_is_told(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        sources.poll_now(rt, [7])
