import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from feeds.errors import BrokenFeed, NotAFeed, ParserCrashed, ParserStopped, TooLarge, TooSlow
from feeds.pool import Limits, ParserPool
from feeds.types import Feed, Habits, Ladder
from tests.feeds.bodies import BASE, NOW, read, rss

GOOD = rss("<title>Zażółć</title><link>https://m.example/1</link><pubDate>2026-11-01 10:00</pubDate>")
FLOOD = (  # of no format that the quick reader knows
    b"<channel><item><x " + b" ".join(b"a%d='1'" % number for number in range(200_000)) + b"/></item>"
)


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    with ParserPool(limits=Limits(timeout_s=1.0)) as pool:
        yield pool


def read_safely(pool: ParserPool, body: bytes, habits: Habits | None = None) -> Feed:
    return pool.parse_safely(body, content_type=None, base_url=BASE, now=NOW, habits=habits or Habits())


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "feeds.child" in child.cmdline()]


def test_a_child_reads_exactly_what_the_parent_would(pool: ParserPool) -> None:
    habits = Habits(ladder=Ladder.LINK_DATE)
    assert read_safely(pool, GOOD, habits) == read(GOOD, habits=habits)


def test_an_attack_by_attributes_is_stopped_and_the_pool_goes_on(pool: ParserPool) -> None:
    with pytest.raises(TooSlow):
        read_safely(pool, FLOOD)
    assert read_safely(pool, GOOD).entries[0].title == "Zażółć"


def test_an_attack_by_memory_is_stopped_and_the_pool_goes_on() -> None:
    # A bare ampersand to be mended, and one wide sign that makes every copy 20 MB.
    body = rss("<title>&" + "x" * 4_900_000 + "\U0001f642</title>")
    with ParserPool(limits=Limits(memory_bytes=120_000_000, timeout_s=20)) as pool:
        with pytest.raises(ParserStopped) as caught:
            read_safely(pool, body)
        assert not isinstance(caught.value, TooSlow)
        assert read_safely(pool, GOOD).entries


def test_a_billion_laughs_multiply_nothing(pool: ParserPool) -> None:
    names = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12)]
    body = f"<!DOCTYPE r [{''.join(names)}]>".encode() + rss("<title>x&l11;</title>").partition(b"\n")[2]
    assert len(read_safely(pool, body).entries[0].title) < 100


def test_what_the_child_refuses_is_raised_here_with_its_data(pool: ParserPool) -> None:
    with pytest.raises(NotAFeed) as caught:
        read_safely(pool, b"<html></html>")
    assert caught.value.data == {"looks": "html"}
    with pytest.raises(BrokenFeed):
        read_safely(pool, b'{"version": "https://jsonfeed.org/version/1"')
    with pytest.raises(TooLarge):
        read_safely(pool, b" " * 5_000_001)


def test_children_start_when_needed_stay_warm_and_end_with_the_pool() -> None:
    pool = ParserPool(size=3)
    assert children() == []
    read_safely(pool, GOOD)
    first = children()
    read_safely(pool, GOOD)
    assert children() == first
    assert len(first) == 1
    pool.close()
    assert children() == []
    with pytest.raises(ParserCrashed):
        read_safely(pool, GOOD)


def test_many_threads_share_a_pool(pool: ParserPool) -> None:
    bodies = [rss(f"<title>{number}</title>") for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        feeds = list(threads.map(lambda body: read_safely(pool, body), bodies))
    assert [feed.entries[0].title for feed in feeds] == [str(number) for number in range(40)]
    assert len(children()) <= 2


def test_a_child_killed_from_outside_is_replaced(pool: ParserPool) -> None:
    read_safely(pool, GOOD)
    children()[0].kill()
    with suppress(ParserCrashed):  # noticed before the order, or with it
        read_safely(pool, GOOD)
    assert read_safely(pool, GOOD).entries


def test_a_child_sees_none_of_our_environment(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONIEC_SECRET_KEY", "not for feeds")
    read_safely(pool, GOOD)
    assert set(children()[0].environ()) <= {"PYTHONPATH", "LANG", "MALLOC_ARENA_MAX", "LC_CTYPE"}


PARENT = """
import sys
from datetime import UTC, datetime
from feeds.pool import Limits, ParserPool
pool = ParserPool(limits=Limits(timeout_s=1.0))
say = dict(content_type=None, base_url="https://a.example/", now=datetime.now(UTC))
pool.parse_safely(b"<rss><channel><item><title>x</title></item></channel></rss>", **say)
print("ready", flush=True)
if sys.argv[1] == "idle":
    sys.stdin.read()
flood = b" ".join(b"a%d='1'" % number for number in range(400_000))
pool.parse_safely(b"<rss><channel><item><x " + flood + b"/>", **say)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("doing", ["idle", "busy"])
def test_no_child_outlives_a_parent_that_was_killed(doing: str) -> None:
    root = str(Path(__file__).resolve().parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, doing], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        orphans = psutil.Process(parent.pid).children()
        assert len(orphans) == 1
        if doing == "busy":
            time.sleep(0.2)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(is_alive(orphan) for orphan in orphans) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_alive(orphan) for orphan in orphans)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # ended; whoever is process 1 may be slow to reap it
    except psutil.NoSuchProcess:
        return False
