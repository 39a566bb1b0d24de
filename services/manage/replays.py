"""Sending again: one event, everything that was given up, or all that an endpoint asks for since a time.

A replay is a job in rows that the pipeline carries on with; here it is asked for, watched and cancelled.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from services.errors import BadInput, Conflict, NotFound
from services.manage.endpoints import Owner, need, write_audit
from services.queue import Stage
from services.runtime import Runtime
from services.storage import endpoints as endpoints_store
from services.storage import replays as store
from services.storage.tables import Delivery, Replay

MAX_REPLAY = timedelta(days=30)
DEFAULT_PER_S = 50.0
MIN_PER_S, MAX_PER_S = 0.01, 400.0
MARGIN = timedelta(minutes=1)  # what was asked for as 30 days may arrive a little later
ID_PREFIX = "msg_"


class What(StrEnum):
    """Which events go again: those whose delivery was given up, or all that meet the interest."""

    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A job and how far it is: `total` events promised (once `gathered`), of them `done`.

    `sent`, `retrying` and `failed` are what became of calls, `already` were on their way without it, `left`
    are still to go. `per_s` is its rate so far and `eta_s` the seconds that it still needs at that rate.
    """

    uid: str
    endpoint: str
    what: str
    since: datetime
    until: datetime
    max_per_s: float
    state: str  # gathering, running, done, cancelled or failed
    waits_for: str | None
    total: int
    done: int
    sent: int
    retrying: int
    failed: int
    already: int
    left: int
    per_s: float | None
    eta_s: int | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_active(self) -> bool:
        return self.finished_at is None


def start(
    rt: Runtime, owner: Owner, uid: str, *, since: datetime, until: datetime | None = None,
    what: str = What.ALL, of: str | None = None, max_per_s: float = DEFAULT_PER_S,
) -> ReplayView:  # fmt: skip
    """Begin to send again what happened from `since` to `until` (now), also before the endpoint existed.

    `of` names another endpoint of the same owner, whose events are told to this one instead. What was sent
    before keeps its webhook-id. Raises BadInput, NotFound, and Conflict while another replay is under way.
    """
    now = rt.clock.now()
    until = min(until or now, now)
    _check_span(since, until, now)
    if what not in tuple(What):
        raise BadInput("What to replay is one of: failed, all.", field="what")
    if not MIN_PER_S <= max_per_s <= MAX_PER_S:
        raise BadInput(f"Name a pace of {MIN_PER_S} to {MAX_PER_S:.0f} events a second.", field="max_per_s")
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        source = need(session, owner, of)[0] if of is not None else row
        job = store.add(
            session, endpoint_id=row.id, source_id=source.id, what=what, since=since, until=until,
            max_per_s=max_per_s, now=now,
        )  # fmt: skip
        if job is None:
            raise Conflict("A replay to this endpoint is under way: wait until it ends, or cancel it.")
        write_audit(session, owner, "endpoint.replay", row, now)
        view = _view(job, str(row.uid), {}, now)
    rt.bell.ring(Stage.REPLAY)
    return view


def list_for(rt: Runtime, owner: Owner, uid: str) -> list[ReplayView]:
    """An endpoint's latest replays, the newest first."""
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        jobs = store.lately(session, row.id)
        tallies = store.tallies(session, [job.id for job in jobs if job.tally is None])
        now = rt.clock.now()
        return [_view(job, str(row.uid), tallies.get(job.id, {}), now) for job in jobs]


def show(rt: Runtime, owner: Owner, uid: str, replay: str) -> ReplayView:
    """How far a replay is."""
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        return _one(session, row.id, uid, replay, rt.clock.now())


def cancel(rt: Runtime, owner: Owner, uid: str, replay: str) -> ReplayView:
    """End a replay. What it has put on its way still arrives; of one that has ended nothing changes."""
    now = rt.clock.now()
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        job = _need(session, row.id, replay)
        if job.state in store.ACTIVE:
            store.drop_waiting(session, job.id)
            store.end(job, "cancelled", tally=store.tallies(session, [job.id])[job.id], now=now)
            write_audit(session, owner, "endpoint.replay-cancel", row, now)
            session.flush()
        return _one(session, row.id, uid, replay, now)


def resend(rt: Runtime, owner: Owner, uid: str, delivery: str) -> None:
    """Send one delivery (its webhook-id) again now, with the id that it had. Raises NotFound, Conflict."""
    now = rt.clock.now()
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        found = need_delivery(session, row.id, delivery)
        if not store.redeliver(session, found.id, now=now):
            raise Conflict("It is being sent at this moment, or waits for its digest.")
        write_audit(session, owner, "endpoint.resend", row, now)
    rt.bell.ring(Stage.DELIVER_WEBHOOK)


def need_delivery(session: Session, endpoint_id: int, delivery: str) -> Delivery:
    """An endpoint's delivery by its webhook-id."""
    try:
        uid = uuid.UUID(delivery.removeprefix(ID_PREFIX))
    except ValueError:
        uid = uuid.UUID(int=0)
    found = endpoints_store.delivery(session, endpoint_id, uid)
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def _check_span(since: datetime, until: datetime, now: datetime) -> None:
    if since.tzinfo is None or not now - MAX_REPLAY - MARGIN <= since <= now:
        raise BadInput(f"Events of the last {MAX_REPLAY.days} days can be replayed.", field="since")
    if until < since:
        raise BadInput("The end of a replay is not before its beginning.", field="until")


def _need(session: Session, endpoint_id: int, replay: str) -> Replay:
    try:
        uid = uuid.UUID(replay)
    except ValueError:
        uid = uuid.UUID(int=0)
    job = store.by_uid(session, endpoint_id, uid)
    if job is None:
        raise NotFound("There is no such replay.")
    return job


def _one(session: Session, endpoint_id: int, endpoint: str, replay: str, now: datetime) -> ReplayView:
    job = _need(session, endpoint_id, replay)
    tally = store.tallies(session, [job.id])[job.id] if job.tally is None else {}
    return _view(job, endpoint, tally, now)


def _view(job: Replay, endpoint: str, live: Mapping[str, int], now: datetime) -> ReplayView:
    tally: Mapping[str, Any] = job.tally if job.tally is not None else live
    failed = sum(int(tally.get(one, 0)) for one in ("failed", "suppressed", "uncertain"))
    sent, retrying = int(tally.get("sent", 0)), int(tally.get("retry", 0))
    done = sent + retrying + failed + job.already
    left = max(0, job.total - done)
    per_s = _rate(job, done, now)
    return ReplayView(
        uid=str(job.uid), endpoint=endpoint, what=job.what, since=job.since, until=job.until,
        max_per_s=job.max_per_s, state=_state(job), waits_for=tally.get("because") or job.waits_for,
        total=job.total, done=done, sent=sent, retrying=retrying, failed=failed, already=job.already,
        left=left, per_s=per_s, eta_s=_eta_s(job, left, per_s), created_at=job.created_at,
        finished_at=job.finished_at,
    )  # fmt: skip


def _state(job: Replay) -> str:
    if job.state not in store.ACTIVE:
        return job.state
    return "gathering" if job.gathered_at is None else "running"


def _rate(job: Replay, done: int, now: datetime) -> float | None:
    if job.gathered_at is None or not done:
        return None
    span_s = ((job.finished_at or now) - job.gathered_at).total_seconds()
    return round(done / span_s, 1) if span_s > 0 else None


def _eta_s(job: Replay, left: int, per_s: float | None) -> int | None:
    if job.finished_at is not None or job.gathered_at is None:
        return None
    return round(left / per_s) if per_s else None
