"""What is kept no longer than it serves: sign-ups that nobody confirmed, the old history of checks
and of what came back, mutes whose time is over. The silent are asked here whether they stay."""

from datetime import timedelta

from services import log
from services.manage import hub, silence, source_health
from services.manage.privacy import forget_unconfirmed
from services.runtime import Runtime
from services.storage import feedback, ledger, mutes, paces, polling, replays, stories

KEEP_VISITS = timedelta(days=90)
KEEP_FEEDBACK = timedelta(days=90)
KEEP_REPLAYS = timedelta(days=90)
KEEP_PACES = timedelta(hours=1)

_log = log.get(__name__)


def tidy(rt: Runtime) -> None:
    """To be called about once an hour; doing it twice, or not for a while, harms nothing."""
    source_health.watch(rt)
    people = forget_unconfirmed(rt)
    silent = silence.run(rt)
    hub.tidy(rt)
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
        asked_to_stay=silent.asked,
        let_go=silent.ended,
    )
