"""A source's health is told in words, and the operator hears of each change once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from services.clock import FrozenClock
from services.domain.notices import OPERATION
from services.domain.source_health import Known, SourceState, judge
from services.manage import event_log, notices, source_health
from services.pipeline import match
from services.runtime import Runtime
from tests.conftest import NOON
from tests.factories import counts, draft, feed, only, publish, reader, rows

DAY = timedelta(days=1)


def known(
    *days_ago: float, errors: int = 0, error: str | None = None, since: datetime | None = None
) -> Known:
    recent = [NOON - days * DAY for days in days_ago]
    return Known("feed", False, None, errors, error, since or NOON - 99 * DAY, recent)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("forbidden (403)", "turns machines away"),
        ("tls: certificate has expired", "certificate"),
        ("dns: no such host", "leads nowhere"),
        ("rate limited (429)", "too often"),
        ("This is an empty shell that a browser has to fill, not a feed.", "only a browser"),
        ("The feed could not be read within 5 seconds.", "attack"),
        ("The document holds no feed", "cannot be read"),
    ],
)
def test_an_error_is_told_in_words(error: str, said: str) -> None:
    found = judge(known(1, errors=3, error=error), now=NOON)
    assert found.state is SourceState.BROKEN
    assert said in f"{found.words} {found.advice}"


def test_silence_is_strange_by_the_sources_own_rhythm() -> None:
    daily = judge(known(9, 10, 11, 12, 13), now=NOON)
    weekly = judge(known(9, 16, 23, 30, 37), now=NOON)
    assert (daily.state, weekly.state) == (SourceState.SILENT, SourceState.WELL)
    assert daily.rhythm == DAY
    assert weekly.alarm_at == NOON - 9 * DAY + 28 * DAY


def test_a_source_without_a_rhythm_has_sixty_days() -> None:
    assert judge(known(59, since=NOON - 59 * DAY), now=NOON).state is SourceState.WELL
    assert judge(known(61, since=NOON - 61 * DAY), now=NOON).state is SourceState.SILENT


def test_the_operator_hears_of_a_break_and_a_recovery_once(rt: Runtime, clock: FrozenClock) -> None:
    source_id = feed(rt, "http://127.0.0.1:9/feed?key=sesame")

    def becomes(errors: int) -> list[str]:
        with rt.begin() as session:
            change = "UPDATE sources SET errors = :n, last_error = 'dns: nothing', first_read_at = now()"
            session.execute(text(f"{change} WHERE id = :id"), {"n": errors, "id": source_id})
        before = len(rows(rt, "SELECT id FROM events"))
        for _ in range(2):
            source_health.watch(rt)
            clock.advance(timedelta(hours=1))
        return [
            r["title"] for r in rows(rt, f"SELECT snapshot->>'title' AS title FROM events OFFSET {before}")
        ]

    assert becomes(1) == []
    [broken] = becomes(3)
    assert broken.startswith(f"Source {source_id} is broken: 127.0.0.1 (")  # anyone may ask for such words
    assert becomes(1) == []
    [well] = becomes(0)
    assert well.startswith(f"Source {source_id} works again")
    assert only(rt, "SELECT count(DISTINCT kind) AS n FROM notices WHERE kind = 'operation'")["n"] == 1


def test_word_about_our_own_work_reaches_only_who_asks_for_it(rt: Runtime) -> None:
    reader(rt, "words@mail.example", "źródło OR source OR Toruń")
    reader(rt, "place@mail.example", "place:torun OR lang:en OR topic:local-government-planning")
    reader(rt, "operator@mail.example", "kind:operation")
    title = "Source 7 is broken: aktualności (Urząd Miasta Torunia)"
    publish(rt, draft("x", title=title, kind=OPERATION, language="en"))
    match.run(rt)

    told = "SELECT r.email, c.state FROM candidates c JOIN subscriptions s ON s.id = c.subscription_id"
    assert set(counts(rt, f"{told} JOIN subscribers r ON r.id = s.subscriber_id")) == {
        "operator@mail.example"
    }
    assert notices.search(rt).items == []
    assert event_log.page(rt).items == []
    assert [one["title"] for one in notices.search(rt, q="kind:operation").items] == [title]
    assert len(event_log.page(rt, q="kind:operation").items) == 1
