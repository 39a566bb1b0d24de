"""How long one event takes against all interests: naive Python, PostgreSQL, and our matcher.

Distinct interests over events of 200 words; every method answers the same events, and the answers must be
equal. Times of an event and of a build are of the thread's processor (PostgreSQL's of the clock), so that a
busy machine matters little; restores are of the clock. Our build is from the text of a query on. Memory is
what a fresh process grows by when it restores our snapshot; of PostgreSQL, its table and indexes.
"""

import gc
import itertools
import json
import logging
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import _here  # noqa: F401
import _report
import psutil
from _interests import NOW, World
from _rivals import Naive, Postgres
from sqlalchemy import Engine

from services import embedded, log
from services.errors import QueryError
from services.interests import language, snapshot
from services.interests.atoms import Atom, EventAtoms, event_atoms
from services.interests.compiled import CompiledInterest, Compiler
from services.interests.documents import Document
from services.interests.index import Matcher
from services.interests.naive import NaiveMatcher
from services.interests.text import Analyser
from services.storage.session import make_engine

T = TypeVar("T")
CHANGES = 500


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many interests; how many events each method answers at each size; and what the oracle checks."""

    interests: tuple[int, ...]
    events: int
    naive: tuple[int, ...]
    postgres: tuple[int, ...]
    checked_events: int
    checked_interests: int = 200


FULL = Sizes((10_000, 100_000, 1_000_000), 1_000, (50, 20, 5), (200, 100, 50), 500)
QUICK = Sizes((1_000, 5_000), 100, (20, 10), (30, 30), 30)


@dataclass(slots=True)
class Bench:
    """What all sizes share: canonical texts, compiled interests, events. `read_s` are the seconds that
    it took to parse and compile the first so many.
    """

    analyser: Analyser
    texts: list[str]
    interests: list[tuple[int, CompiledInterest]]
    read_s: dict[int, float]
    documents: list[Document]
    events: list[EventAtoms]
    engine: Engine


def main() -> None:
    given = _report.arguments(__doc__)
    sizes = QUICK if given.quick else FULL
    machine = _report.machine()
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    with (
        tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder,
        embedded.start_scratch(Path(folder)) as engines,
    ):
        assert engines.database_url
        bench = _prepared(sizes, make_engine(engines.database_url))
        rows: list[_report.Row] = []
        for place, number in enumerate(sizes.interests):
            matcher = Matcher()
            rows += _size(bench, sizes, place, number, matcher)
        checked = _checked(bench, sizes, matcher)
        bench.engine.dispose()
    figures = {
        "machine": machine,
        "events": f"{sizes.events} of 200 words",
        "oracle": checked,
    }
    _report.tell(figures, {"one event against all interests": rows}, as_json=given.json)


def _prepared(sizes: Sizes, engine: Engine) -> Bench:
    world, analyser = World(), Analyser()
    compiler = Compiler(analyser)
    texts: dict[str, CompiledInterest] = {}
    read_s, spent = {}, 0.0
    for query in world.queries():
        began = time.thread_time()
        try:
            tree = language.parse(query)
        except QueryError:  # drawn from too many alternatives
            continue
        canonical = language.render(tree)
        if canonical in texts:
            continue
        texts[canonical] = compiler.compile(tree)
        spent += time.thread_time() - began
        if len(texts) in sizes.interests:
            read_s[len(texts)] = spent
        if len(texts) == max(sizes.interests):
            break
    documents = list(itertools.islice(world.documents(), sizes.events))
    events = [event_atoms(one, analyser, NOW) for one in documents]
    return Bench(analyser, list(texts), list(enumerate(texts.values(), 1)), read_s, documents, events, engine)


def _size(bench: Bench, sizes: Sizes, place: int, number: int, matcher: Matcher) -> list[_report.Row]:
    """One row a method; fills the matcher."""
    interests = bench.interests[:number]
    began = time.thread_time()
    for interest_id, compiled in interests:
        matcher.add(interest_id, compiled)
    built_s = bench.read_s[number] + time.thread_time() - began
    emitted = [matcher.emitted(event) for event in bench.events]
    gc.collect()
    gc.freeze()  # the rivals' millions of objects would be walked on our time
    ours = _ours(bench, matcher, number, built_s)
    answers = [matcher.ids(event) for event in bench.events]
    postgres = _postgres(bench, interests, emitted, answers, sizes.postgres[place])
    naive = _naive(interests, emitted, answers, sizes.naive[place])
    gc.unfreeze()
    return [{"interests": number, **row} for row in (naive, postgres, *ours)]


def _ours(bench: Bench, matcher: Matcher, number: int, built_s: float) -> list[_report.Row]:
    for event in bench.events[:20]:
        matcher.match(event)
    alone, _ = _timed(matcher.ids, bench.events)
    told, hits = _timed(matcher.match, bench.events)
    whole, _ = _timed(lambda one: matcher.match(event_atoms(one, bench.analyser, NOW)), bench.documents)
    compiler = Compiler(bench.analyser)
    fresh = [(number + 1 + n, text) for n, text in enumerate(bench.texts[:CHANGES])]
    adding, _ = _timed(lambda one: matcher.add(one[0], compiler.compile(language.parse(one[1]))), fresh)
    dropping, _ = _timed(lambda one: matcher.remove(one[0]), fresh)
    restored_s, memory_mb, size_mb = _restored(matcher.dump(bench.analyser.name), bench.analyser.name)
    common = {"matches": sum(map(len, hits)) // len(hits)}
    return [
        {
            "method": "ours", "build s": round(built_s, 1), "restore s": restored_s, "memory MB": memory_mb,
            "p50 ms": _at(alone, 0.5), "p99 ms": _at(alone, 0.99), "events/s": _rate(alone),
            "add ms": _at(adding, 0.5), "remove ms": _at(dropping, 0.5), **common,
            "equal": f"snapshot {size_mb} MB",
        },
        {"method": "ours, with witnesses", "p50 ms": _at(told, 0.5), "p99 ms": _at(told, 0.99),
         "events/s": _rate(told), **common},
        {"method": "ours, from the text on", "p50 ms": _at(whole, 0.5), "p99 ms": _at(whole, 0.99),
         "events/s": _rate(whole), **common},
    ]  # fmt: skip


def _postgres(
    bench: Bench,
    interests: Sequence[tuple[int, CompiledInterest]],
    emitted: list[list[Atom]],
    answers: list[list[int]],
    events: int,
) -> _report.Row:
    began = time.perf_counter()
    rival = Postgres(bench.engine, interests, emitted)
    built_s = time.perf_counter() - began
    for atoms in emitted[-10:]:
        rival.match(atoms)
    times, found = _timed(rival.match, emitted[:events], clock=time.perf_counter)
    fresh = [(len(interests) + 1 + n, interest) for n, (_, interest) in enumerate(interests[:100])]
    adding, _ = _timed(lambda one: rival.add(*one), fresh, clock=time.perf_counter)
    dropping, _ = _timed(lambda one: rival.remove(one[0]), fresh, clock=time.perf_counter)
    return {
        "method": "PostgreSQL", "build s": round(built_s, 1), "restore s": None,
        "memory MB": round(rival.size_mb, 1), "p50 ms": _at(times, 0.5), "p99 ms": _at(times, 0.99),
        "events/s": _rate(times), "add ms": _at(adding, 0.5), "remove ms": _at(dropping, 0.5),
        "matches": sum(map(len, found)) // len(found), "equal": _equal(found, answers),
    }  # fmt: skip


def _naive(
    interests: Sequence[tuple[int, CompiledInterest]],
    emitted: list[list[Atom]],
    answers: list[list[int]],
    events: int,
) -> _report.Row:
    began = time.thread_time()
    rival = Naive(interests)
    built_s = time.thread_time() - began
    times, found = _timed(rival.match, emitted[:events])
    return {
        "method": "naive Python", "build s": round(built_s, 1), "restore s": None, "memory MB": None,
        "p50 ms": _at(times, 0.5), "p99 ms": _at(times, 0.99), "events/s": _rate(times), "add ms": None,
        "remove ms": None, "matches": sum(map(len, found)) // len(found), "equal": _equal(found, answers),
    }  # fmt: skip


def _equal(found: list[list[int]], answers: list[list[int]]) -> str:
    wrong = sum(one != ours for one, ours in zip(found, answers, strict=False))
    return f"yes, {len(found)} events" if not wrong else f"NO: {wrong} of {len(found)} events differ"


def _checked(bench: Bench, sizes: Sizes, matcher: Matcher) -> str:
    """Some interests of the largest number, by the oracle straight from their trees."""
    chosen = random.Random(7).sample(bench.interests, min(sizes.checked_interests, len(bench.interests)))
    oracle = NaiveMatcher()
    for interest_id, interest in chosen:
        oracle.add(interest_id, interest)
    ids = {interest_id for interest_id, _ in chosen}
    different = hits = 0
    for event in bench.events[: sizes.checked_events]:
        ours = [hit for hit in matcher.match(event) if hit.interest_id in ids]
        theirs = oracle.match(event)
        different += ours != theirs
        hits += len(theirs)
    return (
        f"{len(chosen)} random interests of {len(bench.interests):,} on {sizes.checked_events} events: "
        f"{different} different answers, {hits} hits with their witnesses"
    )


def _restored(data: bytes, analyser: str) -> tuple[float, float, float]:
    """Seconds and megabytes of a fresh process that restores a snapshot, and the snapshot's megabytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            told: str = pool.apply(_restore, (file.name, analyser))
    seconds, memory = json.loads(told)
    return round(seconds, 2), round(memory, 1), round(len(data) / 2**20, 1)


def _restore(path: str, analyser: str) -> str:
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    began = time.perf_counter()
    matcher = Matcher(snapshot.load(Path(path).read_bytes(), analyser=analyser))
    seconds = time.perf_counter() - began
    gc.collect()
    assert len(matcher)
    return json.dumps([seconds, (process.memory_info().rss - before) / 2**20])


def _timed(
    act: Callable[[T], object], over: Iterable[T], *, clock: Callable[[], float] = time.thread_time
) -> tuple[list[float], list[list[int]]]:
    """Milliseconds of each call, and what they answered."""
    times, answers = [], []
    for one in over:
        began = clock()
        answer = act(one)
        times.append((clock() - began) * 1000)
        answers.append(answer if isinstance(answer, list) else [])
    return times, answers


def _at(times: list[float], share: float) -> float:
    return round(sorted(times)[min(int(len(times) * share), len(times) - 1)], 4)


def _rate(times: list[float]) -> int:
    return round(1000 * len(times) / max(sum(times), 1e-9))


if __name__ == "__main__":
    main()
