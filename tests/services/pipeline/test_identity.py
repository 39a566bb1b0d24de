"""An entry is told once, whatever its source does to its name; what moves by itself revises nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.clock import FrozenClock
from services.domain.drafts import content_hash
from services.pipeline import accept, poll
from services.runtime import Runtime
from tests.doubles.web import Answer, WebDouble
from tests.factories import counts, door, draft, feed, only, publish, rows
from tests.feeds.bodies import rss

EVENTS = "SELECT type, count(*) AS number FROM events GROUP BY type"


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def item(number: int, guid: str, *, more: str = "") -> str:
    return (
        f"<title>Nabór {number}</title><guid isPermaLink='false'>{guid}</guid>"
        f"<link>https://miasto.example/{number}</link>{more}"
    )


def read(rt: Runtime, web: WebDouble, clock: FrozenClock, *readings: list[str]) -> None:
    """A source is read once for each of these lists of items."""
    answers = [Answer(headers=(("Content-Type", "application/rss+xml"),), body=rss(*one)) for one in readings]
    web.answer("/feed", *answers)
    feed(rt, web.url("/feed"))
    for _ in readings:
        poll.run(rt)
        clock.advance(timedelta(hours=25))


def test_guids_that_change_at_every_reading_tell_nothing_twice(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    readings = [[item(n, f"{n}-{reading}") for n in range(6)] for reading in range(3)]
    read(rt, web, clock, *readings)

    assert counts(rt, EVENTS) == {"published": 6}
    assert only(rt, "SELECT ladder FROM sources")["ladder"] == "link+date"


def test_guids_that_begin_to_repeat_tell_nothing_twice(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    read(rt, web, clock, [item(1, "1"), item(2, "2")], [item(1, "1"), item(2, "2"), item(3, "1")])

    assert counts(rt, EVENTS) == {"published": 3}
    assert only(rt, "SELECT ladder FROM sources")["ladder"] == "guid+link"


def test_a_withdrawn_entry_stays_withdrawn_under_its_new_name(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer(
        "/feed",
        *[
            Answer(headers=(), body=rss(*[item(n, f"{n}-{reading}") for n in range(4)]))
            for reading in range(2)
        ],
    )
    source_id = feed(rt, web.url("/feed"))
    poll.run(rt)
    key = rows(rt, "SELECT key FROM notices ORDER BY id")[0]["key"]
    accept.withdraw(rt, source_id, [key])
    clock.advance(timedelta(hours=25))
    poll.run(rt)

    assert counts(rt, EVENTS) == {"published": 4, "withdrawn": 1}


def test_one_new_guid_for_one_page_is_a_new_entry(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    old = [item(n, str(n)) for n in range(30)]
    read(rt, web, clock, old, [item(0, "again"), *old[1:]])

    assert counts(rt, EVENTS) == {"published": 31}


def test_a_source_whose_clock_is_ahead_is_put_right(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    def at(number: int, minutes: int) -> str:
        moment = clock.now() + timedelta(minutes=minutes)
        return item(number, str(number), more=f"<pubDate>{moment:%Y-%m-%dT%H:%M:%SZ}</pubDate>")

    first = [at(1, 50), at(2, 55)]
    later = at(3, 25 * 60 + 30)
    read(rt, web, clock, first, [later, *first])

    assert only(rt, "SELECT skew_s FROM sources")["skew_s"] == 3_600
    told = only(rt, "SELECT published_at, fetched_at FROM notices WHERE title = 'Nabór 3'")
    paused = told["fetched_at"] - told["published_at"] - timedelta(minutes=30)  # after asking for robots.txt
    assert timedelta(0) <= paused < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Tekst</p><p>Wyświetleń: 12</p>", "<p>Tekst</p><p>Wyświetleń: 1 340</p>"),
        ("Tekst (komentarze: 3)", "Tekst (komentarze: 4)"),
        ("Tekst, 15 views", "Tekst, 16 views"),
        ("Tekst, stan na 12:30:05", "Tekst, stan na 12:45:10"),
    ],
)
def test_what_counts_or_ticks_by_itself_changes_nothing(before: str, after: str) -> None:
    assert content_hash(draft(body_html=before)) == content_hash(draft(body_html=after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Nabór do 5 grudnia", "Nabór do 8 grudnia"),
        ("Kwota 100 000 zł", "Kwota 150 000 zł"),
        ("Start o 12:30", "Start o 12:45"),
        ("Rejestracja: 12 miejsc", "Rejestracja: 14 miejsc"),
    ],
)
def test_another_day_sum_or_hour_is_a_change(before: str, after: str) -> None:
    assert content_hash(draft(body_html=before)) != content_hash(draft(body_html=after))


def test_an_entry_whose_body_never_rests_is_left_alone_in_the_end(rt: Runtime) -> None:
    for number in range(40):
        publish(rt, draft(body_html=f"<p>{'a' * number}</p>"))
    assert only(rt, "SELECT revision FROM notices")["revision"] == 25
    publish(rt, draft(title="Nowy tytuł", body_html="<p>b</p>"))
    assert only(rt, "SELECT revision FROM notices")["revision"] == 26


def test_a_newer_rule_of_hashing_revises_nothing(rt: Runtime) -> None:
    publish(rt, draft())
    with rt.begin() as session:
        session.execute(text("UPDATE notices SET content_hash = '\\x01ff'"))
    (done,) = accept.accept(rt, door(rt), [draft()])
    assert done.outcome is accept.Outcome.UNCHANGED
    assert bytes(only(rt, "SELECT content_hash FROM notices")["content_hash"]) == content_hash(draft())
