"""Doors that are no feeds, each on a loopback server of its own, go the whole way from poll to accept."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.clock import FrozenClock
from services.pipeline import poll
from services.runtime import Runtime
from tests.doubles.repository import Repository
from tests.doubles.web import Answer, Received, WebDouble, redirect
from tests.factories import counts, feed, only, rows

EVENTS = "SELECT type, count(*) AS number FROM events GROUP BY type"
TITLES = "SELECT title FROM notices WHERE withdrawn_at IS NULL ORDER BY title"


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def later(rt: Runtime, clock: FrozenClock, by: timedelta = timedelta(days=2)) -> None:
    """Two days later the sources are polled again."""
    clock.advance(by)
    poll.run(rt)


def titles(rt: Runtime) -> list[str]:
    return [row["title"] for row in rows(rt, TITLES)]


def source(rt: Runtime) -> dict[str, Any]:
    return dict(only(rt, "SELECT * FROM sources"))


# Calendar


def meeting(uid: str, day: str, *more: str) -> str:
    lines = (f"UID:{uid}", f"DTSTART;TZID=Europe/Warsaw:{day}T100000", f"SUMMARY:Spotkanie {uid}", *more)
    return "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def calendar(*events: str) -> Answer:
    body = "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *events, "END:VCALENDAR", ""))
    return Answer(headers=(("Content-Type", "text/calendar"), ("ETag", '"1"')), body=body.encode())


def test_a_calendar_tells_meetings_their_changes_and_their_cancellations(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer(
        "/c.ics",
        calendar(meeting("a", "20261210"), meeting("b", "20261211", "RRULE:FREQ=WEEKLY;COUNT=3")),
        calendar(
            meeting("a", "20261212", "SEQUENCE:1"),
            meeting(
                "b", "20261211", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Warsaw:20261218T100000"
            ),
        ),
        calendar(meeting("a", "20261212", "SEQUENCE:2", "STATUS:CANCELLED")),
    )
    feed(rt, web.url("/c.ics"), kind="calendar")
    poll.run(rt)
    assert counts(rt, EVENTS) == {"published": 4}
    first = only(rt, "SELECT kind, starts_at FROM notices WHERE title = 'Spotkanie a'")
    assert (first["kind"], f"{first['starts_at']:%d %H:%M}") == ("meeting", "10 09:00")

    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 4, "revised": 1, "withdrawn": 1}
    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 4, "revised": 1, "withdrawn": 2}
    assert titles(rt) == ["Spotkanie b", "Spotkanie b"]
    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 4, "revised": 1, "withdrawn": 2}


def test_a_repetition_comes_near_though_the_calendar_never_changes(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    def serve(request: Received) -> Answer:
        whole = calendar(meeting("a", "20261201", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"))
        return Answer(status=304) if "if-none-match" in request.headers else whole

    web.answer("/c.ics", serve)
    feed(rt, web.url("/c.ics"), kind="calendar")
    poll.run(rt)
    assert counts(rt, EVENTS) == {"published": 3}
    for _ in range(16):
        later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 4}
    assert sum("if-none-match" not in one.headers for one in web.received) == 2


# OAI-PMH


def test_a_repository_is_harvested_page_by_page_and_then_only_for_what_is_new(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    repository = Repository(records={f"oai:r:{n}": ("2026-11-20", f"Praca {n}") for n in range(5)})
    repository.records["oai:r:old"] = ("2019-01-01", "Dawna")
    web.answer("/oai", repository)
    feed(rt, web.url("/oai"), kind="oai")
    poll.run(rt)

    assert [one.get("resumptionToken") for one in repository.asked] == [None, "!2", "!4"]
    assert titles(rt) == ["Dawna", *(f"Praca {n}" for n in range(5))]
    assert counts(rt, EVENTS) == {"published": 5}, "what is older than a week is stored without being told"
    notice = dict(only(rt, "SELECT url, topics, kind FROM notices WHERE title = 'Praca 1'"))
    assert notice == {
        "url": "https://rep.example/oai:r:1",
        "topics": ["science", "health"],
        "kind": "research",
    }

    repository.records["oai:r:1"] = ("2026-11-24", None)
    repository.records["oai:r:2"] = ("2026-11-24", "Praca 2, poprawiona")
    repository.records["oai:r:9"] = ("2026-11-24", "Praca 9")
    later(rt, clock)
    assert repository.asked[3] == {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-11-22"}
    assert counts(rt, EVENTS) == {"published": 6, "revised": 1, "withdrawn": 1}


def test_a_harvest_goes_on_where_it_stood_and_begins_anew_when_its_token_is_lost(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    repository = Repository(records={f"oai:r:{n}": ("2026-11-20", f"Praca {n}") for n in range(5)})
    web.answer("/oai", repository, Answer(status=503), repository)
    feed(rt, web.url("/oai"), kind="oai")
    poll.run(rt)
    assert source(rt)["memory"]["token"] == "!2"
    repository.lost_tokens = True
    later(rt, clock)
    repository.lost_tokens = False
    later(rt, clock)
    assert len(titles(rt)) == 5
    assert source(rt)["memory"] == {"from": "2026-11-22"}


def test_nothing_new_is_no_fault_and_a_refusal_is_one(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/oai", Repository())
    feed(rt, web.url("/oai"), kind="oai", rules={"prefix": "oai_dc"})
    poll.run(rt)
    assert (source(rt)["errors"], source(rt)["last_error"]) == (0, None)
    web.answer("/oai", Repository(prefix="mods"))
    later(rt, clock)
    assert "cannotDisseminateFormat" in source(rt)["last_error"]


# A page


def page(*items: str) -> Answer:
    lines = "".join(
        f'<li><a href="/{key}">{key}</a><time>{day}</time></li>'
        for key, _, day in (i.partition("|") for i in items)
    )
    body = f"<!doctype html><html><ul class=news>{lines}</ul></html>"
    return Answer(headers=(("Content-Type", "text/html"),), body=body.encode())


RULES = {"item": "ul.news > li", "date": "time"}


def test_a_watched_page_tells_what_is_added_to_its_list(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/robots.txt", Answer(status=404))
    web.answer("/bip", page("A|20.11.2026", "B|01.01.2020"), page("C|24.11.2026", "A|20.11.2026"))
    feed(rt, web.url("/bip"), kind="page", rules=RULES)
    poll.run(rt)
    assert counts(rt, EVENTS) == {"published": 1}
    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 2}
    assert titles(rt) == ["A", "B", "C"]
    assert [one.path for one in web.received].count("/robots.txt") == 1 + 1


def test_of_a_list_without_dates_only_what_is_added_later_is_told(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/bip", page("A", "B"), page("C", "A", "B"))
    feed(rt, web.url("/bip"), kind="page", rules={"item": "ul.news > li"})
    poll.run(rt)
    assert counts(rt, EVENTS) == {}
    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 1}
    assert titles(rt) == ["A", "B", "C"]


def test_a_page_that_robots_may_not_read_is_not_read(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /secret\n"))
    web.answer("/bip", redirect("/secret"))
    web.answer("/secret", page("A"))
    feed(rt, web.url("/bip"), kind="page", rules=RULES)
    poll.run(rt)
    assert "/secret" not in [one.path for one in web.received]
    assert "robots.txt" in source(rt)["last_error"]
    assert source(rt)["due_at"] >= clock.now() + timedelta(days=1)


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        (b"User-agent: *\nDisallow: /\n", True),
        (b"User-agent: Goniec\nDisallow: /feed\n", False),
        (b"User-agent: goniec/1.0\nUser-agent: x\nDisallow: /\nAllow: /feed$\n", True),
        (b"User-agent: Goniecek\nDisallow: /\n", True),
    ],
)
def test_the_address_of_a_feed_obeys_only_a_robots_group_that_names_us(
    rt: Runtime, web: WebDouble, clock: FrozenClock, rules: bytes, may: bool
) -> None:
    web.answer("/robots.txt", Answer(body=rules))
    web.answer("/feed", Answer(body=b"<rss><channel><item><title>x</title></item></channel></rss>"))
    feed(rt, web.url("/feed"))
    poll.run(rt)

    assert [one.path for one in web.received] == ["/robots.txt", "/feed"][: 1 + may]
    assert web.received[0].headers["user-agent"].startswith("Goniec/")
    assert titles(rt) == ["x"][:may]
    assert source(rt)["errors"] == (not may)
    later(rt, clock, timedelta(hours=1))
    assert [one.path for one in web.received].count("/robots.txt") == 1


def test_a_robots_that_cannot_be_had_stops_no_feed(rt: Runtime, web: WebDouble) -> None:
    web.answer("/robots.txt", Answer(status=503))
    web.answer("/feed", Answer(body=b"<rss><channel><item><title>x</title></item></channel></rss>"))
    feed(rt, web.url("/feed"))
    poll.run(rt)
    assert titles(rt) == ["x"]


def test_a_page_that_was_rebuilt_is_told_as_a_fault(rt: Runtime, web: WebDouble) -> None:
    web.answer("/bip", Answer(body=b"<html><p>Nowa strona</p></html>"))
    feed(rt, web.url("/bip"), kind="page", rules=RULES)
    poll.run(rt)
    assert "was it rebuilt" in source(rt)["last_error"]


# JSON-LD


def test_a_page_that_describes_its_events_is_read_and_a_cancelled_one_taken_back(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    def said(more: str = "") -> Answer:
        known = '"@type":"Event","name":"Gala","url":"/gala","startDate":"2026-12-01T18:00"'
        thing = "{" + known + more + "}"
        body = f'<!doctype html><script type="application/ld+json">{thing}</script>'
        return Answer(headers=(("Content-Type", "text/html"),), body=body.encode())

    web.answer("/", said(), said(',"description":"W ratuszu"'), said(',"eventStatus":"EventCancelled"'))
    feed(rt, web.url("/"), kind="jsonld")
    poll.run(rt)
    later(rt, clock)
    later(rt, clock)
    assert counts(rt, EVENTS) == {"published": 1, "revised": 1, "withdrawn": 1}
