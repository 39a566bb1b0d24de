"""A preview is what holding the query against every notice gives, while notices come, change and go."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.clock import FrozenClock
from services.domain.drafts import Draft
from services.interests import language
from services.interests.evaluate import meets
from services.interests.reading import Reading
from services.manage import previews
from services.manage.previews import Preview
from services.runtime import Runtime
from services.storage import search
from services.storage.search import Listed
from tests import factories

DAY = timedelta(days=1)
WORDS = (
    "nabór",
    "dotacja",
    "rowery",
    "wodór",
    "amoniak",
    "Toruniu",
    "Świeciu",
    "sztuczna",
    "inteligencja",
    "firm",
)
QUERIES = (
    "rower", "wodór OR amoniak", '"sztuczna inteligencja"', "topic:funding", "topic:health -kind:job",
    "place:04 kind:call", "place:torun", "deadline<30d", "deadline>=10d rower", "title:dotacja", "=rowery",
    "inteligen*", "lang:pl -(rower OR wodór)", "place:btof (topic:funding OR topic:science)", "drony rower",
    "nieistniejące", "institution:gmina-testowa", "audience:company",
)  # fmt: skip


def random_draft(chance: random.Random, key: int, now: datetime) -> Draft:
    return factories.draft(
        str(key),
        title=" ".join(chance.sample(WORDS, 3)),
        summary=" ".join(chance.sample(WORDS, 4)),
        kind=chance.choice(("news", "call", "job", "tender")),
        topics=tuple(chance.sample(("funding", "health", "science"), chance.randrange(3))),
        places=tuple(chance.sample(("0463011", "0461011", "0403012"), chance.randrange(3))),
        audience=tuple(chance.sample(("company", "citizen"), chance.randrange(2))),
        language=chance.choice(("pl", "en", None)),
        deadline_at=chance.choice((None, now + chance.randrange(-5, 60) * DAY)),
        published_at=now - timedelta(days=chance.randrange(0, 100), hours=chance.randrange(24)),
    )


def standing(rt: Runtime) -> list[Listed]:
    """The notices of ninety days, newest first, read anew."""
    with rt.begin() as session:
        return search.page(session, after=None, since=rt.clock.now() - 90 * DAY, limit=10_000)


def check(rt: Runtime, query: str, told: list[Listed], found: Preview) -> None:
    now = rt.clock.now()

    def met_by(text: str) -> list[Listed]:
        tree = language.parse(text)
        return [one for one in told if meets(tree, Reading(one.document(), rt.analyser), now)]

    met = met_by(query)
    recent = [one for one in met if one.published_at >= now - 30 * DAY]
    assert (found.count, found.count_90, found.days, found.days_90) == (len(recent), len(met), 30, 90)
    assert [one["id"] for one in found.samples] == [one.form["id"] for one in recent[:5]]
    ends = [*(week.since for week in found.weeks[1:]), now]
    for week, end in zip(found.weeks, ends, strict=True):
        inside = [one for one in met if week.since <= one.published_at <= end]
        assert week.count in (len(inside), len([one for one in inside if one.published_at > week.since]))
    assert sum(week.count for week in found.weeks) == len(met)
    assert (found.advice == "widen") is (not met)
    for one in found.suggestions:
        assert one.count == len(met_by(one.query)) > 0


def test_it_counts_what_the_oracle_counts_while_notices_come_change_and_go(
    rt: Runtime, clock: FrozenClock
) -> None:
    chance = random.Random(7)
    for _ in range(6):
        keys = [chance.randrange(60) for _ in range(25)]
        factories.publish(rt, *[random_draft(chance, key, clock.now()) for key in dict.fromkeys(keys)])
        factories.withdraw(rt, *[str(chance.randrange(60)) for _ in range(3)])
        clock.advance(timedelta(days=chance.randrange(12), seconds=2))
        told = standing(rt)
        for query in QUERIES:
            check(rt, query, told, previews.preview(rt, query))


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 26, 23, 30, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
    ],
)
def test_weeks_add_up_across_a_change_of_clocks_and_at_their_borders(
    rt: Runtime, clock: FrozenClock, now: datetime
) -> None:
    clock.set(now)
    times = [now - n * timedelta(days=3.5) for n in range(26)]
    times += [
        now.astimezone(ZoneInfo("Europe/Warsaw")).replace(hour=0, minute=0) - n * DAY for n in range(40)
    ]
    factories.publish(rt, *[factories.draft(str(n), published_at=at) for n, at in enumerate(times)])
    found = previews.preview(rt, "kind:call")
    inside = [at for at in times if now - 90 * DAY <= at]
    assert found.count_90 == len(inside) == sum(week.count for week in found.weeks)
    assert len(found.weeks) == 13
    spans = [later.since - week.since for week, later in zip(found.weeks, found.weeks[1:], strict=False)]
    assert spans == [6 * DAY, *[7 * DAY] * 11]
