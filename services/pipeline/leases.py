"""A claim is kept for as long as its worker lives, and passed on within seconds when it does not.

The lease is short, and a thread renews it however long the batch takes: a slow mail server must not make a
second worker send the same, and a killed worker must not hold up what it had claimed.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from services import log as logs
from services.errors import Unavailable
from services.runtime import Runtime
from services.storage import work
from services.storage.work import Claim, Lane

LEASE = timedelta(seconds=15)
RENEW_EVERY_S = 4.0
AGAIN_AFTER_S = 0.5

log = logs.get(__name__)


@contextmanager
def kept(rt: Runtime, lane: Lane, held: Claim | Callable[[], Claim]) -> Iterator[None]:
    """Renew the lease of what is held until the block ends; what was recorded meanwhile is left alone.

    A claim that grows and shrinks is given as a function, which another thread calls.
    """
    ended = threading.Event()
    now_held = held if callable(held) else lambda: held
    keeper = threading.Thread(target=_keep, args=(rt, lane, now_held, ended), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _keep(rt: Runtime, lane: Lane, held: Callable[[], Claim], ended: threading.Event) -> None:
    wait_s = RENEW_EVERY_S
    while not ended.wait(wait_s):
        try:
            with rt.begin() as session:
                work.extend(session, lane, held(), until=rt.clock.now() + LEASE)
            wait_s = RENEW_EVERY_S
        except Unavailable as exc:  # a database that restarts: try on, while the lease may still be saved
            log.warning("lease.not_renewed", reason=exc.message)
            wait_s = AGAIN_AFTER_S
