"""What hostile documents cost: each of them in full, read by a child process with the limits of life.

Every document is given to a process of its own that has read a small feed before. Told are its seconds, the
most memory it held, and what the source's health would say. Floor: the small feed. A document that costs
more than 6 s or 600 MB counts as too dear.
"""

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread

import _here  # noqa: F401
import _report
import psutil

from feeds.errors import FeedError
from feeds.pool import ParserPool
from feeds.types import Habits
from services.domain import source_faults
from tests.feeds.hostile import ATTACKS, FULL, Attack, item, rss

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BASE = "https://miasto.example/feed.xml"
QUICK_BYTES = 500_000
MOST_S, MOST_MB = 6.0, 600.0
FLOOR = Attack(lambda _: rss(item()))


def main() -> None:
    given = _report.arguments(__doc__)
    size = QUICK_BYTES if given.quick else FULL
    machine = _report.machine()
    floor = _measured("floor: a small feed", FLOOR, size)
    rows = [floor, *(_measured(name, attack, size) for name, attack in ATTACKS.items())]
    attacks = rows[1:]
    figures = {
        "machine": machine,
        "documents": len(attacks),
        "bytes of each": size,
        "stopped": sum(row["health"] in ("too-slow", "too-much-memory", "crashed") for row in attacks),
        "dearest in seconds": max(float(str(row["seconds"])) for row in attacks),
        "dearest in MB": max(float(str(row["MB"])) for row in attacks),
        "too dear": sum(
            float(str(row["seconds"])) > MOST_S or float(str(row["MB"])) > MOST_MB for row in attacks
        ),
    }
    _report.tell(figures, {"documents": rows}, as_json=given.json)


def _measured(name: str, attack: Attack, size: int) -> dict[str, object]:
    body = attack.body(size)
    with ParserPool(size=1) as parsers:
        _health(parsers, FLOOR.body(), Habits())  # the start of a process is not the document's fault
        ended, peak = Event(), [0]
        watcher = Thread(target=_watch, args=(ended, peak))
        watcher.start()
        began = time.perf_counter()
        health = _health(parsers, body, Habits(door=attack.door, rules=attack.rules))
        seconds = time.perf_counter() - began
        ended.set()
        watcher.join()
    return {"document": name, "seconds": round(seconds, 2), "MB": round(peak[0] / 1e6), "health": health}


def _health(parsers: ParserPool, body: bytes, habits: Habits) -> str:
    """The code of what the source's health would say."""
    try:
        feed = parsers.parse_safely(body, content_type=None, base_url=BASE, now=NOW, habits=habits)
    except FeedError as exc:
        return source_faults.meaning(exc.message).code
    return feed.alarm or "well"


def _watch(ended: Event, peak: list[int]) -> None:
    """The most that the child has held."""
    me = psutil.Process(os.getpid())
    [child] = [one for one in me.children() if "feeds.child" in one.cmdline()]
    while True:
        with suppress(psutil.Error):
            peak[0] = max(peak[0], child.memory_info().rss)
        if ended.wait(0.005):
            return


if __name__ == "__main__":
    main()
