"""The sweep's clock: about once a second it looks for rows that are due and rings their stages.

This is what makes a lost ring harmless, so it must survive every outage and hold no state of its own.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from services import log
from services.errors import Unavailable
from services.manage import housekeeping
from services.pipeline import renewal, sweep
from services.runtime import Runtime
from services.settings import Settings
from workers.main import listen_for_signals

Wait = Callable[[float], bool]  # sleeps so many seconds; true when it is time to end
PERIOD_S = 1.0
TIDY_EVERY = timedelta(hours=1)
MAX_BACKOFF_S = 10.0
_log = log.get(__name__)


def run(settings: Settings) -> int:
    """Sweep until SIGTERM or SIGINT; the exit code."""
    rt = Runtime.open(settings)
    listen_for_signals(rt.stopping.set)
    _log.info("scheduler.started")
    loop(rt, sweep.due, wait=rt.stopping.wait, tidy=housekeeping.tidy, renew=renewal.renew)
    rt.close()
    _log.info("scheduler.stopped")
    return 0


def loop(
    rt: Runtime,
    due: Callable[[Runtime], Iterable[str]],
    *,
    wait: Wait,
    tidy: Callable[[Runtime], object] = lambda _: None,
    renew: Callable[[Runtime], bool] = lambda _: False,
) -> None:
    """Ring what is due, every period, until `wait` says so; tidy up once an hour, and first at once.

    `renew` does a little of long work each period for as long as it says that there is more, and looks again
    when it is time to tidy up: a process of an older version may have written meanwhile.
    """
    failures, tidy_at, is_more = 0, rt.clock.now(), False
    while not wait(delay_s(failures)):
        try:
            for stage in due(rt):
                rt.bell.ring(stage)
            if rt.clock.now() >= tidy_at:
                tidy_at = rt.clock.now() + TIDY_EVERY
                tidy(rt)
                is_more = True
            if is_more:
                is_more = renew(rt)
        except Exception as error:
            failures += 1
            if failures == 1:
                rt.metrics.error("sweep")
                unexpected = not isinstance(error, Unavailable)
                _log.error("sweep.failed", reason=type(error).__name__, exc_info=unexpected)
        else:
            if failures:
                _log.info("sweep.recovered", after=failures)
            failures = 0


def delay_s(failures: int) -> float:
    """Seconds until the next look: a period, doubled with each failure in a row."""
    return min(PERIOD_S * 2.0 ** min(failures, 10), MAX_BACKOFF_S)
