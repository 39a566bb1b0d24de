"""Stage 3: each event is held against every interest at once, and everyone it reaches is written down.

    whole:   claim events → match → fan out → finish
    shared:  claim events → plan turns;  claim turns of the own shard → match;
             claim events whose turns are all done → fan out → finish

Matching is exact: nobody is missed and nobody is told by mistake. Who is left out is written too, with the
reason, so that accounts close.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from services import log as logs
from services.interests.shards import Shard
from services.pipeline.fan_out import SLICE, fan_out, slices
from services.pipeline.following import refresh, save
from services.pipeline.leases import LEASE, kept
from services.runtime import Runtime
from services.storage import matching as store
from services.storage import turns, work
from services.storage.matching import Met, ToMatch
from services.storage.work import Claim, Lane

BATCH = 50
AGAIN_AFTER = timedelta(minutes=5)
STRANDED_AFTER = timedelta(minutes=1)
MISSED_AFTER = timedelta(minutes=1)
LOOK_EVERY_S = 0.5
LOOK_EVERY_S_SHARED = 0.1  # nobody rings one shard's bell

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Match until no event is due or the process is stopping; returns how many events were told."""
    shard = Shard.parse(rt.settings.match_shard)
    if not refresh(rt, rt.index):  # the first may take long, so it comes before any claim
        return 0
    with rt.begin() as session:
        turns.take_back(session, shard, before=rt.clock.now() - STRANDED_AFTER)
    told = 0
    while not rt.stopping.is_set():
        finished = _batch(rt, work.EVENTS, lambda held: _take_events(rt, shard, held))
        own = None if shard.is_whole else _batch(rt, turns.lane(shard), lambda held: _take_turns(rt, held))
        if finished is None and own is None:
            break
        told += finished or 0
    return told


def attend(rt: Runtime) -> None:
    """Until the process is asked to stop: know of every interest within a second, and see to the own shard.

    A ring wakes one matcher of many; where each has work of its own, each looks for itself.
    """
    is_shared = not Shard.parse(rt.settings.match_shard).is_whole
    is_well, look_at = True, rt.clock.now()
    while not rt.stopping.wait(LOOK_EVERY_S_SHARED if is_shared else LOOK_EVERY_S):
        try:
            refresh(rt, rt.index)
            save(rt, rt.index)
            if is_shared:
                run(rt)
            if rt.clock.now() >= look_at:
                look_at = rt.clock.now() + MISSED_AFTER
                tell_missing(rt)
            is_well = True
        except Exception as exc:  # whatever it was, the next look may be better; said once
            if is_well:
                log.error("match.not_attended", error=type(exc).__name__)
                rt.metrics.error("match")
            is_well = False


def tell_missing(rt: Runtime) -> None:
    """Say in the log which other shards hold events back."""
    with rt.begin() as session:
        found = turns.missing(session, before=rt.clock.now() - MISSED_AFTER)
    for one in found:
        log.error("match.shard_missing", shard=str(one.shard), since=one.since.isoformat(), events=one.events)
        rt.metrics.error("match_shard")


def _batch(rt: Runtime, lane: Lane, take: Callable[[Claim], int]) -> int | None:
    """One claim of a lane, handed to `take`; None when nothing was due."""
    with rt.begin() as session:
        held = work.claim(session, lane, now=rt.clock.now(), lease=LEASE, limit=BATCH)
    if not held:
        return None
    with kept(rt, lane, held):
        if refresh(rt, rt.index):  # after the claim: whoever subscribed before the event is known
            return take(held)
    with rt.begin() as session:
        work.hand_back(session, lane, held)
    return 0


def _take_events(rt: Runtime, shard: Shard, held: Claim) -> int:
    """Match claimed events, or plan their turns; tell everyone of those that are matched."""
    with rt.begin() as session:
        had_turns = turns.planned(session, held.rows)
    fresh = [event_id for event_id in held.rows if event_id not in had_turns]
    if shard.is_whole:
        matched = _matched(rt, held, fresh, by_turn=False)
    else:
        matched = []
        with rt.begin() as session:
            turns.plan(session, held, fresh, shard, now=rt.clock.now())
    done = sorted({*matched, *had_turns})
    told = fan_out(rt, held, done)
    with rt.begin() as session:
        finished = store.finish(session, held, done)
        if had_turns:
            turns.forget(session, sorted(had_turns))
    log.info(
        "match.told", events=finished, readers=told.readers, endpoints=told.endpoints, excluded=told.excluded
    )
    rt.metrics.handled("match", "matched", finished)
    for reason, number in told.excluded.items():
        rt.metrics.handled("match", reason, number)
    return finished


def _take_turns(rt: Runtime, held: Claim) -> int:
    """Match the events of claimed turns against the own shard; returns how many turns are done."""
    with rt.begin() as session:
        events = turns.events_of(session, held)
    matched = _matched(rt, held, events, by_turn=True)
    with rt.begin() as session:
        ready = turns.done(session, held, matched, now=rt.clock.now())
    if ready:
        rt.bell.ring("match")
    return len(matched)


def _matched(rt: Runtime, held: Claim, event_ids: Sequence[int], *, by_turn: bool) -> list[int]:
    """Match events and write what met; the ids of those that could be read. The others are set aside."""
    with rt.begin() as session:
        events = store.events_as_documents(session, event_ids)
    met, broken = _met(rt, events)
    for some in slices(met, SLICE):
        with rt.begin() as session:
            store.record(session, held, some, now=rt.clock.now(), by_turn=by_turn)
    if broken:
        again = rt.clock.now() + AGAIN_AFTER
        set_aside = turns.set_aside if by_turn else store.set_aside
        with rt.begin() as session:
            set_aside(session, held, broken, error="unexpected", again=again)
    log.info("match.batch", events=len(events), matches=len(met), broken=len(broken))
    return [event.event_id for event in events if event.event_id not in broken]


def _met(rt: Runtime, events: Sequence[ToMatch]) -> tuple[list[Met], list[int]]:
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
