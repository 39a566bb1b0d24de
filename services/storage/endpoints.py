"""Webhook endpoints as their owners manage them; sending is `storage/deliveries.py`."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from services.domain.health import FULL_QUOTA, Health
from services.storage.tables import (
    Attempt,
    AuditLine,
    Consumer,
    Delivery,
    Endpoint,
    Event,
    Interest,
    Subscriber,
    Subscription,
)

Listed = tuple[Endpoint, Subscription, str, str]  # with its subscription, canonical query, consumer's name


def add(
    session: Session, *, consumer_id: int, url: str, host: str, label: str | None, format: str,
    content: str, secrets: list[dict[str, Any]], now: datetime,
) -> Endpoint:  # fmt: skip
    endpoint = Endpoint(
        consumer_id=consumer_id, url=url, host=host, label=label, format=format, content=content,
        secrets=secrets, created_at=now,
    )  # fmt: skip
    session.add(endpoint)
    session.flush()
    return endpoint


def refresh(row: Endpoint) -> None:
    """Make an endpoint active, with nothing held against it."""
    row.state, row.state_because, row.failures, row.failing_since = "active", None, 0, None
    row.health, row.quota, row.next_at, row.warned_at = Health.HEALTHY, FULL_QUOTA, None, 0


def confirm_contact(session: Session, endpoint_id: int, subscriber_id: int, *, now: datetime) -> bool:
    """This person said yes to word of an endpoint; False when it has another contact, or is gone."""
    row = session.get(Endpoint, endpoint_id)
    if row is None or row.contact_id != subscriber_id:
        return False
    row.contact_confirmed_at = now
    return True


def contacts(session: Session, endpoint_ids: Sequence[int]) -> dict[int, str]:
    """{endpoint: the address of its contact}."""
    asked = select(Endpoint.id, Subscriber.email).join(Subscriber, Subscriber.id == Endpoint.contact_id)
    return {row[0]: row[1] for row in session.execute(asked.where(Endpoint.id.in_(endpoint_ids)))}


def told_of(session: Session, subscriber_id: int) -> Sequence[Endpoint]:
    """The endpoints whose contact a person is, confirmed or not."""
    mine = select(Endpoint).where(Endpoint.contact_id == subscriber_id)
    return session.scalars(mine.order_by(Endpoint.id)).all()


def contacts_asked(session: Session, consumer_id: int, *, since: datetime) -> int:
    """How often a consumer has had a contact asked, since a time."""
    own = select(cast(Endpoint.uid, Text)).where(Endpoint.consumer_id == consumer_id)
    asked = select(func.count()).where(
        AuditLine.action == "endpoint.contact", AuditLine.at >= since, AuditLine.target.in_(own)
    )
    return session.scalar(asked) or 0


def everything(session: Session, *, consumer_id: int | None) -> list[Listed]:
    """A consumer's endpoints, or all of them, oldest first."""
    wanted = _LISTED.order_by(Endpoint.id)
    if consumer_id is not None:
        wanted = wanted.where(Endpoint.consumer_id == consumer_id)
    return [_listed(row) for row in session.execute(wanted)]


def by_uid(session: Session, uid: uuid.UUID, *, consumer_id: int | None) -> Listed | None:
    """An endpoint, when it is this consumer's (or anybody's, when None)."""
    wanted = _LISTED.where(Endpoint.uid == uid)
    if consumer_id is not None:
        wanted = wanted.where(Endpoint.consumer_id == consumer_id)
    row = session.execute(wanted.with_for_update(of=Endpoint)).one_or_none()
    return _listed(row) if row else None


def remove(session: Session, endpoint: Endpoint) -> None:
    """Its deliveries and their attempts go with it; drop its subscription first."""
    session.delete(endpoint)
    session.flush()


def deliveries(
    session: Session, endpoint_id: int, *, before: int | None, limit: int
) -> list[tuple[Delivery, Event | None, list[Attempt]]]:
    """Newest first, each with its event (a digest call has none) and its attempts in order."""
    wanted = select(Delivery, Event).outerjoin(Event, Event.id == Delivery.event_id)
    wanted = wanted.where(Delivery.endpoint_id == endpoint_id)
    if before is not None:
        wanted = wanted.where(Delivery.id < before)
    rows = session.execute(wanted.order_by(Delivery.id.desc()).limit(limit)).all()
    ids = [delivery.id for delivery, _ in rows]
    tries: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in session.scalars(
        select(Attempt).where(Attempt.delivery_id.in_(ids)).order_by(Attempt.delivery_id, Attempt.number)
    ):
        tries[attempt.delivery_id].append(attempt)
    return [(delivery, event, tries[delivery.id]) for delivery, event in rows]


def delivery(session: Session, endpoint_id: int, uid: uuid.UUID) -> Delivery | None:
    """One of an endpoint's deliveries."""
    wanted = select(Delivery).where(Delivery.endpoint_id == endpoint_id, Delivery.uid == uid)
    return session.scalars(wanted).one_or_none()


_LISTED: Select[Endpoint, Subscription, str, str] = (
    select(Endpoint, Subscription, Interest.canonical, Consumer.name)
    .join(Subscription, Subscription.endpoint_id == Endpoint.id)
    .join(Interest, Interest.id == Subscription.interest_id)
    .join(Consumer, Consumer.id == Endpoint.consumer_id)
)


def _listed(row: Row[Endpoint, Subscription, str, str]) -> Listed:
    endpoint, subscription, canonical, consumer = row
    return endpoint, subscription, canonical, consumer
