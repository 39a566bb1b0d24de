"""Publishers that mean harm cost little, hurt no other source, and are marked.

All are polled in one round, as in life: from a server on loopback, read by real child processes.
"""

import gzip
import zlib
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from feeds.dates import WARSAW
from feeds.pool import Limits, ParserPool
from feeds.types import Feed, Habits
from services.domain.source_health import SourceState, Verdict
from services.manage import source_health
from services.pipeline import poll
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Script, WebDouble, redirect
from tests.factories import feed, rows
from tests.feeds.bodies import rss
from tests.feeds.hostile import ATTACKS, external

SIZE = 120_000  # of each attack; benchmarks/hostile.py has them all, and in full
CHOSEN = (
    "billion laughs", "quadratic entity", "flat entities, often", "attributes", "namespaces",
    "a namespace for each element", "deep nesting", "a huge text", "entries without number",
    "entries of one identifier", "remarks that never end", "less-than signs", "ampersands",
    "formatting that multiplies", "tables in tables", "numbers like counters", "reference numbers",
    "dates that backtrack", "marks that combine", "noise", "JSON in depth", "rules that are never met",
    "dates of repetitions", "a token without end", "records in records", "items without number",
    "a rule that looks everywhere", "a page that multiplies", "JSON-LD in depth", "blocks of JSON-LD",
)  # fmt: skip
COSTLY = {"too-slow", "too-much-memory", "crashed"}
MARKS = {  # what a source's health says of those that are told by what they hold, on every machine
    "billion laughs": "entities", "quadratic entity": "entities", "attributes": "flood",
    "namespaces": "flood", "a namespace for each element": "flood", "deep nesting": "flood",
    "flat entities, often": "flood", "noise": "unread",
    "JSON in depth": "unread", "a token without end": "unread", "JSON-LD in depth": "unread",
    "blocks of JSON-LD": "unread",
}  # fmt: skip
LIMIT_S = 1.0
TIMEOUT_S = 12.0  # for an answer; a busy machine must not make one of a good one
MAX_MEMORY = 600_000_000
XML = (("Content-Type", "application/rss+xml"),)
GOOD = Answer(headers=XML, body=rss("<title>Nabór</title><guid>a</guid>"))
ZEROS_BY_BROTLI = b64decode(  # 100 MB
    "z///f/gnAOKxQCD3/p/////wTwDEYQGA7v0/////4Z8AiMMiAN37f/7//8M/ARCHBQC69//8//+HfwIg"
    "DgsAdO//+f//D/8EQBwWAOje/+f//w/+CYA4LADQvf8B"
)


class Watched(ParserPool):
    """Measures what each reading costs: seconds, and bytes of memory of the process that reads."""

    def __init__(self) -> None:
        super().__init__(size=1, limits=Limits(timeout_s=LIMIT_S))
        self.costs: dict[str, tuple[float, int]] = {}

    def parse_safely(
        self,
        body: bytes,
        *,
        content_type: str | None,
        base_url: str,
        now: datetime,
        zone: ZoneInfo = WARSAW,
        habits: Habits = Habits(),  # noqa: B008  a frozen value
    ) -> Feed:
        began, ended, peak = monotonic(), Event(), [0]
        watcher = Thread(target=_watch, args=(ended, peak))
        watcher.start()
        try:
            return super().parse_safely(
                body, content_type=content_type, base_url=base_url, now=now, zone=zone, habits=habits
            )
        finally:
            ended.set()
            watcher.join()
            self.costs[base_url.partition("?")[0]] = (monotonic() - began, peak[0])


def _watch(ended: Event, peak: list[int]) -> None:
    while not ended.wait(0.01):
        for child in psutil.Process().children():
            try:
                if "feeds.child" in child.cmdline():
                    peak[0] = max(peak[0], child.memory_info().rss)
            except psutil.Error:
                continue


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


@pytest.fixture
def parsers() -> Iterator[Watched]:
    pool = Watched()
    with pool:
        yield pool


class World:
    """Each source has a site of its own, and good ones stand among the others."""

    def __init__(self, open_runtime: OpenRuntime, web: WebDouble, names: list[str]) -> None:
        self.web = web
        self.hosts = {name: f"s{number}.example" for number, name in enumerate(names)}
        self.rt = open_runtime(resolve={host: ["127.0.0.1"] for host in self.hosts.values()})

    def address(self, name: str) -> str:
        return self.web.url(f"/{self.hosts[name]}", host=self.hosts[name])

    def add(self, name: str, script: Script, **given: Any) -> int:
        self.web.answer(f"/{self.hosts[name]}", script)
        return feed(self.rt, self.address(name), **given)

    def health(self, source_id: int) -> Verdict:
        return source_health.verdict(self.rt, source_id)


RESULT = """
    SELECT s.id, s.errors, s.last_error, (SELECT count(*) FROM notices n WHERE n.source_id = s.id) AS notices
    FROM sources s
"""


def good(world: World, number: int) -> int:
    return world.add(f"good {number}", GOOD)


def results(rt: Runtime) -> dict[int, dict[str, Any]]:
    return {row["id"]: dict(row) for row in rows(rt, RESULT)}


@pytest.mark.long
def test_hostile_documents_cost_little_and_hurt_no_neighbour(
    open_runtime: OpenRuntime, web: WebDouble, parsers: Watched
) -> None:
    names = [*CHOSEN, *(f"good {number}" for number in range(3))]
    world = World(open_runtime, web, names)
    neighbours = [good(world, 0)]
    ids: dict[str, int] = {}
    for number, name in enumerate(CHOSEN):
        attack = ATTACKS[name]
        make = attack.body
        script = lambda _, make=make: Answer(body=make(SIZE))  # noqa: E731  made when asked, and not kept
        ids[name] = world.add(name, script, kind=attack.door, rules=attack.rules)
        if number == len(CHOSEN) // 2:
            neighbours.append(good(world, 1))
    neighbours.append(good(world, 2))
    memory = psutil.Process().memory_info().rss

    assert poll.run(world.rt, parsers) >= len(names)  # a repository is asked for its next page at once

    found = results(world.rt)
    for neighbour in neighbours:
        assert (found[neighbour]["last_error"], found[neighbour]["notices"]) == (None, 1)
    for name, source_id in ids.items():
        took_s, peak = parsers.costs[world.address(name)]
        assert took_s < LIMIT_S + 3, name  # what is over is the start of the next process
        assert peak < MAX_MEMORY, name
        told = found[source_id]
        assert told["errors"] in (0, 1), name
        assert "unexpected" not in (told["last_error"] or ""), (name, told)
        assert bool(told["errors"]) == bool(told["last_error"]), name
        health = world.health(source_id)
        mark = MARKS.get(name, "well")
        assert health.code == mark or (mark in ("well", "flood") and health.code in COSTLY), name
        assert (health.code == "well") == (health.advice == "") == (health.state is SourceState.WELL), name
        assert health.code != "too-slow" or took_s >= LIMIT_S, name
    assert psutil.Process().memory_info().rss - memory < MAX_MEMORY
    stored = rows(world.rt, "SELECT title, octet_length(body_html) AS size FROM notices")
    assert max(row["size"] for row in stored) < 3_000_000


def packed(encoding: str, body: bytes) -> Answer:
    return Answer(headers=(("Content-Encoding", encoding), *XML), body=body)


def raw(*lines: bytes, body: bytes = b"") -> Answer:
    return Answer(raw=b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", body]))


ZEROS = bytes(100_000_000)
GZIPPED = gzip.compress(ZEROS, compresslevel=1)
FEED = GOOD.body
TRICKS: dict[str, tuple[Answer, str | tuple[str, ...]]] = {
    "a bomb by gzip": (packed("gzip", GZIPPED), "too large"),
    "a bomb by deflate": (packed("deflate", zlib.compress(ZEROS, 1)), "too large"),
    "a bomb by brotli": (packed("br", ZEROS_BY_BROTLI), "too large"),
    "a bomb in a bomb": (packed("gzip, gzip", gzip.compress(GZIPPED)), "too large"),
    "a bomb in five": (packed("gzip, gzip, gzip, gzip, gzip, gzip", GZIPPED), "protocol"),
    "an encoding that was not asked for": (packed("zstd", b"\x28\xb5\x2f\xfd" + FEED), "protocol"),
    "broken compression": (packed("gzip", GZIPPED[:9] + FEED), "protocol"),
    "a body without end": (Answer(endless=True, body=b"<item>"), "too large"),
    "a body that drips": (Answer(body=FEED, drip_s=0.2), "timeout"),
    "headers that drip": (Answer(raw=b"", hang=True), "timeout"),
    "no answer at all": (Answer(drop="silent"), "interrupted"),
    "half an answer": (Answer(body=FEED, drop="half"), "interrupted"),
    "headers without end": (raw(*(b"X-%d: %s" % (n, b"a" * 900) for n in range(500))), "too large"),
    "a header without end": (raw(b"X: " + b"a" * 2_000_000), ""),
    "answers before the answer": (
        Answer(raw=b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" * 9_000),
        "too large",
    ),
    "a body shorter than it says": (raw(b"Content-Length: 90000", body=FEED), "interrupted"),
    "a body of a terabyte": (raw(b"Content-Length: 1000000000000", body=FEED), "too large"),
    "a length below nothing": (raw(b"Content-Length: -5", body=FEED), "protocol"),
    "two lengths": (raw(b"Content-Length: 5", b"Content-Length: 9000", body=FEED), ""),
    "chunks that are none": (
        raw(b"Transfer-Encoding: chunked", body=b"zz\r\n" + FEED),
        ("protocol", "interrupted"),
    ),
    "a chunk of a terabyte": (raw(b"Transfer-Encoding: chunked", body=b"FFFFFFFFFF\r\n" + FEED), ""),
    "no HTTP": (Answer(raw=b"SSH-2.0-OpenSSH_9.9\r\n"), "protocol"),
    "a redirect without end": (redirect("/self"), "too many redirects"),
    "a redirect to a file": (redirect("file:///etc/passwd"), "bad redirect"),
    "a redirect inside": (redirect("http://169.254.169.254/latest/meta-data"), "address refused"),
    "a redirect that is endless itself": (redirect("/" + "a" * 60_000), ""),
}


@pytest.mark.long
def test_hostile_answers_cost_little_and_hurt_no_neighbour(
    open_runtime: OpenRuntime, web: WebDouble, parsers: Watched
) -> None:
    world = World(open_runtime, web, [*TRICKS, *(f"good {number}" for number in range(30))])
    web.answer("*", redirect("/self"))
    neighbours = [good(world, 0)]
    ids = {name: world.add(name, answer) for name, (answer, _) in TRICKS.items()}
    neighbours += [good(world, number) for number in range(1, 30)]
    began, memory = monotonic(), psutil.Process().memory_info().rss

    poll.run(world.rt, parsers, timeout_s=TIMEOUT_S)

    assert monotonic() - began < TIMEOUT_S + 20
    assert psutil.Process().memory_info().rss - memory < MAX_MEMORY
    found = results(world.rt)
    assert {(found[one]["last_error"], found[one]["notices"]) for one in neighbours} == {(None, 1)}
    marked = {name: found[source_id]["last_error"] for name, source_id in ids.items()}
    for name, (_, fault) in TRICKS.items():
        if fault:
            assert (marked[name] or "").startswith(fault), (name, marked[name])
        if marked[name]:
            health = world.health(ids[name])
            assert health.code not in ("well", "unread", "ours"), (name, marked[name])
            assert health.advice, name
    assert not any("unexpected" in (error or "") for error in marked.values())


def test_nothing_that_a_document_names_is_fetched_or_read(
    open_runtime: OpenRuntime, web: WebDouble, parsers: Watched, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    targets = {"a file": secret.as_uri(), "a path": str(secret), "an address": web.url("/stolen")}
    world = World(open_runtime, web, list(targets))
    for name, target in targets.items():
        world.add(name, Answer(headers=XML, body=external(target).body()))

    poll.run(world.rt, parsers)

    assert not [one for one in web.received if one.path == "/stolen"]
    ids = [row["id"] for row in rows(world.rt, "SELECT id FROM sources")]
    assert {world.health(one).code for one in ids} == {"entities"}
    told = rows(world.rt, "SELECT title, summary, body_html FROM notices")
    assert [row["title"] for row in told] == ["przed &x; po"] * len(targets)
    assert "s3cret" not in str(told)
