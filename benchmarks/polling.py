"""Sources polled and booked: unchanged ones (304), and ones with one new entry each.

The publisher is a process of its own on loopback; each source has a host of its own, as in life. Floor: the
same requests by the same client, with nothing done to the answers.
"""

import logging
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import _here  # noqa: F401
import _report
from sqlalchemy import text

from services import embedded, log
from services import settings as settings_module
from services.http import Request
from services.pipeline import poll
from services.runtime import Runtime
from services.storage import schema
from tests.factories import institution, rows

FULL, QUICK = (10_000, 2_000), (1_000, 200)
ENTRY = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Miasto</title><item><title>Nab\xc3\xb3r</title>'
    b"<guid>%b</guid><link>https://miasto.example/%b</link></item></channel></rss>"
)


def main() -> None:
    given = _report.arguments(__doc__)
    unchanged, changed = QUICK if given.quick else FULL
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    machine = _report.machine()
    with _publisher() as port, _house(unchanged + changed) as rt:
        table = [
            *_measured(rt, "unchanged (304)", port, unchanged, etag='"same"'),
            *_measured(rt, "one new entry", port, changed, etag=None, first=unchanged),
        ]
    figures = {"machine": machine, "sources": {"unchanged": unchanged, "one new entry": changed}}
    _report.tell(figures, {"polling": table}, as_json=given.json)


def _measured(
    rt: Runtime, name: str, port: int, number: int, *, etag: str | None, first: int = 0
) -> list[_report.Row]:
    addresses = [_address(first + one, port) for one in range(number)]
    headers = (("If-None-Match", etag),) if etag else ()
    floor = _timed(lambda: sum(1 for _ in rt.http.fetch(Request(a, headers=headers) for a in addresses)))
    _add(rt, addresses, etag)
    with poll.kept_warm() as run:
        ours = _timed(lambda: run(rt))
    outcome = "unchanged" if etag else "fresh"
    done = rows(rt, "SELECT count(*) AS n FROM fetches WHERE outcome = :o", o=outcome)[0]["n"]
    assert done == number, f"{done} of {number} sources were {outcome}"
    times = ours[0] / floor[0]
    return [
        _row(name, ours, number) | {"times the floor": round(times, 2)},
        _row(f"{name}: floor", floor, number) | {"times the floor": 1.0},
    ]


def _row(name: str, spent: tuple[float, float], number: int) -> dict[str, object]:
    wall, cpu = spent
    return {
        "what": name, "sources": number, "seconds": round(wall, 2), "sources/s": round(number / wall),
        "CPU ms/source": round(1000 * cpu / number, 3),
    }  # fmt: skip


def _timed(work: object) -> tuple[float, float]:
    assert callable(work)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _add(rt: Runtime, addresses: list[str], etag: str | None) -> None:
    slug = institution(rt)
    with rt.begin() as session:
        session.execute(
            text("""
                INSERT INTO sources (institution_id, kind, address, etag, validators_url, first_read_at,
                                     due_at, created_at)
                SELECT i.id, 'feed', a, CAST(:etag AS text), CASE WHEN CAST(:etag AS text) IS NULL THEN NULL
                       ELSE a END, :now, :now, :now
                FROM institutions i, unnest(CAST(:addresses AS text[])) AS a WHERE i.slug = :slug
            """),
            {"etag": etag, "addresses": addresses, "now": rt.clock.now(), "slug": slug},
        )
        session.execute(  # each site was asked for its robots.txt earlier in the day
            text("""INSERT INTO robots_files (origin, fetched_at, status, body)
                    SELECT o, :now, 404, '' FROM unnest(CAST(:origins AS text[])) AS o"""),
            {"origins": [one.removesuffix("/feed") for one in addresses], "now": rt.clock.now()},
        )
        session.execute(text("ANALYZE sources"))


def _address(number: int, port: int) -> str:
    return f"http://s{number}.example:{port}/feed"


@contextmanager
def _house(sources: int) -> Iterator[Runtime]:
    with tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder:
        wanted = settings_module.of(
            data_dir=Path(folder) / "data", secret_key="a secret for benchmarks", allow_networks="127.0.0.0/8"
        )
        with embedded.start(wanted) as engines:
            names = {f"s{number}.example": ["127.0.0.1"] for number in range(sources)}
            rt = Runtime.open(engines.settings, resolve=names)
            schema.migrate(rt.engine)
            yield rt
            rt.close()


@contextmanager
def _publisher() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,), daemon=True)
    process.start()
    yield int(listening.getsockname()[1])
    process.terminate()
    process.join()
    listening.close()


def _serve(listening: socket.socket) -> None:
    """One answer a connection, as from so many hosts: 304 to whoever sends a validator."""
    while True:
        peer, _ = listening.accept()
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            got = peer.recv(8192)
            if not got:
                break
            asked += got
        if asked:
            peer.sendall(_answer(asked))
        peer.close()


def _answer(asked: bytes) -> bytes:
    if b"if-none-match" in asked.lower():
        return b'HTTP/1.1 304 Not Modified\r\nETag: "same"\r\nConnection: close\r\n\r\n'
    host = next(line for line in asked.split(b"\r\n") if line.lower().startswith(b"host:"))[5:].strip()
    body = ENTRY % (host, host)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


if __name__ == "__main__":
    main()
