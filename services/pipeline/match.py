"""Stage 3: each event is held against every interest at once, and everyone it reaches is written down.

Matching is exact: nobody is missed and nobody is told by mistake. Who is left out is written too, with the
reason, so that accounts close.
"""

from datetime import timedelta

from services import log as logs
from services.interests.live import LiveIndex
from services.pipeline.fan_out import SLICE, fan_out, slices
from services.pipeline.leases import LEASE, kept
from services.runtime import Runtime
from services.storage import matching as store
from services.storage import work
from services.storage.matching import Met, ToMatch
from services.storage.work import Claim

BATCH = 50
AGAIN_AFTER = timedelta(minutes=5)

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Match until no event is due or the process is stopping; returns how many events were matched."""
    matched = 0
    while not rt.stopping.is_set():
        now = rt.clock.now()
        with rt.begin() as session:
            held = work.claim(session, work.EVENTS, now=now, lease=LEASE, limit=BATCH)
            events = store.claimed_events(session, held)
        if not held:
            break
        with kept(rt, work.EVENTS, held):
            refresh(rt, rt.index)  # after the claim: whoever subscribed before the event is known by now
            matched += _match_batch(rt, held, events)
    return matched


def refresh(rt: Runtime, index: LiveIndex) -> None:
    """Bring an index up to what is committed: all interests at first, then what has changed since."""
    with rt.begin() as session:
        states, horizon = store.interests_since(session, index.horizon)
    refused = index.refresh(((one.id, one.canonical, one.live) for one in states), horizon)
    if refused:
        log.error("match.interest_refused", interest_ids=refused[:20], number=len(refused))
        rt.metrics.error("match")


def _match_batch(rt: Runtime, held: Claim, events: list[ToMatch]) -> int:
    """Match, write what met, tell everyone, and only then finish: a kill repeats what is unfinished."""
    met, broken = _met(rt, events)
    done = [event.event_id for event in events if event.event_id not in broken]
    for some in slices(met, SLICE):
        with rt.begin() as session:
            store.record(session, held, some, now=rt.clock.now())
    told = fan_out(rt, held, done)
    with rt.begin() as session:
        store.finish(session, held, done)
        if broken:
            again = rt.clock.now() + AGAIN_AFTER
            store.set_aside(session, held, broken, error="unexpected", again=again)
    log.info(
        "match.batch",
        events=len(done),
        matches=len(met),
        readers=told.readers,
        endpoints=told.endpoints,
        excluded=told.excluded,
    )
    rt.metrics.handled("match", "matched", len(done))
    for reason, number in told.excluded.items():
        rt.metrics.handled("match", reason, number)
    return len(done)


def _met(rt: Runtime, events: list[ToMatch]) -> tuple[list[Met], list[int]]:
    """What met, and the events that could not be read."""
    now = rt.clock.now()
    met: list[Met] = []
    broken: list[int] = []
    for event in events:
        try:
            hits = rt.index.match(event.document, now)
        except Exception as exc:  # one event's content must not hold up the others
            log.error("match.unexpected", event_id=event.event_id, error=type(exc).__name__)
            rt.metrics.error("match")
            broken.append(event.event_id)
            continue
        met += [(event.event_id, hit.interest_id, hit.witnesses) for hit in hits]
    return met, broken
