"""Is it our own line? When most hosts are silent and our sources are silent too, no endpoint is blamed.

Silence of endpoints alone proves nothing: a few dead ones must be told so. See `outages` for the same of
sources.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from services import log as logs
from services.channels.base import Outcome
from services.domain.faults import Fault
from services.errors import Unavailable
from services.runtime import Runtime
from services.storage import polling
from services.storage.deliveries import CallDue

LOOK_BACK = timedelta(minutes=5)
FEWEST_HOSTS = 3
OF_THE_LINE = frozenset({"dns", "connect", "timeout"})

Done = tuple[CallDue, Outcome]

log = logs.get(__name__)


def told_apart(rt: Runtime, done: Sequence[Done]) -> list[Done]:
    """The same outcomes, those of a dead line with the fault that is ours."""
    answering = {_host(one) for one, outcome in done if outcome.status is not None}
    silent = {_host(one) for one, outcome in done if _found_nobody(outcome)} - answering
    if len(silent) < FEWEST_HOSTS or len(silent) <= len(answering) or not _sources_are_silent(rt):
        return list(done)
    log.error("deliver.outage", hosts=len(silent))
    rt.metrics.error("deliver_webhook")
    return [
        (one, replace(outcome, fault=Fault.OURS) if _found_nobody(outcome) else outcome)
        for one, outcome in done
    ]


def _found_nobody(outcome: Outcome) -> bool:
    return outcome.fault == Fault.NETWORK and outcome.kind in OF_THE_LINE


def _sources_are_silent(rt: Runtime) -> bool:
    try:
        with rt.begin() as session:
            lately = polling.lately(session, since=rt.clock.now() - LOOK_BACK)
    except Unavailable:  # a database that restarts says nothing of the line; what is done is written later
        return False
    return bool(lately) and not any(has_answered for _, has_answered in lately)


def _host(one: CallDue) -> str:
    return urlsplit(one.url).hostname or one.url
