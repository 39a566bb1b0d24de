"""Whose fault is silence? When most sources fail at once it is our own line, and none of them is blamed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from feeds.sites import site_of
from services import log as logs
from services.http import Failure, FailureKind
from services.pipeline.visits import Reading
from services.runtime import Runtime
from services.storage import polling as store

LOOK_BACK = timedelta(minutes=5)
FEWEST_SITES = 3
OF_THE_LINE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TIMEOUT})

log = logs.get(__name__)


def told_apart(rt: Runtime, readings: Iterable[Reading]) -> Iterator[Reading]:
    """The readings, those of a dead line last; they are marked as ours when most sites are as silent."""
    silent: list[Reading] = []
    answering: set[str] = set()
    for reading in readings:
        if isinstance(reading.answer, Failure) and reading.answer.kind in OF_THE_LINE:
            silent.append(reading)
        else:
            answering.add(site_of(reading.url))
            yield reading
    is_ours = bool(silent) and _is_ours(rt, {site_of(one.url) for one in silent}, answering)
    if is_ours:
        log.error("poll.outage", sources=len(silent))
        rt.metrics.error("poll")
    for reading in silent:
        yield replace(reading, is_ours=is_ours)


def _is_ours(rt: Runtime, silent: set[str], answering: set[str]) -> bool:
    with rt.begin() as session:
        lately = store.lately(session, since=rt.clock.now() - LOOK_BACK)
    silent = silent | {site_of(address) for address, has_answered in lately if not has_answered}
    answering = answering | {site_of(address) for address, has_answered in lately if has_answered}
    silent -= answering
    return len(silent) >= FEWEST_SITES and len(silent) > len(answering)
