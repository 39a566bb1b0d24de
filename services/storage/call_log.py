"""What went to an endpoint, as its owner looks for it: by state, type, time and words. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import Session

from services.storage.tables import Attempt, Delivery, Event


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for; None is anything. `words` are looked for in the notice's title and key, in what was
    answered, and in the webhook-id."""

    state: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


def find(
    session: Session, endpoint_id: int, sought: Sought, *, before: int | None, limit: int
) -> list[tuple[Delivery, Event | None]]:
    """Newest first, each with its event (a digest call has none)."""
    wanted = select(Delivery, Event).outerjoin(Event, Event.id == Delivery.event_id)
    wanted = wanted.where(Delivery.endpoint_id == endpoint_id)
    if before is not None:
        wanted = wanted.where(Delivery.id < before)
    if sought.state is not None:
        wanted = wanted.where(Delivery.state == sought.state)
    if sought.type is not None:
        is_it = Event.type == sought.type if sought.type != "digest" else Delivery.event_id.is_(None)
        wanted = wanted.where(is_it)
    if sought.since is not None:
        wanted = wanted.where(Delivery.created_at >= sought.since)
    if sought.until is not None:
        wanted = wanted.where(Delivery.created_at <= sought.until)
    if sought.words is not None:
        words = sought.words.lower()
        told = (Event.snapshot["title"].astext, Event.snapshot["key"].astext, Delivery.detail)
        fits = [func.strpos(func.lower(func.coalesce(one, "")), words) > 0 for one in told]
        uid = words.removeprefix("msg_").replace("-", "")
        named = func.strpos(func.replace(cast(Delivery.uid, String), "-", ""), uid) > 0
        wanted = wanted.where(or_(*fits, named) if uid else or_(*fits))
    rows = session.execute(wanted.order_by(Delivery.id.desc()).limit(limit)).all()
    return [(row[0], row[1]) for row in rows]


def tries(session: Session, delivery_id: int) -> Sequence[Attempt]:
    """Every attempt at a delivery, in order."""
    wanted = select(Attempt).where(Attempt.delivery_id == delivery_id)
    return session.scalars(wanted.order_by(Attempt.number)).all()


def states(session: Session, endpoint_id: int, since: datetime) -> Mapping[str, int]:
    """{state: how many} of what was made for an endpoint since a time."""
    wanted = select(Delivery.state, func.count().label("n")).where(
        Delivery.endpoint_id == endpoint_id, Delivery.created_at >= since
    )
    return {row.state: row.n for row in session.execute(wanted.group_by(Delivery.state))}


def event_of(session: Session, delivery: Delivery) -> Event | None:
    return session.get(Event, delivery.event_id) if delivery.event_id is not None else None
