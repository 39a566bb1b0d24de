"""A poller that dies, and a database that goes away, between what a publisher said and what is stored of it.

Whatever is cut off where: every entry is stored once, no event is doubled, and the validators that are kept
are never newer than the entries that are.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from services import embedded
from services.clock import FrozenClock, SystemClock
from services.embedded import Engines
from services.pipeline import poll
from services.runtime import Runtime
from services.settings import child_environment
from services.storage import schema
from tests.conftest import NOON, OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import counts, feed, only, rows
from tests.feeds.bodies import rss

ROOT = Path(__file__).resolve().parents[3]
WORKER = (
    "from services import settings; from services.runtime import Runtime; from services.pipeline import poll;"
    "poll.run(Runtime.open(settings.load()))"
)
BEFORE = [("a", "Nabór"), ("b", "Sesja")]
AFTER = [("a", "Nabór przedłużony"), ("b", "Sesja"), ("c", "Targi")]
# Where a poller is stopped: at the first row that it writes of this table, in the end at its source.
STATIONS = ("notices", "revisions", "events", "sources")
LONG_ENOUGH = timedelta(days=2)


def answer(entries: list[tuple[str, str]], etag: str) -> Answer:
    body = rss(*(f"<title>{title}</title><guid>{key}</guid>" for key, title in entries))
    return Answer(headers=(("Content-Type", "application/rss+xml"), ("ETag", etag)), body=body)


class Scene:
    """A publisher that has said one thing, which is stored, and says another now, at which a gate falls."""

    def __init__(self, rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
        self.rt, self.web, self.clock = rt, web, clock
        self._gate: Connection | None = None
        self._engine = create_engine(rt.engine.url)
        self.station: str | None = None
        web.answer("/feed", answer(BEFORE, '"1"'), self._second)
        self.source_id = feed(rt, web.url("/feed"))
        poll.run(rt)
        clock.advance(LONG_ENOUGH)

    def _second(self, got: Received) -> Answer:
        """Nothing that the poller wrote before the request is open any more."""
        if got.headers.get("if-none-match") == '"2"':
            return Answer(status=304)
        if self.station and self._gate is None:
            self._gate = self._engine.connect()
            if self.station == "sources":
                self._gate.execute(text("SELECT 1 FROM sources FOR NO KEY UPDATE"))
            else:
                self._gate.execute(text(f"LOCK TABLE {self.station} IN SHARE ROW EXCLUSIVE MODE"))
        return answer(AFTER, '"2"')

    def waiting(self) -> int:
        """The database's process that stands at the gate."""
        query = text(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with self._engine.connect() as connection:
                found = connection.scalar(query)
            if found is not None:
                return int(found)
            time.sleep(0.01)
        raise AssertionError("nobody came to the gate")

    def lift(self) -> None:
        if self._gate is not None:
            with suppress(DBAPIError):  # its server may have gone
                self._gate.rollback()
            self._gate.close()

    def close(self) -> None:
        self.lift()
        self._engine.dispose()

    def etag(self) -> str:
        return str(only(self.rt, "SELECT etag FROM sources")["etag"])

    def assert_all_is_once(self) -> None:
        titles = [row["title"] for row in rows(self.rt, "SELECT title FROM notices ORDER BY title")]
        assert titles == sorted(dict(AFTER).values())
        events = counts(self.rt, "SELECT type, count(*) FROM events GROUP BY type")
        assert events == {"published": 3, "revised": 1}
        assert len(rows(self.rt, "SELECT 1 FROM revisions")) == 4
        assert self.etag() == '"2"'


@pytest.fixture
def scene(rt: Runtime, clock: FrozenClock) -> Iterator[Scene]:
    with WebDouble() as web:
        made = Scene(rt, web, clock)
        yield made
        made.close()


@contextmanager
def poller(scene: Scene) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own that polls by the clock of the wall."""
    now = SystemClock().now()
    with scene.rt.begin() as session:
        session.execute(text("UPDATE sources SET due_at = :now, last_checked_at = :now"), {"now": now})
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=child_environment(scene.rt.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("station", STATIONS)
def test_a_poller_killed_between_fetch_and_store_loses_and_doubles_nothing(
    scene: Scene, open_runtime: OpenRuntime, station: str
) -> None:
    scene.station = station
    with poller(scene) as process:
        scene.waiting()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    scene.lift()

    assert scene.etag() == '"1"'
    assert only(scene.rt, "SELECT state FROM sources")["state"] == "leased"
    later = FrozenClock(SystemClock().now() + poll.LEASE + timedelta(minutes=1))
    assert poll.run(open_runtime(at=later)) == 1
    later.advance(LONG_ENOUGH)
    assert poll.run(open_runtime(at=later)) == 1

    sent = [one.headers.get("if-none-match") for one in scene.web.received]
    assert sent == [None, '"1"', '"1"', '"2"']
    scene.assert_all_is_once()


def in_background(rt: Runtime) -> threading.Thread:
    thread = threading.Thread(target=poll.run, args=(rt,))
    thread.start()
    return thread


@pytest.mark.parametrize("station", STATIONS)
def test_a_connection_that_breaks_in_the_middle_of_storing_costs_nothing(scene: Scene, station: str) -> None:
    scene.station = station
    polling = in_background(scene.rt)
    broken = scene.waiting()
    with scene.rt.begin() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": broken})
    assert scene.etag() == '"1"'
    scene.lift()
    polling.join(30)

    assert len(scene.web.received) == 2, "what was read is not asked for again"
    scene.assert_all_is_once()


class Patient(FrozenClock):
    """Waits as long as it says, so that a database has the time to come back."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        super().sleep(seconds)


@pytest.fixture
def own_engines(tmp_path: Path) -> Iterator[Engines]:
    """A PostgreSQL that may be restarted: nobody else uses it."""
    with embedded.start_scratch(tmp_path / "own") as running:
        engine = create_engine(running.database_url)
        schema.migrate(engine)
        engine.dispose()
        yield running


@pytest.mark.parametrize("station", ["events", "sources"])
def test_a_database_that_restarts_in_the_middle_of_storing_costs_nothing(
    own_engines: Engines, open_runtime: OpenRuntime, station: str
) -> None:
    clock = Patient(NOON)
    rt = open_runtime(at=clock, database_url=own_engines.database_url)
    with WebDouble() as web:
        scene = Scene(rt, web, clock)
        scene.station = station
        polling = in_background(rt)
        pid = scene.waiting()
        psutil.Process(pid).parent().send_signal(signal.SIGINT)  # type: ignore[union-attr]
        deadline = time.monotonic() + 30
        while not own_engines.revive():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        polling.join(60)
        scene.close()

        assert len(web.received) == 2
        scene.assert_all_is_once()
