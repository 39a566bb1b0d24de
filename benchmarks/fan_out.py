"""From a push to written deliveries, end to end: many interests of many people, and one or two matchers.

Matchers and a composer are processes of their own, as in production, beside a durable PostgreSQL on the same
machine. Two phases: everything pushed at once, for the rate; then one push after the other at half that rate,
for the time from a push until the last row of its readers, endpoints and alerts is written. Floor: the same
rows by INSERT alone, with nobody to find out whose they are. And one notice that reaches everybody.
"""

import dataclasses
import itertools
import logging
import multiprocessing
import random
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import _here  # noqa: F401
import _report
from _interests import World
from sqlalchemy import text

from services import embedded, log
from services import settings as settings_module
from services.domain.drafts import Draft
from services.errors import QueryError
from services.interests import language
from services.manage import endpoints
from services.pipeline import compose, match
from services.pipeline.following import refresh, save
from services.runtime import Runtime
from services.settings import Settings
from services.storage import schema
from services.storage.subscriptions import interest_hash
from tests.factories import many_readers, publish, rows

INSTANT = 0.01  # of the subscriptions; the others wait for a digest
PAUSE_S = 0.02
GOODBYE_S = 30
WARM_UP = 50
STAGES = {"match": match.run, "compose": compose.run}


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    interests: int
    subscribers: int
    events: int
    paced: int
    endpoints: int
    everybody: int


FULL = Sizes(1_000_000, 300_000, 2_000, 200, 200, 100_000)
QUICK = Sizes(5_000, 2_000, 60, 20, 10, 5_000)


def main() -> None:
    given = _report.arguments(__doc__)
    sizes = QUICK if given.quick else FULL
    if given.rounds:  # for a machine in a hurry: so many events instead of two thousand
        sizes = dataclasses.replace(sizes, events=given.rounds, paced=max(20, given.rounds // 10))
    machine = _report.machine()
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    with _house() as rt:
        _people(rt, sizes)
        began = time.perf_counter()
        assert refresh(rt, rt.index)
        built_s = time.perf_counter() - began
        save(rt, rt.index, after=1)
        table = [_run(rt, sizes, matchers, World(3 + matchers)) for matchers in (1, 2)]
        floor = _floor(rt)
        everybody = _everybody(rt, sizes.everybody)
    figures = {
        "machine": machine,
        "interests": len(rt.index),
        "subscribers": sizes.subscribers,
        "index built from the queries s": round(built_s, 1),
        "floor, the same rows by INSERT alone, rows/s": floor,
        f"one notice to {sizes.everybody:,} readers s": everybody,
    }
    _report.tell(figures, {"from a push to written deliveries": table}, as_json=given.json)


@contextmanager
def _house() -> Iterator[Runtime]:
    with tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder:
        wanted = settings_module.of(
            data_dir=Path(folder) / "data", secret_key="a secret for benchmarks",
            mail_from="goniec@goniec.example", allow_networks="127.0.0.0/8",
        )  # fmt: skip
        with embedded.start(wanted) as engines:
            rt = Runtime.open(engines.settings)
            schema.migrate(rt.engine)
            yield rt
            rt.close()


def _people(rt: Runtime, sizes: Sizes) -> None:
    """Everybody asks for something, most for several things; a few endpoints listen too."""
    canonical: dict[str, None] = {}
    for query in World(1).queries():
        try:
            canonical.setdefault(language.canonical(language.parse(query)))
        except QueryError:
            continue
        if len(canonical) == sizes.interests:
            break
    now, pick = rt.clock.now(), random.Random(5)
    with rt.begin() as session:
        driver: Any = session.connection().connection.driver_connection
        with driver.cursor() as cursor:
            with cursor.copy("COPY interests (id, hash, canonical, created_at) FROM STDIN") as copy:
                for number, one in enumerate(canonical, 1):
                    copy.write_row((number, interest_hash(one), one, now))
            people = (
                "COPY subscribers (id, email, email_hash, state, locale, timezone, created_at) FROM STDIN"
            )
            with cursor.copy(people) as copy:
                for number in range(1, sizes.subscribers + 1):
                    address = f"s-{number}@mail.example"
                    copy.write_row(
                        (number, address, interest_hash(address), "active", "pl", "Europe/Warsaw", now)
                    )
            asked = """COPY subscriptions (subscriber_id, interest_id, query, label, channel, cadence,
                                           created_at) FROM STDIN"""
            with cursor.copy(asked) as copy:
                for number in range(1, sizes.interests + 1):
                    cadence = "instant" if pick.random() < INSTANT else "daily@07:00"
                    reader = pick.randint(1, sizes.subscribers)
                    copy.write_row((reader, number, "q", f"zakres {number % 50}", "email", cadence, now))
    for table in ("interests", "subscribers"):
        rows(rt, f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    for number in range(sizes.endpoints):
        endpoints.add(rt, "bench", url=f"http://127.0.0.1:9/{number}", query="topic:funding")
    with rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _run(rt: Runtime, sizes: Sizes, matchers: int, world: World) -> _report.Row:
    drafts = _drafts(world, f"m{matchers}")
    with Crew(rt.settings, ["match"] * matchers + ["compose"]) as crew:
        publish(rt, *itertools.islice(drafts, WARM_UP))  # dictionaries and templates are loaded at first use
        crew.wait(lambda: _is_settled(rt))
        began, candidates = time.perf_counter(), _count(rt, "candidates")
        for _ in range(0, sizes.events, 50):
            publish(rt, *itertools.islice(drafts, min(50, sizes.events)))
        crew.wait(lambda: _is_settled(rt))
        spent = time.perf_counter() - began
        written = _count(rt, "candidates") - candidates
        first = rows(rt, "SELECT max(id) AS id FROM events")[0]["id"]
        pause_s = 2 * spent / sizes.events
        for draft in itertools.islice(drafts, sizes.paced):
            publish(rt, draft)
            time.sleep(pause_s)
        crew.wait(lambda: _is_settled(rt))
    taken = sorted(float(row["ms"]) for row in rows(rt, _TAKEN, first=first) if row["ms"] is not None)
    return {
        "matchers": matchers,
        "events": sizes.events,
        "ready s": round(crew.ready_s, 1),
        "events/s": round(sizes.events / spent, 1),
        "readers of an event": round(written / sizes.events),
        "rows/s": round(written / spent),
        "p50 ms": round(statistics.median(taken), 1),
        "p99 ms": round(taken[int(len(taken) * 0.99)], 1),
    }


_TAKEN = """
    WITH alerts AS (
        SELECT i.event_id, max(d.created_at) AS at
        FROM issue_items i JOIN deliveries d ON d.issue_id = i.issue_id WHERE i.event_id > :first GROUP BY 1
    )
    SELECT 1000 * extract(epoch FROM greatest(
        (SELECT max(c.at) FROM candidates c WHERE c.event_id = e.id),
        (SELECT max(d.created_at) FROM deliveries d WHERE d.event_id = e.id),
        alerts.at) - e.at) AS ms
    FROM events e LEFT JOIN alerts ON alerts.event_id = e.id WHERE e.id > :first
"""
_WAITS = """
    SELECT EXISTS (SELECT FROM events WHERE state IN ('pending', 'leased', 'matching'))
        OR EXISTS (SELECT FROM candidates WHERE cadence = 'instant' AND state IN ('pending', 'leased'))
        AS waits
"""


def _drafts(world: World, name: str) -> Iterator[Draft]:
    for one in world.documents():
        yield Draft(
            key=f"{name}-{one.notice_id}", kind=one.kind, title=one.title, summary=one.summary,
            body_html=f"<p>{one.body}</p>", language="pl", topics=one.topics, places=one.places,
            audience=one.audience, deadline_at=one.deadline_at,
        )  # fmt: skip


class Crew:
    """Processes of these stages. One that dies ends the benchmark, with its words."""

    def __init__(self, settings: Settings, stages: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop, self._last_words = context.Event(), context.SimpleQueue()
        self._ready = [context.Event() for _ in stages]
        self._processes = [
            context.Process(
                target=_work, args=(settings, stage, ready, self._stop, self._last_words), name=stage
            )
            for stage, ready in zip(stages, self._ready, strict=True)
        ]

    def __enter__(self) -> "Crew":
        began = time.perf_counter()
        for process in self._processes:
            process.start()
        self.wait(lambda: all(one.is_set() for one in self._ready))
        self.ready_s = time.perf_counter() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for process in self._processes:
            process.join(GOODBYE_S)
            if process.is_alive():
                process.kill()

    def wait(self, is_done: Callable[[], bool]) -> None:
        """Until it is; raises ChildDied when a process ends first."""
        while not is_done():
            for process in self._processes:
                if not process.is_alive():
                    words = "" if self._last_words.empty() else self._last_words.get()
                    raise ChildDied(f"The process of {process.name} ended ({process.exitcode}). {words}")
            time.sleep(PAUSE_S)


class ChildDied(RuntimeError):
    """A process that was to work on ended; the message holds its last words."""


def _work(
    settings: Settings, stage: str, ready: Signal, stop: Signal, last_words: "SimpleQueue[str]"
) -> None:
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    try:
        rt = Runtime.open(settings)
        if stage == "match":
            refresh(rt, rt.index)
        ready.set()
        while not stop.wait(PAUSE_S):
            STAGES[stage](rt)
        rt.close()
    except Exception:
        last_words.put(traceback.format_exc())
        raise


def _is_settled(rt: Runtime) -> bool:
    return not rows(rt, _WAITS)[0]["waits"]


def _count(rt: Runtime, table: str) -> int:
    return int(rows(rt, f"SELECT count(*) AS n FROM {table}")[0]["n"])


def _floor(rt: Runtime) -> int:
    """Candidates of the last events once more, into an empty table with the same indexes."""
    with rt.engine.begin() as connection:
        connection.execute(text("CREATE TABLE floor (LIKE candidates INCLUDING ALL)"))
    began = time.perf_counter()
    copied = rows(rt, """
        WITH written AS (INSERT INTO floor OVERRIDING SYSTEM VALUE
                         SELECT * FROM candidates ORDER BY id DESC LIMIT 100000 RETURNING 1)
        SELECT count(*) AS n FROM written
    """)  # fmt: skip
    return round(int(copied[0]["n"]) / (time.perf_counter() - began))


def _everybody(rt: Runtime, readers: int) -> float:
    many_readers(rt, readers, "urgentne", prefix="all")
    publish(rt, Draft(key="everybody", kind="news", title="Urgentne"))
    began = time.perf_counter()
    assert match.run(rt) == 1
    spent = time.perf_counter() - began
    reached = rows(rt, "SELECT count(*) AS n FROM candidates WHERE event_id = (SELECT max(id) FROM events)")
    assert reached[0]["n"] >= readers
    return round(spent, 2)


if __name__ == "__main__":
    main()
