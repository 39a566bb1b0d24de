"""Stage 6: what comes back. Bounces and complaints silence addresses and settle deliveries; one click ends
what it names.

An unsubscribe is idempotent and needs no session; a bounce is acted on only once its row is committed.
"""

from dataclasses import dataclass
from datetime import timedelta

from services import log as logs
from services.domain import tokens
from services.pipeline import intake
from services.runtime import Runtime
from services.storage import feedback as store
from services.storage import work

LEASE = timedelta(minutes=1)
BATCH = 500

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """What an unsubscribe token names: `kind` is subscription, cadence or everything."""

    kind: str
    label: str
    locale: str
    subscriber_id: int
    is_done: bool


def run(rt: Runtime) -> int:
    """Act on the words that came back until none is due; returns how many."""
    intake.read_folder(rt)
    done = 0
    while not rt.stopping.is_set():
        now = rt.clock.now()
        with rt.begin() as session:
            held = work.claim(session, work.FEEDBACK, now=now, lease=LEASE, limit=BATCH)
            if not held:
                return done
            acted = store.act_on_claimed(session, held, now=now)
        log.info("feedback.acted", rows=len(held.rows), suppressed=acted.suppressed)
        rt.metrics.handled("feedback", "suppressed", acted.suppressed)
        for verdict, words in acted.verdicts.items():
            rt.metrics.handled("feedback", verdict, words)
        done += len(held.rows)
    return done


def look(rt: Runtime, token: str) -> Left:
    """What a token would end, changing nothing. Raises BadInput for a token that is not ours."""
    return _left(rt, token, leave=False)


def unsubscribe(rt: Runtime, token: str) -> Left:
    """End what the token names (RFC 8058). The same click again changes nothing and is no error."""
    return _left(rt, token, leave=True)


def _left(rt: Runtime, token: str, *, leave: bool) -> Left:
    now = rt.clock.now()
    named = tokens.read(rt.settings.secret_key, "leave", token, now)
    subscriber_id = int(named["s"])
    with rt.begin() as session:
        chosen = store.named(
            session,
            subscriber_id,
            subscription_id=int(named["p"]) if "p" in named else None,
            cadence=str(named["c"]) if "c" in named else None,
        )
        if leave and chosen.is_there:
            store.leave(session, chosen, now=now)
    kind = "subscription" if "p" in named else "cadence" if "c" in named else "everything"
    return Left(kind, chosen.label, chosen.locale, subscriber_id, is_done=leave or not chosen.is_there)
