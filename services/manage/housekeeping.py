"""What is kept no longer than it serves: sign-ups that nobody confirmed, the old history of checks
and of what came back, mutes whose time is over, changes of interests that every matcher knows. The silent
are asked here whether they stay."""

from datetime import timedelta

from services import log
from services.manage import hub, silence, source_health, source_hubs
from services.manage.privacy import forget_unconfirmed
from services.runtime import Runtime
from services.storage import feedback, interest_log, ledger, mutes, paces, polling, replays, stories

KEEP_VISITS = timedelta(days=90)
KEEP_FEEDBACK = timedelta(days=90)
KEEP_REPLAYS = timedelta(days=90)
KEEP_PACES = timedelta(hours=1)
KEEP_CHANGES = timedelta(hours=1)  # of interests: every matcher reads them twice a second
SLICE = 5_000

_log = log.get(__name__)


def tidy(rt: Runtime) -> None:
    """To be called about once an hour; doing it twice, or not for a while, harms nothing."""
    source_health.watch(rt)
    people = forget_unconfirmed(rt)
    silent = silence.run(rt)
    hub.tidy(rt)
    changes = _forget_changes(rt)
    source_hubs.tidy(rt)
    with rt.begin() as session:
        visits = polling.forget_visits(session, rt.clock.now() - KEEP_VISITS)
        words = feedback.forget(session, rt.clock.now() - KEEP_FEEDBACK)
        stories.forget(session, rt.clock.now())
        ledger.forget(session, rt.clock.now() - KEEP_VISITS)
        replays.forget(session, rt.clock.now() - KEEP_REPLAYS)
        paces.tidy(session, before=rt.clock.now() - KEEP_PACES)
        over = mutes.forget_over(session, rt.clock.now())
    _log.info(
        "housekeeping.done",
        unconfirmed=people,
        visits=visits,
        feedback=words,
        mutes=over,
        changes=changes,
        asked_to_stay=silent.asked,
        let_go=silent.ended,
    )


def _forget_changes(rt: Runtime) -> int:
    """What every matcher has read of the log of interests, slice by slice; returns how much that was."""
    with rt.begin() as session:
        interest_log.mark(session, now=rt.clock.now(), keep=KEEP_CHANGES)
    whole, some = 0, SLICE
    while some == SLICE:
        with rt.begin() as session:
            some = interest_log.forget(session, limit=SLICE)
        whole += some
    return whole
