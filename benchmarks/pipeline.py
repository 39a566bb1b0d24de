"""How fast one notice reaches everybody: from a push to a mail server, and from a push to webhooks.

One worker, stage after stage, on PostgreSQL as it runs by default (durable, in a folder of its own, over a
socket). Floors in the same run: postfix's smtp-source against the same smtp-sink, with messages of the same
size over as many connections; and our HTTP client alone with as many calls against the same receiver.
"""

import dataclasses
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import _here  # noqa: F401
import _report
import _sinks
import psutil

from services import embedded, log
from services import settings as settings_module
from services.domain.drafts import Draft
from services.http import Request, Response
from services.manage import endpoints
from services.pipeline import compose, deliver, match
from services.runtime import Runtime
from services.settings import Settings
from services.storage import schema
from tests.doubles.smtp import SmtpSink
from tests.factories import many_readers, publish, reader, rows

HOSTS = 50  # loopback has many addresses; one host would be asked ten at a time
BODY = "<p>Nabór wniosków o dotacje na badania i rozwój trwa do końca miesiąca.</p>" * 12


Rates = dict[str, dict[str, float]]  # stage → figure → value


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    readers: int
    endpoints: int
    rounds: int


@dataclasses.dataclass(slots=True)
class Meter:
    """Seconds of clock and of processor (ours, and PostgreSQL's) of each stage."""

    postgres: psutil.Process
    stages: dict[str, tuple[float, float, float]] = dataclasses.field(default_factory=dict)

    def run(self, stage: str, work: Callable[[], object]) -> None:
        wall, ours, theirs = time.perf_counter(), time.process_time(), self._database_s()
        work()
        self.stages[stage] = (
            time.perf_counter() - wall,
            time.process_time() - ours,
            self._database_s() - theirs,
        )

    def _database_s(self) -> float:
        total = 0.0
        for process in (self.postgres, *self.postgres.children()):
            try:
                spent = process.cpu_times()
            except psutil.Error:
                continue
            total += spent.user + spent.system
        return total


def main() -> None:
    given = _report.arguments(__doc__)
    sizes = Sizes(2_000, 500, 1) if given.quick else Sizes(20_000, 5_000, 3)
    sizes = dataclasses.replace(sizes, rounds=given.rounds or sizes.rounds)
    machine = _report.machine()
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    with (
        _sinks.postfix() as programs,
        _sinks.mail_sink(programs) as mail_port,
        _sinks.web_sink() as web_port,
        _house(mail_port) as (rt, postgres),
    ):
        size_bytes = _message_bytes(rt.settings)
        many_readers(rt, sizes.readers, "kind:call")
        mails = [_mail_round(rt, postgres, number, sizes.readers) for number in range(sizes.rounds)]
        mail_floor = _sinks.mail_floor(programs, mail_port, messages=sizes.readers, size_bytes=size_bytes)
        _many_endpoints(rt, sizes.endpoints, web_port)
        calls = [_call_round(rt, postgres, number, sizes.endpoints) for number in range(sizes.rounds)]
        web_floor = _web_floor(rt, sizes.endpoints, web_port)
    figures = {
        "machine": machine,
        "sizes": {"readers": sizes.readers, "endpoints": sizes.endpoints, "mail_bytes": size_bytes,
                  "rounds": sizes.rounds},
        "mail floor": "smtp-source and smtp-sink of postfix" if programs
        else "a plain sender and receiver of ours, as postfix cannot be had here",
        "peak_memory_mb": _report.peak_memory_mb(),
    }  # fmt: skip
    tables = {
        "push to mail server": [*_median(mails), _floor_row(mail_floor, mails)],
        "push to webhooks": [*_median(calls), _floor_row(web_floor, calls)],
    }
    _report.tell(figures, tables, as_json=given.json)


@contextmanager
def _house(mail_port: int) -> Iterator[tuple[Runtime, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder:
        wanted = settings_module.of(
            data_dir=Path(folder) / "data",
            secret_key="a secret for benchmarks",
            mail="smtp",
            smtp_url=f"smtp://127.0.0.1:{mail_port}",
            mail_from="Goniec <goniec@goniec.example>",
            allow_networks="127.0.0.0/8",
        )
        with embedded.start(wanted) as engines:
            rt = Runtime.open(engines.settings)
            schema.migrate(rt.engine)
            assert engines.postgres is not None
            assert engines.postgres.pid is not None
            yield rt, psutil.Process(engines.postgres.pid)
            rt.close()


def _notice(key: str, kind: str = "call") -> Draft:
    return Draft(key=key, kind=kind, title="Dotacje na badania i rozwój w regionie", body_html=BODY,
                 summary="Nabór wniosków o dotacje dla firm i uczelni trwa do końca miesiąca.",
                 url=f"https://region.example/{key}", topics=("funding",))  # fmt: skip


def _message_bytes(settings: Settings) -> int:
    """The size of the mail that will be sent, from one that is; it also shows that the way is whole."""
    with SmtpSink() as sink:
        rt = Runtime.open(settings.model_copy(update={"smtp_url": sink.url}))
        reader(rt, "first@mail.example", "kind:news")
        publish(rt, _notice("first", "news"))
        for stage in (match.run, compose.run, deliver.run_mail):
            stage(rt)
        (mail,) = sink.received
        rt.close()
    return len(mail.message)


def _mail_round(rt: Runtime, postgres: psutil.Process, number: int, readers: int) -> Rates:
    meter = Meter(postgres)
    before = _sent(rt, "email")
    meter.run("accept", lambda: publish(rt, _notice(f"mail-{number}")))
    meter.run("match", lambda: match.run(rt))
    meter.run("compose", lambda: compose.run(rt))
    meter.run("deliver", lambda: deliver.run_mail(rt))
    assert _sent(rt, "email") - before == readers, "not every reader was written to"
    return _rates(meter, readers)


def _call_round(rt: Runtime, postgres: psutil.Process, number: int, calls: int) -> Rates:
    meter = Meter(postgres)
    before = _sent(rt, "webhook")
    meter.run("accept", lambda: publish(rt, _notice(f"call-{number}", "tender")))
    meter.run("match", lambda: match.run(rt))
    meter.run("deliver", lambda: deliver.run_webhooks(rt))
    assert _sent(rt, "webhook") - before == calls, "not every endpoint was told"
    return _rates(meter, calls)


def _sent(rt: Runtime, channel: str) -> int:
    found = rows(rt, "SELECT count(*) AS n FROM deliveries WHERE channel = :c AND state = 'sent'", c=channel)
    return int(found[0]["n"])


def _rates(meter: Meter, messages: int) -> Rates:
    stages = {**meter.stages, "whole way": tuple(map(sum, zip(*meter.stages.values(), strict=True)))}
    return {
        stage: {
            "seconds": round(wall, 3),
            "messages/s": round(messages / wall, 1),
            "CPU ms/message": round(1000 * ours / messages, 4),
            "PostgreSQL CPU ms/message": round(1000 * theirs / messages, 4),
        }
        for stage, (wall, ours, theirs) in stages.items()
    }


def _median(rounds: list[Rates]) -> list[_report.Row]:
    return [{"stage": stage, **_report.median_of([one[stage] for one in rounds])} for stage in rounds[0]]


def _floor_row(rate: float, rounds: list[Rates]) -> _report.Row:
    whole = _report.median_of([one["whole way"] for one in rounds])
    share = float(str(whole["messages/s"])) / rate
    return {"stage": f"floor (we reach {share:.0%} of it)", "messages/s": round(rate, 1)}


def _many_endpoints(rt: Runtime, number: int, port: int) -> None:
    """So many endpoints on so many hosts, all of one consumer and one interest."""
    first = endpoints.add(rt, "bench", url=_address(0, port), query="kind:tender")
    rows(
        rt,
        """
        WITH made AS (
            INSERT INTO endpoints (consumer_id, url, host, format, secrets, created_at)
            SELECT p.consumer_id, u.url, split_part(split_part(u.url, '/', 3), ':', 1), p.format, p.secrets,
                   p.created_at
            FROM endpoints p, unnest(CAST(:urls AS text[])) AS u(url) WHERE p.uid = CAST(:uid AS uuid)
            RETURNING id
        ), used AS (
            INSERT INTO subscriptions (endpoint_id, interest_id, query, label, channel, cadence, created_at)
            SELECT made.id, s.interest_id, s.query, s.label, s.channel, s.cadence, s.created_at
            FROM made, subscriptions s JOIN endpoints p ON p.id = s.endpoint_id
            WHERE p.uid = CAST(:uid AS uuid)
        )
        SELECT count(*) FROM made
        """,
        urls=[_address(one, port) for one in range(1, number)],
        uid=first.endpoint.uid,
    )


def _address(number: int, port: int) -> str:
    return f"http://127.0.0.{2 + number % HOSTS}:{port}/hook/{number}"


def _web_floor(rt: Runtime, calls: int, port: int) -> float:
    body = b"x" * 1_000
    began = time.perf_counter()
    asked = (Request(_address(one, port), method="POST", body=body) for one in range(calls))
    well = sum(isinstance(answer, Response) for _, answer in rt.http.fetch(asked))
    assert well == calls
    return calls / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
