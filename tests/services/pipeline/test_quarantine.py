"""What is unlike its source waits for a decision, and nobody is told anything of it before."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.errors import Conflict, NotFound
from services.pipeline import poll, quarantine
from services.runtime import Runtime
from tests.doubles.web import Answer, WebDouble
from tests.factories import counts, feed, only, rows
from tests.feeds.bodies import rss

EVENTS = "SELECT type, count(*) AS number FROM events GROUP BY type"
BEFORE = range(10)


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def item(number: int, *, title: str = "Nabór", more: str = "") -> str:
    return f"<title>{title} {number}</title><guid>https://miasto.example/{number}</guid>{more}"


def items(*numbers: int) -> list[str]:
    return [item(number) for number in numbers]


def read(rt: Runtime, web: WebDouble, clock: FrozenClock, *readings: list[str]) -> None:
    answers = [Answer(headers=(("Content-Type", "application/rss+xml"),), body=rss(*one)) for one in readings]
    web.answer("/feed", *answers)
    if not rows(rt, "SELECT id FROM sources"):
        feed(rt, web.url("/feed"))
    for _ in readings:
        poll.run(rt)
        clock.advance(timedelta(hours=25))


def the_batch(rt: Runtime) -> quarantine.HeldRow:
    (batch,) = quarantine.open_batches(rt)
    return batch


def test_a_feed_that_is_suddenly_all_new_is_held_and_then_released(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    read(rt, web, clock, items(*BEFORE), items(0, 1, *range(20, 28)))

    batch = the_batch(rt)
    assert (batch.reason, len(batch.drafts)) == ("churn", 8)
    assert counts(rt, EVENTS) == {"published": 10}
    assert "8 held back (churn)" in rows(rt, "SELECT detail FROM fetches ORDER BY id")[-1]["detail"]

    assert quarantine.release(rt, batch.id, by="operator") == 8
    assert counts(rt, EVENTS) == {"published": 18}
    assert quarantine.open_batches(rt) == []
    with pytest.raises(Conflict):
        quarantine.release(rt, batch.id, by="operator")


def test_what_was_dropped_never_comes_up_again(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    strange = items(0, 1, *range(20, 28))
    read(rt, web, clock, items(*BEFORE), strange)
    assert quarantine.drop(rt, the_batch(rt).id, by="operator") == 8

    read(rt, web, clock, [item(30), *strange])

    assert quarantine.open_batches(rt) == []
    assert counts(rt, EVENTS) == {"published": 11}


def test_while_a_batch_waits_other_entries_go_on_and_its_own_stay(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    strange = items(0, 1, *range(20, 28))
    read(rt, web, clock, items(*BEFORE), strange, [item(40), item(20, title="Nowy"), *strange[3:]])

    assert counts(rt, EVENTS) == {"published": 11}
    batch = the_batch(rt)
    assert len(batch.drafts) == 8
    assert "Nowy 20" in [draft.title for draft in batch.drafts]


def test_a_flood_is_held(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    read(rt, web, clock, items(*range(30)), items(*range(30), *range(100, 115)))
    assert the_batch(rt).reason == "flood"


def test_an_empty_feed_is_held_and_withdraws_nothing(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    read(rt, web, clock, items(*BEFORE), [])
    assert (the_batch(rt).reason, the_batch(rt).drafts) == ("empty", ())
    assert counts(rt, EVENTS) == {"published": 10}


def test_dates_that_all_lie_in_the_future_are_held_even_at_the_first_reading(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    future = [item(n, more="<pubDate>2031-01-05T10:00:00Z</pubDate>") for n in range(3)]
    read(rt, web, clock, future)
    assert the_batch(rt).reason == "future"
    assert counts(rt, EVENTS) == {}

    quarantine.release(rt, the_batch(rt).id, by="operator")
    more = [item(n, more="<pubDate>2031-02-05T10:00:00Z</pubDate>") for n in range(10, 13)]
    read(rt, web, clock, [*more, *future])  # who released that once need not do so again
    assert counts(rt, EVENTS) == {"published": 6}


def test_another_language_is_held(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    def said(number: int, words: str) -> str:
        return item(number, more=f"<description>{words}</description>")

    polish = "Gmina ogłasza nabór dla firm, a wnioski są do pobrania na stronie oraz w urzędzie."
    english = "The best of casino bonus offers for you and all of your friends, with the top rates in town."
    old = [said(n, polish) for n in range(8)]
    read(rt, web, clock, old, [*[said(n, english) for n in range(20, 23)], *old])
    assert the_batch(rt).reason == "language"


def test_a_slow_source_that_was_away_for_weeks_is_not_held(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    def at(number: int) -> str:
        day = clock.now() - timedelta(days=20 - number)
        return item(number, more=f"<pubDate>{day:%Y-%m-%d}</pubDate>")

    first, later = [at(n) for n in range(10)], [at(n) for n in range(10, 20)]
    web.answer("/feed", *[Answer(body=rss(*one)) for one in (first, later)])
    feed(rt, web.url("/feed"))
    poll.run(rt)
    clock.advance(timedelta(days=14))
    poll.run(rt)
    assert quarantine.open_batches(rt) == []


def test_a_batch_that_is_not_there_is_told_as_such(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        quarantine.drop(rt, 7, by="operator")


def test_every_decision_has_a_line_in_the_ledger(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    read(rt, web, clock, items(*BEFORE), items(*range(20, 30)))
    quarantine.drop(rt, the_batch(rt).id, by="operator")
    assert only(rt, "SELECT actor FROM audit_lines WHERE action = 'held.dropped'")["actor"] == "operator"
