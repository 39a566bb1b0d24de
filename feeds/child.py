"""The process that parses: started by `feeds.pool`, limited in memory and time, knowing no secret.

It ends when its parent does, however that dies: idle, it sees the pipe close or the parent change; at
work, its own alarm ends it. It must never be imported by anything but itself.
"""

import gc
import os
import resource
import select
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from feeds import wire
from feeds.errors import FeedError, TooMuchMemory
from feeds.parse import parse

READY = b"R"
_LOOK_AT_PARENT_S = 2.0


def main(parent: int, memory_bytes: int, limit_s: float) -> None:
    """Read orders from standard input and answer on standard output, until the parent is gone."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing a library prints may reach the answers
    orders = os.fdopen(0, "rb")  # one order is under way at a time, so the buffer never hides a second one
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the parent to handle
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _limit(memory_bytes)
    gc.freeze()  # what the imports have made is never garbage, and need not be looked at again
    _say(answers, READY)
    while _has_order(orders, parent):
        order = wire.read_order(orders)
        if order is None:
            return
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        _say(answers, _answer(order))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit(memory_bytes: int) -> None:
    wanted: Iterable[tuple[int, int]] = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    )
    for kind, limit in wanted:
        with suppress(ValueError, OSError):  # not every system can limit every one
            resource.setrlimit(kind, (limit, limit))


def _has_order(orders: BinaryIO, parent: int) -> bool:
    """Wait for something to read. A forked sibling may hold the pipe open, so the parent is looked at too."""
    while os.getppid() == parent:
        if select.select([orders], [], [], _LOOK_AT_PARENT_S)[0]:
            return True
    return False


def _answer(order: wire.Order) -> bytes:
    try:
        feed = parse(
            order.body,
            content_type=order.content_type,
            base_url=order.base_url,
            now=order.now,
            zone=order.zone,
            habits=order.habits,
        )
        return wire.pack_feed(feed)
    except FeedError as error:
        return wire.pack_error(error)
    except MemoryError:
        return wire.pack_error(TooMuchMemory("The feed needs more memory than a feed may have."))


def _say(stream: BinaryIO, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[stream.write(view) :]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
