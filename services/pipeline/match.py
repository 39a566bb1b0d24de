"""Stage 3: each event is held against every interest at once, and everyone it reaches is written down.

Matching is exact: nobody is missed and nobody is told by mistake. Who is left out is written too, with the
reason, so that accounts close.
"""

from datetime import timedelta

from services import log as logs
from services.interests.live import LiveIndex
from services.pipeline.leases import LEASE, kept
from services.runtime import Runtime
from services.storage import matching as store
from services.storage import work
from services.storage.matching import FannedOut, ToMatch
from services.storage.work import Claim

BATCH = 50
AGAIN_AFTER = timedelta(minutes=5)

log = logs.get(__name__)
Hits = dict[int, list[tuple[int, tuple[str, ...]]]]


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
    now = rt.clock.now()
    hits: Hits = {}
    broken: list[int] = []
    for event in events:
        try:
            found = rt.index.match(event.document, now)
        except Exception as exc:  # one event's content must not hold up the others
            log.error("match.unexpected", event_id=event.event_id, error=type(exc).__name__)
            rt.metrics.error("match")
            broken.append(event.event_id)
            continue
        hits[event.event_id] = [(hit.interest_id, hit.witnesses) for hit in found]
    with rt.begin() as session:
        reached = store.fan_out(session, held, hits, now=now)
        if broken:
            store.set_aside(session, held, broken, error="unexpected", again=now + AGAIN_AFTER)
    log.info("match.batch", events=len(hits), matches=sum(map(len, hits.values())), readers=reached.readers)
    rt.metrics.handled("match", "matched", len(hits))
    _ring(rt, reached)
    return len(hits)


def _ring(rt: Runtime, reached: FannedOut) -> None:
    if reached.readers:
        rt.bell.ring("compose")
    if reached.endpoints:
        rt.bell.ring("deliver_webhook")
