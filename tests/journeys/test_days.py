"""Days in the life of a reader: a feed that speaks, clocks that change, digests each morning and midnight.

The clock is turned by hand and the stages are run as the sweep asks for them; all else is real.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest

from services.clock import FrozenClock
from services.pipeline import sweep
from services.queue import Stage
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import feed, only, reader
from tests.feeds.bodies import rss
from tests.mails import mails
from workers.actors import STAGES

WARSAW = ZoneInfo("Europe/Warsaw")
NEXT = "SELECT least((SELECT min(due_at) FROM sources), (SELECT min(due_at) FROM rhythms)) AS at"
HEADERS = (("Content-Type", "application/rss+xml"), ("Cache-Control", "max-age=7000"))
# Clocks change at 01:00 UTC on 29 March and 25 October 2026.
CHANGES = [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


def work_until_nothing_is_due(rt: Runtime) -> None:
    while due := sweep.due(rt):
        for stage in due:
            STAGES[Stage(stage)](rt)


@pytest.mark.parametrize("start", CHANGES, ids=["spring", "autumn"])
def test_over_midnight_and_a_change_of_clocks_each_notice_comes_once_and_at_its_hour(
    open_runtime: OpenRuntime, sink: SmtpSink, web: WebDouble, clock: FrozenClock, start: datetime
) -> None:
    clock.set(start)
    rt = open_runtime(mail="smtp", smtp_url=sink.url)
    items: list[str] = []

    def speak(_: Received) -> Answer:
        """A new item at each visit, dated now."""
        number = len(items)
        items.append(
            f"<title>Nabór {number:02}</title><guid>n-{number}</guid>"
            f"<link>https://miasto.example/{number}</link><pubDate>{format_datetime(clock.now())}</pubDate>"
        )
        return Answer(headers=HEADERS, body=rss(*items))

    web.answer("/feed", speak)
    feed(rt, web.url("/feed"))
    for name, hour in (("morning", "07:00"), ("midnight", "00:00"), ("night", "02:30")):
        reader(rt, f"{name}@mail.example", "nabór", cadence=f"daily@{hour}")
    came: dict[str, list[str]] = {}
    while clock.now() < start + timedelta(hours=28):
        work_until_nothing_is_due(rt)
        for mail in mails(sink)[sum(map(len, came.values())) :]:
            came.setdefault(mail.to, []).append(f"{clock.now().astimezone(WARSAW):%d %H:%M}")
        clock.set(only(rt, NEXT)["at"])

    first, second = (f"{(start + timedelta(days=day)).day:02}" for day in (1, 2))
    assert came == {
        "midnight@mail.example": [f"{first} 00:00", f"{second} 00:00"],
        "night@mail.example": [f"{first} {'03:00' if start.month == 3 else '02:30'}"],
        "morning@mail.example": [f"{first} 07:00"],
    }
    for to in came:
        told = [number for mail in mails(sink, to) for number in set(re.findall(r"Nabór (\d\d)", mail.text))]
        assert sorted(told) == [f"{number:02}" for number in range(len(told))], to
    assert len(items) > 10
