"""What a preview costs: counting a query exactly over the notices of ninety days, turned round in memory.

The rival holds the query against each notice, read already. Also: advice for what brings nothing.
"""

import itertools
import time

import _here  # noqa: F401
import _report
from _interests import NOW, World

from services.errors import QueryError
from services.interests import advice, language
from services.interests.evaluate import meets
from services.interests.past import Past
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tree import Query

RIVAL_QUERIES = 5


def main() -> None:
    given = _report.arguments(__doc__)
    notices, queries = (2_000, 300) if given.quick else (30_000, 2_000)
    world, analyser = World(), Analyser()
    past = Past(analyser)
    readings = [Reading(one, analyser) for one in itertools.islice(world.documents(), notices)]
    began = time.perf_counter()
    for number, reading in enumerate(readings):
        past.put(number, reading)
    filled_s = time.perf_counter() - began
    asked = list(itertools.islice(_trees(world), queries))

    for tree in asked[:50]:
        past.find(tree, NOW)
    counted = sorted(_timed_ms(past, asked))
    nothing = [tree for tree in asked if not past.find(tree, NOW)]
    advised = sorted(_advised_ms(past, nothing[:100], notices))
    rival = []
    for tree in asked[:RIVAL_QUERIES]:
        began = time.perf_counter()
        found = {number for number, reading in enumerate(readings) if meets(tree, reading, NOW)}
        rival.append((time.perf_counter() - began) * 1_000)
        assert found == set(past.find(tree, NOW)), "both count the same"

    rows = [
        {"what": "count, bitmaps", **_told(counted)},
        {"what": "count, one by one", **_told(sorted(rival))},
        {"what": "advice where there is nothing", **_told(advised)},
    ]
    sizes = {"notices": notices, "words": past.words, "filled s": round(filled_s, 1)}
    _report.tell(
        {"machine": _report.machine(), "sizes": sizes, "peak MB": _report.peak_memory_mb()},
        {"previews": rows},
        as_json=given.json,
    )


def _trees(world: World) -> itertools.chain[Query]:
    return itertools.chain.from_iterable(map(_read, world.queries()))


def _read(text: str) -> list[Query]:
    try:
        return [language.parse(text)]
    except QueryError:  # drawn from too many alternatives
        return []


def _timed_ms(past: Past, asked: list[Query]) -> list[float]:
    taken = []
    for tree in asked:
        began = time.perf_counter()
        past.count(tree, NOW)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _advised_ms(past: Past, asked: list[Query], notices: int) -> list[float]:
    taken = []
    for tree in asked:
        began = time.perf_counter()
        advice.widen(tree, past, range(notices), NOW)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _told(taken: list[float]) -> dict[str, float]:
    return {"p50 ms": _at(taken, 0.5), "p99 ms": _at(taken, 0.99), "queries": len(taken)}


def _at(taken: list[float], share: float) -> float:
    return round(taken[min(len(taken) - 1, int(len(taken) * share))], 3) if taken else 0.0


if __name__ == "__main__":
    main()
