"""Rows as the queue: claiming, keeping, finishing and handing back pieces of work.

A claim is a compare-and-set with a lease. Who holds it may act outside any transaction; who records
the outcome must still hold it, so a worker that lost its lease can no longer overwrite its heir.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from services.storage.tables import (
    Candidate,
    Delivery,
    Endpoint,
    EndpointWindow,
    Event,
    Feedback,
    HubFollower,
    HubIntent,
    Issue,
    MatchTurn,
    OwnerWord,
    Replay,
    Rhythm,
    Source,
    SourceHub,
    SourcePush,
)
from services.storage.tables.base import Base


@dataclass(frozen=True, slots=True)
class Lane:
    """Which rows of a table one stage works on: `ready` states wait, `held` is a state under a lease."""

    table: type[Base]
    ready: tuple[str, ...] = ("pending",)
    held: str = "leased"
    where: tuple[ColumnElement[bool], ...] = ()
    unless: Callable[[datetime], ColumnElement[bool]] | None = None
    order: tuple[ColumnElement[Any], ...] = ()  # before the time they fell due

    def due(self, now: datetime) -> ColumnElement[bool]:
        c = _columns(self.table)
        return and_(
            or_(
                and_(c.state.in_(self.ready), c.due_at <= now),
                and_(c.state == self.held, c.lease_until < now),
            ),
            *self.where,
            *([~self.unless(now)] if self.unless else []),
        )


class _WorkColumns(Protocol):
    id: ColumnElement[int]
    state: ColumnElement[str]
    due_at: ColumnElement[datetime]
    lease_until: ColumnElement[datetime]
    claim_id: ColumnElement[str]


def _columns(table: type[Base]) -> _WorkColumns:
    return cast(_WorkColumns, table.__table__.c)  # every lane's table mixes in Work


_DELIVERY = (Delivery, ("pending", "retry"), "sending")


def _is_to_rest(now: datetime) -> ColumnElement[bool]:
    """Whether a source must not be asked: its time has not come though its poller died, or somebody else is
    asking its host at this moment."""
    asked = aliased(Source)
    busy = select(asked.host).where(
        asked.state == "leased", asked.lease_until >= now, asked.host.is_not(None)
    )
    return or_(Source.due_at > now, Source.host.is_(None), Source.host.in_(busy))


SOURCES = Lane(Source, unless=_is_to_rest)
EVENTS = Lane(Event)
MATCH_TURNS = Lane(MatchTurn)
ALERTS = Lane(Candidate, where=(Candidate.cadence == "instant",))
RHYTHMS = Lane(Rhythm)
CALL_WINDOWS = Lane(EndpointWindow)
OWNER_WORDS = Lane(OwnerWord)
MAIL_BY_AGE = Lane(*_DELIVERY, where=(Delivery.channel == "email",))
MAIL = replace(MAIL_BY_AGE, order=(Delivery.__table__.c.weight,))
CONFIRMATIONS = replace(
    MAIL,
    where=(
        *MAIL.where,
        Delivery.weight == 0,
        exists().where(Issue.id == Delivery.issue_id, Issue.kind == "confirm"),
    ),
)


def _waits(now: datetime) -> ColumnElement[bool]:
    """Whether a call waits for its endpoint: paused by its owner, unwell, or to be called no faster."""
    later = or_(Endpoint.next_at > now, Endpoint.paced_until > now) & (Endpoint.state != "disabled")
    return Delivery.endpoint_id.in_(select(Endpoint.id).where(or_(Endpoint.state == "paused", later)))


WEBHOOKS = Lane(*_DELIVERY, where=(Delivery.channel == "webhook",), unless=_waits)
FEEDBACK = Lane(Feedback)


def _is_not_its_turn(_: datetime) -> ColumnElement[bool]:
    """Whether the same callback is still to be asked something earlier about the same topic."""
    earlier = aliased(HubIntent)
    return (
        select(earlier.id)
        .where(
            earlier.callback == HubIntent.callback, earlier.topic == HubIntent.topic,
            earlier.id < HubIntent.id, earlier.state.in_(("pending", "leased")),
        )
        .exists()
    )  # fmt: skip


HUB_INTENTS = Lane(HubIntent, unless=_is_not_its_turn)
HUB_FOLLOWERS = Lane(
    HubFollower, ("pending", "retry"), "sending", unless=lambda now: HubFollower.follows_until <= now
)
REPLAYS = Lane(Replay)


def _follows_another(_: datetime) -> ColumnElement[bool]:
    """Whether an earlier push of the same hub is still to be read: what is older must not be written last."""
    earlier = aliased(SourcePush)
    return select(earlier.id).where(earlier.hub_id == SourcePush.hub_id, earlier.id < SourcePush.id).exists()


SOURCE_HUBS = Lane(SourceHub)
SOURCE_PUSHES = Lane(SourcePush, unless=_follows_another)
LANES = {
    "poll": (SOURCES,),
    "match": (EVENTS, MATCH_TURNS),
    "compose": (ALERTS, RHYTHMS, CALL_WINDOWS, OWNER_WORDS),
    "deliver_mail": (MAIL,),
    "deliver_webhook": (WEBHOOKS,),
    "feedback": (FEEDBACK,),
    "hub": (HUB_INTENTS, HUB_FOLLOWERS),
    "replay": (REPLAYS,),
    "listen": (SOURCE_HUBS, SOURCE_PUSHES),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The rows one claim holds, oldest due first."""

    id: str
    rows: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.rows)


def claim(
    session: Session, lane: Lane, *, now: datetime, lease: timedelta, limit: int, under: str | None = None
) -> Claim:
    """Hold up to `limit` due rows until `now + lease`; rows that another claim is taking are skipped.

    `under` is the id of a claim that grows by these rows; without it they are a claim of their own.
    """
    c = _columns(lane.table)
    due = select(c.id).where(lane.due(now)).order_by(*lane.order, c.due_at, c.id).limit(limit)
    rows = session.scalars(due.with_for_update(skip_locked=True)).all()
    claim_id = under or secrets.token_hex(8)
    if rows:
        session.execute(
            update(lane.table.__table__)  # type: ignore[arg-type]
            .where(c.id.in_(rows))
            .values(state=lane.held, claim_id=claim_id, lease_until=now + lease)
        )
    return Claim(claim_id, tuple(rows))


def hand_back(session: Session, lane: Lane, held: Claim, *, rows: Sequence[int] | None = None) -> int:
    """Give up what is still held (or only `rows` of it), due as it was; returns how many."""
    c = _columns(lane.table)
    wanted = c.id.in_(held.rows if rows is None else rows)
    given = session.execute(
        update(lane.table.__table__)  # type: ignore[arg-type]
        .where(wanted, c.claim_id == held.id, c.state == lane.held)
        .values(state=lane.ready[0], claim_id=None, lease_until=None)
        .returning(c.id)
    ).all()
    return len(given)


def extend(session: Session, lane: Lane, held: Claim, *, until: datetime) -> None:
    """Keep what is held for longer, when a batch is slow but alive.

    A row that is being recorded at this moment needs no longer lease; to wait for it could be a deadlock.
    """
    c = _columns(lane.table)
    still = select(c.id).where(c.id.in_(held.rows), c.claim_id == held.id, c.state == lane.held)
    session.execute(
        update(lane.table.__table__)  # type: ignore[arg-type]
        .where(c.id.in_(still.with_for_update(skip_locked=True)))
        .values(lease_until=until)
    )


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits at a stage: rows due now, and seconds since the oldest of them fell due."""

    due: int
    oldest_s: float


def backlog(session: Session, stage: str, *, now: datetime) -> Backlog:
    """How much a stage has before it; counts up to 10,000 rows, so that looking stays cheap."""
    due, oldest = 0, now
    for lane in LANES[stage]:
        c = _columns(lane.table)
        some = select(c.due_at).where(lane.due(now)).limit(10_000).subquery()
        count, first = session.execute(select(func.count(), func.min(some.c.due_at))).one()
        due += count
        oldest = min(oldest, first or now)
    return Backlog(due, (now - oldest).total_seconds())


def is_due(session: Session, stage: str, *, now: datetime) -> bool:
    """Whether a stage has anything to do; what the sweep asks every second."""
    return any(
        session.scalar(select(_columns(lane.table).id).where(lane.due(now)).limit(1)) is not None
        for lane in LANES[stage]
    )
