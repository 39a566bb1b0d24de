"""Replays go on: each job gathers what it promised, then releases it a few at a time.

Fresh events come first: only a few calls of a replay are under way to an endpoint, none is released while
others have waited, and an endpoint that is unwell gets none. `deliver` sends what is released here. Each step
is one transaction, so a job that is killed goes on where it stood, and nothing is released twice.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from services import log as logs
from services.interests import language
from services.interests.evaluate import meets
from services.interests.reading import Reading
from services.pipeline.leases import LEASE
from services.queue import Stage
from services.runtime import Runtime
from services.storage import replays as store
from services.storage import search, work
from services.storage.replays import Room
from services.storage.tables import Replay

JOBS_AT_ONCE = 20
SCAN_AT_ONCE = 500  # events a step
WINDOW = 40  # calls of one replay under way; less than an endpoint's quota, so that others find room
SHARE = 0.5  # of the pace that an endpoint's owner set: the rest is for fresh events
STEP_S = 0.1  # between two steps of a job
UNWELL_S = 5.0
LATE = timedelta(seconds=1)  # so long may another call have waited
PATIENCE_S = 1.0  # without progress for so long, the sweep is left to come back

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Carry on with every job that is due, until none makes progress; how many events were released."""
    released, moved_at = 0, rt.clock.monotonic()
    while not rt.stopping.is_set() and rt.clock.monotonic() - moved_at < PATIENCE_S:
        now = rt.clock.now()
        with rt.begin() as session:
            held = work.claim(session, work.REPLAYS, now=now, lease=LEASE, limit=JOBS_AT_ONCE)
            next_due = now if held else store.next_due(session)
        if next_due is None:
            break
        if not held:
            rt.clock.sleep(max(0.0, min((next_due - now).total_seconds(), STEP_S)))
            continue
        done = [_step(rt, replay_id, held.id) for replay_id in held.rows]
        released += sum(count for count, _ in done)
        if any(has_moved for _, has_moved in done):
            moved_at = rt.clock.monotonic()
    return released


def _step(rt: Runtime, replay_id: int, claim_id: str) -> tuple[int, bool]:
    """One step of one job: how many events it released, and whether the job came any further."""
    with rt.begin() as session:
        job = store.held(session, replay_id, claim_id)
        if job is None:  # cancelled, or another worker's by now
            return 0, False
        if job.gathered_at is None:
            _gather(rt, session, job)
            return 0, True
        count, has_moved = _release(rt, session, job)
    if count:
        rt.bell.ring(Stage.DELIVER_WEBHOOK)
    return count, has_moved


def _gather(rt: Runtime, session: Session, job: Replay) -> None:
    """Find the next of what is asked for; at the end the promise is complete."""
    now, asked = rt.clock.now(), store.interest(session, job.source_id or 0)
    if job.source_id is None or asked is None:
        store.end(job, "failed", tally={"because": "the endpoint that it reads from was taken out"}, now=now)
        return
    if job.what == "failed":
        store.promise_failed(session, job)
        ids: Sequence[int] = ()
    else:
        ids = store.scan(session, job, limit=SCAN_AT_ONCE)
        store.promise(session, job, _wanted(rt, session, job.source_id, asked, ids))
    if len(ids) < SCAN_AT_ONCE:
        job.gathered_at = now
        log.info("replay.gathered", replay_id=job.id, total=job.total)
    job.scanned_to = ids[-1] if ids else job.scanned_to
    store.put_back(job, due_at=now)


def _wanted(
    rt: Runtime, session: Session, source_id: int, asked: tuple[int, str], ids: Sequence[int]
) -> list[int]:
    """Of some events, those that the endpoint was told or that met its interest, then or now."""
    interest_id, canonical = asked
    known, tree, now = (
        store.seen(session, source_id, interest_id, ids),
        language.parse(canonical),
        rt.clock.now(),
    )
    rest = [one for one in ids if one not in known]
    met = {
        event_id for event_id, document in search.documents_of(session, rest)
        if meets(tree, Reading(document, rt.analyser), now)
    }  # fmt: skip
    return sorted(known | met)


def _release(rt: Runtime, session: Session, job: Replay) -> tuple[int, bool]:
    """Put as many on their way as there is room for, and say when to look again."""
    now = rt.clock.now()
    room = store.room(session, job, now=now, late=LATE)
    if job.released >= job.total and not room.under_way:
        store.end(job, "done", tally=store.tallies(session, [job.id])[job.id], now=now)
        log.info("replay.done", replay_id=job.id, total=job.total)
        return 0, True
    if (unwell := _unwell(room)) is not None:
        store.put_back(job, due_at=now + timedelta(seconds=UNWELL_S), waits_for=unwell)
        return 0, False
    if room.has_late_calls:
        store.put_back(job, due_at=now + timedelta(seconds=STEP_S), waits_for="fresh events go first")
        return 0, False
    pace = job.max_per_s if room.max_per_s is None else min(job.max_per_s, room.max_per_s * SHARE)
    window = min(WINDOW, room.quota // 2, WINDOW if room.max_per_s is None else int(pace))
    fits = min(max(1, window) - room.under_way, max(1, round(pace * STEP_S)))
    count = store.release(session, job, limit=fits, now=now) if fits > 0 else 0
    store.put_back(job, due_at=now + timedelta(seconds=max(STEP_S, count / pace)))
    return count, count > 0


def _unwell(room: Room) -> str | None:
    """Why an endpoint is sent nothing old now."""
    if room.state != "active":
        return f"the endpoint is {room.state}"
    if room.health not in ("healthy", "recovering"):
        return f"the endpoint is {room.health}"
    return None
