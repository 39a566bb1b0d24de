"""Keeps the matcher of a process in step with what people ask for, from a snapshot and the change log.

A process begins with the last snapshot and compiles what it lacks; from then on it hears of every change
within a second of its commit, and again before each batch. Nothing is ever built anew.
"""

from collections.abc import Sequence
from datetime import timedelta

from services import log as logs
from services.interests.live import LiveIndex
from services.interests.shards import Shard
from services.pipeline.fan_out import slices
from services.runtime import Runtime
from services.storage import interest_log, snapshots
from services.storage import matching as store

BATCH = 5_000
SAVE_AFTER = 5_000  # changes, or a twentieth of all interests where that is more
SAVE_EVERY = timedelta(minutes=1)
SAMPLE = 500  # of a snapshot's interests, looked at before it is believed

log = logs.get(__name__)


def refresh(rt: Runtime, index: LiveIndex) -> bool:
    """Bring an index up to what is committed; False when the process was asked to stop before it is."""
    with index.turn:
        if index.horizon is None:
            return _begin(rt, index)
        with rt.begin() as session:
            horizon = store.horizon(session)
            logged = store.changes_since(session, index.horizon)
            is_whole = interest_log.is_whole(session, index.horizon)
        if int(horizon) < int(index.horizon):
            return _begin_anew(rt, index)
        if not is_whole:  # this process slept while what it has not read was forgotten
            return _put_right(rt, index)
        changed = {interest_id for entry, interest_id in logged.items() if entry not in index.seen}
        if not _take_in(rt, index, sorted(changed)):
            return False
        index.horizon, index.seen = horizon, frozenset(logged)
    return True


def save(rt: Runtime, index: LiveIndex, *, after: int = SAVE_AFTER) -> bool:
    """Keep a snapshot for the next start, when so many changes are in none; whether it was written."""
    if index.horizon is None or index.unsaved < max(after, len(index) // 20):
        return False
    shard, now = str(_shard(rt)), rt.clock.now()
    with rt.begin() as session:
        is_wanted = snapshots.is_wanted(session, shard, now=now, every=SAVE_EVERY)
        if is_wanted:
            data = index.snapshot()
            snapshots.write(session, shard, data, now=now)
            log.info("index.saved", shard=shard, interests=len(index), bytes=len(data))
    return is_wanted


def _begin(rt: Runtime, index: LiveIndex) -> bool:
    """The last snapshot, put right by what is in use now."""
    shard = _shard(rt)
    with rt.begin() as session:
        saved = snapshots.read(session, str(shard))
    is_restored = bool(saved) and _restore(rt, index, saved)
    return _put_right(rt, index, is_restored=is_restored)


def _begin_anew(rt: Runtime, index: LiveIndex) -> bool:
    """Transactions are counted from further back: it is another database (a backup, a copy that took over),
    where ids may mean something else. Nothing of what is known holds there."""
    log.warning("index.another_database", interests=len(index))
    fresh = LiveIndex(rt.analyser)
    is_ready = _begin(rt, fresh)
    if is_ready:
        index.become(fresh)
    return is_ready


def _restore(rt: Runtime, index: LiveIndex, saved: bytes) -> bool:
    """A snapshot of this database: its interests are what they are here, as far as a sample shows."""
    found = LiveIndex(rt.analyser)
    if not found.restore(saved):
        return False
    with rt.begin() as session:
        asked = store.states(session, found.sample(SAMPLE), _shard(rt))
    if not found.agrees(asked):
        log.warning("index.foreign_snapshot", interests=len(found))
        return False
    index.become(found)
    return True


def _put_right(rt: Runtime, index: LiveIndex, *, is_restored: bool = False) -> bool:
    """By all that is in use now: what is not is dropped, what is unknown is compiled."""
    shard = _shard(rt)
    with rt.begin() as session:
        horizon = store.horizon(session)
        seen = frozenset(store.changes_since(session, horizon))
        live = store.live_interests(session, shard)
    missing = index.reconcile(live)
    if not _take_in(rt, index, missing):
        return False
    if len(missing) >= BATCH:
        index.settle()
    index.horizon, index.seen = horizon, seen
    log.info(
        "index.ready", shard=str(shard), interests=len(index), restored=is_restored, compiled=len(missing)
    )
    return True


def _take_in(rt: Runtime, index: LiveIndex, interest_ids: Sequence[int]) -> bool:
    for few in slices(interest_ids, BATCH):
        if rt.stopping.is_set():
            return False
        with rt.begin() as session:
            states = store.states(session, few, _shard(rt))
        refused = index.refresh(states)
        if refused:
            log.error("match.interest_refused", interest_ids=refused[:20], number=len(refused))
            rt.metrics.error("match")
    return True


def _shard(rt: Runtime) -> Shard:
    return Shard.parse(rt.settings.match_shard)
