"""How fast an event reaches those who listen: in bulk, and one by one while pushes come at a steady rate.

In bulk: many events to one endpoint, and one event to thousands, from the push to the receiver with the
full ledger, by one worker on PostgreSQL as it runs by default. Beside them in the same run the same requests,
bare, by the same client (the floor), and a plain httpx loop that signs and posts (the baseline; no ledger
either).

One by one: a whole Goniec as `goniec up` starts it; seconds from the moment a push was to be sent, by the
clock and not by when the last one was answered, until the receiver has the call.
"""

import _here  # noqa: F401

# isort: split
import dataclasses
import itertools
import logging
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from json import dumps
from pathlib import Path

import _receiver
import _report
import _sinks
import httpx
import psutil

from services import embedded, log
from services import settings as settings_module
from services.channels.webhook import as_request
from services.domain.drafts import Draft
from services.domain.signing import sign
from services.http import Response
from services.manage import accounts
from services.pipeline import calls, deliver, match
from services.runtime import Runtime
from services.storage import deliveries, schema, work
from tests.factories import institution, listener, publish, rows
from tests.journeys.house import House

HOSTS = 64  # loopback has many addresses
WORDS = (
    "nabór wniosek dotacja badania rozwój miesiąc firma uczelnia gmina powiat droga szkoła most rzeka "
    "park las wystawa koncert film książka dom ulica woda energia praca student profesor lekarz "
    "zdrowie sport rower kolej tramwaj lotnisko bilet cena rynek sklep targ chleb mleko sad ogród "
    "drzewo ptak ryba wiatr deszcz słońce zima"
)
WORDS_OF_A_BODY = 120
NAIVE_CALLS = 1_000
PUSHERS = 16
KEYS = 8  # each may push fifty times a second
STEADY = ((50, 1), (20, 10), (200, 1))  # pushes a second, and events in each
SETTLE_S = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    events: int
    endpoints: int
    seconds: int


def main() -> None:
    given = _report.arguments(__doc__)
    sizes = Sizes(2_000, 1_000, 5) if given.quick else Sizes(20_000, 5_000, 20)
    machine = _report.machine()
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    with _receiver.receiver(_sinks.free_port()) as far:
        bulk = [
            *_bulk(far, f"{sizes.events:,} events to 1 endpoint", sizes.events, 1),
            *_bulk(far, f"1 event to {sizes.endpoints:,} endpoints", 1, sizes.endpoints),
        ]
        steady = _steady(far, sizes)
    figures = {"machine": machine, "hosts": HOSTS, "peak_memory_mb": _report.peak_memory_mb()}
    tables = {"in bulk": bulk, "one by one, from push to arrival": steady}
    _report.tell(figures, tables, as_json=given.json)


def _bulk(far: _receiver.Receiver, name: str, events: int, endpoints: int) -> list[_report.Row]:
    with _house() as (rt, postgres):
        listener(rt, _address(0, far.port), consumer="bench")
        _more_endpoints(rt, endpoints, far.port)
        publish(rt, *_notices("warm", 20), name="Urząd Rozgrzewki")
        match.run(rt)
        deliver.run_webhooks(rt)
        far.forget()
        began, ours, theirs = time.perf_counter(), time.process_time(), _cpu_s(postgres)
        publish(rt, *_notices("bulk", events))
        stored = time.perf_counter()
        match.run(rt)
        matched = time.perf_counter()
        deliver.run_webhooks(rt)
        ended = time.perf_counter()
        spent = time.process_time() - ours, _cpu_s(postgres) - theirs
        total = events * endpoints
        assert far.count() == total, f"{far.count()} of {total} came"
        floor, naive = _floor(rt, total), _naive(rt, total)
    whole = total / (ended - began)
    row = {
        "case": name,
        "whole way/s": round(whole, 1),
        "accept s": round(stored - began, 2),
        "match s": round(matched - stored, 2),
        "sending/s": round(total / (ended - matched), 1),
        "CPU ms a delivery": round(1000 * spent[0] / total, 4),
        "PostgreSQL": round(1000 * spent[1] / total, 4),
        "floor/s": round(floor, 1),
        "of the floor": round(total / (ended - matched) / floor, 3),
        "httpx loop/s": round(naive, 1),
    }
    return [row]


def _notices(prefix: str, number: int) -> list[Draft]:
    return [
        Draft(key=f"{prefix}-{one}", kind="call", title=f"Dotacje na badania {prefix} {one}",
              body_html=_text(one, WORDS_OF_A_BODY), summary=_text(f"{prefix} {one}", 12),
              url=f"https://region.example/{prefix}/{one}")
        for one in range(number)
    ]  # fmt: skip


def _text(seed: int | str, words: int) -> str:
    """No two notices say the same: alike ones would be one story."""
    return f"<p>{' '.join(random.Random(seed).choices(WORDS.split(), k=words))}.</p>"


@contextmanager
def _house() -> Iterator[tuple[Runtime, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder:
        wanted = settings_module.of(
            data_dir=Path(folder) / "data",
            secret_key="a secret for benchmarks",
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


def _cpu_s(process: psutil.Process) -> float:
    total = 0.0
    for one in (process, *process.children()):
        try:
            spent = one.cpu_times()
        except psutil.Error:
            continue
        total += spent.user + spent.system
    return total


def _more_endpoints(rt: Runtime, number: int, port: int) -> None:
    """Copies of the one that stands, on so many hosts."""
    rows(
        rt,
        """
        WITH first AS (SELECT * FROM endpoints ORDER BY id LIMIT 1), made AS (
            INSERT INTO endpoints (consumer_id, url, host, format, secrets, created_at)
            SELECT p.consumer_id, u.url, split_part(split_part(u.url, '/', 3), ':', 1), p.format, p.secrets,
                   p.created_at
            FROM first p, unnest(CAST(:urls AS text[])) AS u(url)
            RETURNING id
        )
        INSERT INTO subscriptions (endpoint_id, interest_id, query, label, channel, cadence, created_at)
        SELECT made.id, s.interest_id, s.query, s.label, s.channel, s.cadence, s.created_at
        FROM made, subscriptions s JOIN first p ON p.id = s.endpoint_id
        RETURNING id
        """,
        urls=[_address(one, port) for one in range(1, number)],
    )


def _address(number: int, port: int) -> str:
    return f"http://127.0.0.{2 + number % HOSTS}:{port}/hook/{number}"


def _sent(rt: Runtime, number: int) -> list[calls.Call]:
    """The calls that were made, as they would be made again."""
    ids = [row["id"] for row in rows(rt, "SELECT id FROM deliveries ORDER BY id LIMIT :n", n=number)]
    with rt.begin() as session:
        rows_of_claim = work.Claim("again", tuple(ids))
        session.execute(
            deliveries.text("UPDATE deliveries SET claim_id = 'again' WHERE id = ANY(:i)"), {"i": ids}
        )
        due = deliveries.claimed_calls(session, rows_of_claim)
        session.rollback()
    return [calls.call(rt, one) for one in due]


def _floor(rt: Runtime, number: int) -> float:
    asked = [as_request(one) for one in _sent(rt, number)]
    began = time.perf_counter()
    taken = sum(isinstance(answer, Response) for _, answer in rt.http.fetch(asked))
    assert taken == len(asked)
    return len(asked) / (time.perf_counter() - began)


def _naive(rt: Runtime, number: int) -> float:
    made = _sent(rt, min(number, NAIVE_CALLS))
    began = time.perf_counter()
    with httpx.Client() as client:
        for one in made:
            signature = sign(one.secrets, one.delivery_id, one.timestamp, one.body)
            headers = {"content-type": one.content_type, "webhook-id": one.delivery_id,
                       "webhook-timestamp": str(int(one.timestamp.timestamp())),
                       "webhook-signature": signature}  # fmt: skip
            client.post(one.url, content=one.body, headers=headers).raise_for_status()
    return len(made) / (time.perf_counter() - began)


def _steady(far: _receiver.Receiver, sizes: Sizes) -> list[_report.Row]:
    with (
        tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder,
        House(Path(folder), smtp_url="smtp://127.0.0.1:9", workers=1) as house,
    ):
        listener(house.rt, _address(0, far.port), consumer="bench")
        keys = [
            accounts.create_key(house.rt, institution=institution(house.rt, f"Gmina {one}")).key
            for one in range(KEYS)
        ]
        _at_rate(house, far, keys, 20, 1, 3)  # to get warm
        return [_at_rate(house, far, keys, rate, size, sizes.seconds) for rate, size in STEADY]


def _at_rate(
    house: House, far: _receiver.Receiver, keys: Sequence[str], rate: int, size: int, seconds: int
) -> _report.Row:
    far.forget()
    due = _push(house, keys, f"steady-{rate}-{size}", rate=rate, size=size, seconds=seconds)
    house.wait(lambda: far.count() >= len(due), within_s=SETTLE_S + seconds)
    came = far.came().at
    waits = sorted(1000 * (came[title] - at) for title, at in due.items())
    return {
        "pushes/s": rate,
        "events/s": rate * size,
        "events": len(waits),
        "p50 ms": round(_quantile(waits, 0.5), 1),
        "p95 ms": round(_quantile(waits, 0.95), 1),
        "p99 ms": round(_quantile(waits, 0.99), 1),
        "slowest ms": round(waits[-1], 1),
    }


def _push(
    house: House, keys: Sequence[str], prefix: str, *, rate: int, size: int, seconds: int
) -> dict[str, float]:
    """Push at the rate, whatever the answers take; {title: when it was to be sent}."""
    kept = threading.local()
    start = time.time() + 0.2
    due = {f"{prefix}-{number}": start + number // size / rate for number in range(rate * size * seconds)}

    def push(titles: Sequence[str], at: float, key: str) -> None:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection("127.0.0.1", house.settings.port, timeout=20)
        time.sleep(max(0.0, at - time.time()))
        items = [
            {"key": title, "kind": "call", "title": title, "body_html": _text(title, WORDS_OF_A_BODY)}
            for title in titles
        ]
        path, body = ("/v1/notices", items[0]) if size == 1 else ("/v1/notices/batch", items)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        kept.connection.request("POST", path, dumps(body), headers)
        answer = kept.connection.getresponse()
        said = answer.read()
        assert answer.status in (200, 201), said

    with ThreadPoolExecutor(PUSHERS) as pool:
        for done in [
            pool.submit(push, titles, due[titles[0]], key)
            for titles, key in zip(_batched(list(due), size), itertools.cycle(keys), strict=False)
        ]:
            done.result()
    return due


def _batched(titles: Sequence[str], size: int) -> list[Sequence[str]]:
    return [titles[at : at + size] for at in range(0, len(titles), size)]


def _batched(titles: Sequence[str], size: int) -> list[Sequence[str]]:
    return [titles[at : at + size] for at in range(0, len(titles), size)]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
