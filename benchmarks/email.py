"""How fast mail leaves with the full ledger: one alert for all, digests of fifty contents, all-distinct ones.

Two workers on PostgreSQL as it runs by default, sending to postfix's smtp-sink. Beside it in the same run, of
the same size: smtp-source (the floor: it writes nothing down), and the plain way, an EmailMessage
and smtplib for each reader over one kept connection (the baseline: no ledger either).
"""

import _here  # noqa: F401  before all others: `email` is the standard library's from here on

# isort: split
import dataclasses
import itertools
import logging
import multiprocessing
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

import _report
import _sinks
import psutil

from services import embedded, log
from services import settings as settings_module
from services.channels import mime
from services.clock import SystemClock
from services.domain.drafts import Draft
from services.pipeline import compose, deliver, match
from services.pipeline.letters import letter
from services.runtime import Runtime
from services.settings import Settings
from services.storage import deliveries, schema, work
from services.storage import subscriptions as uses
from tests.factories import many_readers, publish, rows

BODY = "<p>Nabór wniosków o dotacje na badania i rozwój trwa do końca miesiąca.</p>" * 12
SUMMARY = "Nabór wniosków o dotacje dla firm i uczelni trwa do końca miesiąca."
CONTENTS = 50
CADENCE = "daily@07:00"
BASELINE_MESSAGES = 1_000
WORKERS = 2


class TurnedClock(SystemClock):
    """The system's clock, put forward by hand: digests have their hour."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """Which topics each reader asks for, by the reader's number; None is one alert for everybody."""

    name: str
    topics: int
    asked: Callable[[int], Sequence[int]] | None


def cases(readers: int) -> list[Case]:
    """Two topics make more pairs than there are readers, so no two of the last case read the same."""
    topics = next(n for n in itertools.count(3) if n * (n - 1) // 2 >= readers)
    pairs = list(itertools.islice(itertools.combinations(range(topics), 2), readers))
    return [
        Case("(a) one alert", 1, None),
        Case(f"(b) digests of {CONTENTS} contents", CONTENTS, lambda reader: (reader % CONTENTS,)),
        Case("(c) digests all distinct", topics, lambda reader: pairs[reader]),
    ]


def main() -> None:
    given = _report.arguments(__doc__)
    machine = _report.machine()
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    table: list[_report.Row] = []
    with _sinks.postfix() as programs, _sinks.mail_sink(programs) as port:
        for readers in (1_000,) if given.quick else (20_000, 100_000):
            for case in cases(readers):
                with _house(port) as (rt, clock, postgres):
                    figures, sample = _run(rt, clock, postgres, case, readers)
                floor = _sinks.mail_floor(
                    programs, port, messages=min(readers, 20_000), size_bytes=len(sample)
                )
                baseline = _baseline(port, sample)
                share = {"floor/s": round(floor, 1), "of the floor": round(figures["messages/s"] / floor, 3)}
                row = {"readers": readers, "bytes": len(sample), **figures, **share, "baseline/s": baseline}
                table.append({"case": case.name, **row})
    told = {
        "machine": machine,
        "mail floor": "smtp-source and smtp-sink of postfix" if programs
        else "a plain sender and receiver of ours, as postfix cannot be had here",
        "peak_memory_mb": _report.peak_memory_mb(),
    }  # fmt: skip
    _report.tell(told, {"from due to the mail server": table}, as_json=given.json)


@contextmanager
def _house(mail_port: int) -> Iterator[tuple[Runtime, TurnedClock, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder:
        wanted = settings_module.of(
            data_dir=Path(folder) / "data",
            secret_key="a secret for benchmarks",
            mail="smtp",
            smtp_url=f"smtp://127.0.0.1:{mail_port}",
            mail_from="Goniec <goniec@goniec.example>",
        )
        clock = TurnedClock()
        with embedded.start(wanted) as engines:
            rt = Runtime.open(engines.settings, clock=clock)
            schema.migrate(rt.engine)
            assert engines.postgres is not None
            assert engines.postgres.pid is not None
            yield rt, clock, psutil.Process(engines.postgres.pid)
            rt.close()


def _run(
    rt: Runtime, clock: TurnedClock, postgres: psutil.Process, case: Case, readers: int
) -> tuple[dict[str, float], bytes]:
    """What it took to send, and one of the messages."""
    if case.asked is None:
        many_readers(rt, readers, "kind:call")
    else:
        _many_digests(rt, readers, case)
    publish(rt, *(_notice(topic) for topic in range(case.topics)))
    match.run(rt)
    clock.ahead += timedelta(days=1) if case.asked else timedelta()
    began = time.perf_counter()
    compose.run(rt)
    composed = time.perf_counter() - began
    contents = int(rows(rt, "SELECT count(DISTINCT content_hash) AS n FROM issues")[0]["n"])
    sample = _sample(rt)
    figures = _timed(rt, postgres, readers)
    sent = rows(rt, "SELECT count(*) AS n FROM attempts WHERE outcome = 'sent'")[0]["n"]
    assert sent == readers, f"{sent} of {readers} were sent"
    return {"contents": contents, **figures, "compose/s": round(readers / composed, 1)}, sample


def _timed(rt: Runtime, postgres: psutil.Process, readers: int) -> dict[str, float]:
    """Both workers send; of their memory the one that holds more is told."""
    fresh = multiprocessing.get_context("spawn")
    start, told = fresh.Event(), fresh.SimpleQueue()
    ahead = rt.clock.now() - SystemClock().now()
    workers = [
        fresh.Process(target=_send, args=(rt.settings, ahead, start, told), daemon=True)
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    assert [told.get() for _ in workers] == ["ready"] * WORKERS
    wall, theirs = time.perf_counter(), _database_s(postgres)
    start.set()
    spent = [told.get() for _ in workers]
    wall, theirs = time.perf_counter() - wall, _database_s(postgres) - theirs
    for worker in workers:
        worker.join()
    return {
        "messages/s": round(readers / wall, 1),
        "CPU ms": round(1000 * sum(cpu_s for cpu_s, _ in spent) / readers, 4),
        "PostgreSQL CPU ms": round(1000 * theirs / readers, 4),
        "memory MB": max(memory for _, memory in spent),
    }


def _send(settings: Settings, ahead: timedelta, start: Event, told: SimpleQueue[object]) -> None:
    """One worker of its own: ready, then sending until nothing is due; tells CPU seconds and memory in MB."""
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    clock = TurnedClock()
    clock.ahead = ahead
    rt = Runtime.open(settings, clock=clock)
    rows(rt, "SELECT 1")
    told.put("ready")
    start.wait()
    cpu_s = time.process_time()
    deliver.run_mail(rt)
    told.put((time.process_time() - cpu_s, round(psutil.Process().memory_info().rss / 2**20, 1)))
    rt.close()


def _database_s(postgres: psutil.Process) -> float:
    total = 0.0
    for process in (postgres, *postgres.children()):
        try:
            spent = process.cpu_times()
        except psutil.Error:
            continue
        total += spent.user + spent.system
    return total


def _notice(topic: int) -> Draft:
    return Draft(key=f"n-{topic}", kind="call", title=f"Dotacje na badania temat{topic}", body_html=BODY,
                 summary=SUMMARY, url=f"https://region.example/{topic}")  # fmt: skip


def _sample(rt: Runtime) -> bytes:
    """The first letter that will leave, as it will be written; its claim is handed back."""
    with rt.begin() as session:
        held = work.claim(session, work.MAIL, now=rt.clock.now(), lease=timedelta(minutes=1), limit=1)
        (due,) = deliveries.claimed_mail(session, held)
        bodies = deliveries.bodies(session, [due.content_hash])
        work.hand_back(session, work.MAIL, held)
    return mime.write(letter(rt, due, bodies[due.content_hash]))


def _many_digests(rt: Runtime, readers: int, case: Case) -> None:
    """So many readers of daily digests, each of their own topics, by bulk."""
    assert case.asked is not None
    addresses = many_readers(rt, readers, "kind:offer")
    now, asked = rt.clock.now(), [case.asked(reader) for reader in range(readers)]
    queries = [f"temat{topic}" for topic in range(case.topics)]
    with rt.begin() as session:
        ids = uses.intern(session, queries, now=now)
        uses.tell_matchers(session, list(ids.values()))
    wanted = [(addresses[reader], queries[topic]) for reader, mine in enumerate(asked) for topic in mine]
    pairs = [(email, ids[query], query) for email, query in wanted]
    emails, interests, words = (list(column) for column in zip(*pairs, strict=True))
    rows(
        rt,
        """
        WITH used AS (
            INSERT INTO subscriptions (subscriber_id, interest_id, query, label, channel, cadence, created_at)
            SELECT r.id, v.interest, v.query, v.query, 'email', :cadence, :now
            FROM unnest(CAST(:emails AS text[]), CAST(:interests AS bigint[]), CAST(:words AS text[]))
                 AS v(email, interest, query) JOIN subscribers r USING (email)
        ), paced AS (
            INSERT INTO rhythms (subscriber_id, cadence, since, due_at, state)
            SELECT id, :cadence, :now, :now + interval '18 hours', 'pending' FROM subscribers
        )
        SELECT 1
        """,
        cadence=CADENCE, now=now, emails=emails, interests=interests, words=words,
    )  # fmt: skip


def _baseline(port: int, sample: bytes) -> float:
    """Messages a second the plain way, each built and sent anew."""
    text = "x" * 70 + "\n"
    half = text * (len(sample) // 2 // len(text))
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(BASELINE_MESSAGES):
            message = EmailMessage()
            message["From"] = "Goniec <goniec@goniec.example>"
            message["Subject"] = f"Dotacje na badania {number}"
            message["To"] = f"r-{number}@mail.example"
            message.set_content(half)
            message.add_alternative(half, subtype="html")
            server.send_message(message)
    return round(BASELINE_MESSAGES / (time.perf_counter() - began), 1)


if __name__ == "__main__":
    main()
