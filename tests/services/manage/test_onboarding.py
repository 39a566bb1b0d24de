"""What an address would bring is told before anything goes live, with as few requests as can be."""

from collections.abc import Iterator

import pytest

from services.errors import BadInput
from services.manage import onboarding, sources
from services.runtime import Runtime
from tests import factories
from tests.doubles.repository import Repository
from tests.doubles.web import Answer, WebDouble

HTML = (("Content-Type", "text/html"),)


def item(key: str, more: str = "") -> str:
    link = f"https://miasto.example/{key}"
    date = "<pubDate>Mon, 23 Nov 2026 08:00:00 +0100</pubDate>"
    return f"<item><title>Nabór {key}</title><guid>{key}</guid><link>{link}</link>{date}{more}</item>"


def rss(*items: str, head: str = "") -> bytes:
    return f'<rss version="2.0"><channel><title>Miasto</title>{head}{"".join(items)}</channel></rss>'.encode()


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def test_a_feed_is_judged_by_one_request(rt: Runtime, web: WebDouble) -> None:
    body = rss(*(item(str(n), "<category>zdrowie</category>") for n in range(7)))
    web.answer("/rss", Answer(body=body, headers=(("Link", '<https://hub.example/>; rel="hub"'),)))
    told = onboarding.look(rt, web.url("/rss")).report

    assert (told.kind, told.format, told.title, told.entries) == ("feed", "RSS 2.0", "Miasto", 7)
    assert (told.hub, told.requests, len(web.received)) == ("https://hub.example/", 1, 1)
    assert told.dates == "all 7 understood; the newest is of 2026-11-23"
    assert told.ids.startswith("stable")
    assert told.charset == "utf-8, as it says"
    assert [(one.title, one.topics) for one in told.notices] == [
        (f"Nabór {n}", ("health",)) for n in range(5)
    ]
    assert sources.list_all(rt) == []


def test_what_is_wrong_with_a_feed_is_told(rt: Runtime, web: WebDouble) -> None:
    body = '<?xml version="1.0" encoding="iso-8859-2"?><rss><channel><item><title>Żółw</title></item>'
    body += "<item><title>B</title><pubDate>kiedyś</pubDate></item></channel></rss>"
    web.answer("/rss", Answer(body=body.encode()))
    told = onboarding.look(rt, web.url("/rss")).report
    assert told.charset == "declared iso8859-2, read as utf-8"
    assert told.ids.startswith("unstable")
    assert told.notices[0].title == "Żółw"


def test_a_page_tells_its_feeds_and_the_best_is_looked_at(rt: Runtime, web: WebDouble) -> None:
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="/{n}">' for n in ("rss", "comments")
    )
    web.answer("/", Answer(body=f"<html><head>{links}</head></html>".encode(), headers=HTML))
    web.answer("/rss", Answer(body=rss(item("a"))))
    told = onboarding.look(rt, web.url("/")).report
    assert (told.asked, told.address) == (web.url("/"), web.url("/rss"))
    assert [one.address for one in told.found] == [web.url("/rss"), web.url("/comments")]
    assert [one.path for one in web.received] == ["/", "/rss"]


def test_a_path_that_is_only_guessed_asks_robots_first(rt: Runtime, web: WebDouble) -> None:
    page = b'<html><head><meta name="generator" content="WordPress 6"></head></html>'
    web.answer("/", Answer(body=page, headers=HTML))
    web.answer("/feed/", Answer(body=rss(item("a"))))
    web.answer("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /feed"))
    with pytest.raises(BadInput, match="No feed was found"):
        onboarding.look(rt, web.url("/"))
    assert "/feed/" not in [one.path for one in web.received]


def test_calendars_and_repositories_are_recognised(rt: Runtime, web: WebDouble) -> None:
    event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\nSUMMARY:Gala\r\nEND:VEVENT"
    calendar = f"BEGIN:VCALENDAR\r\n{event}\r\nEND:VCALENDAR"
    web.answer("/c.ics", Answer(body=calendar.encode()))
    web.answer("/oai", Repository(records={"oai:r:1": ("2026-11-20", "Praca")}))
    assert onboarding.look(rt, web.url("/c.ics")).report.kind == "calendar"
    assert onboarding.look(rt, web.url("/oai")).report.kind == "oai"


def test_a_watched_page_is_previewed_by_its_rules_and_robots_are_asked(rt: Runtime, web: WebDouble) -> None:
    web.answer("/bip", Answer(body=b"<html><li><a href='/a'>Przetarg</a></li></html>", headers=HTML))
    told = onboarding.look(rt, web.url("/bip"), kind="page", rules={"item": "li"}).report
    assert [(one.title, one.url) for one in told.notices] == [("Przetarg", web.url("/a"))]
    assert told.robots == "robots.txt allows this page"
    with WebDouble() as closed:
        closed.answer("/robots.txt", Answer(body=b"User-agent: Goniec\nDisallow: /"))
        with pytest.raises(BadInput, match="asks machines not to read"):
            onboarding.look(rt, closed.url("/bip"), kind="page", rules={"item": "li"})


@pytest.mark.parametrize(
    ("kind", "rules", "said"),
    [
        ("page", {}, "names its items"),
        ("page", {"item": "li["}, "rule for item"),
        ("page", {"item": "li", "colour": "b"}, "no rule “colour”"),
        ("feed", {"item": "li"}, "takes none"),
        ("oai", {"since": "2026-13-01"}, "2026-01-31"),
        ("astrology", {}, "no kind"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(
    rt: Runtime, kind: str, rules: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        onboarding.look(rt, "https://a.example/", kind=kind, rules=rules)


def test_a_page_that_describes_itself_is_advised_to_be_read_so(rt: Runtime, web: WebDouble) -> None:
    page = b'<html><script type="application/ld+json">{"@type":"Event","name":"Gala"}</script></html>'
    web.answer("/", Answer(body=page, headers=HTML))
    with pytest.raises(BadInput, match="jsonld"):
        onboarding.look(rt, web.url("/"))
    assert onboarding.look(rt, web.url("/"), kind="jsonld").report.notices[0].title == "Gala"


def test_sources_that_bring_the_same_are_named(rt: Runtime, web: WebDouble) -> None:
    web.answer("/rss", Answer(body=rss(item("a"), item("b"))))
    web.answer("/other", Answer(body=rss(item("a"), item("c"))))
    first = sources.add(rt, web.url("/rss"), institution=factories.institution(rt))
    [twin] = onboarding.look(rt, web.url("/other")).report.twins
    assert (twin.source_id, twin.why) == (first.id, "brings 1 of these 2 pages already")
    web.answer("/rss/", Answer(body=rss()))
    [same] = onboarding.look(rt, web.url("/rss/")).report.twins
    assert same.why == "the same address"
