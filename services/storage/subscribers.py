"""Subscribers, what they agreed to, and the addresses that must not be written to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.tables import (
    Consent,
    Delivery,
    Interest,
    Issue,
    Subscriber,
    Subscription,
    Suppression,
)


def ensure(
    session: Session, *, email: str, email_hash: bytes, locale: str, timezone: str, now: datetime
) -> Subscriber:
    """The subscriber with this address, held until the transaction ends; a new one is `pending`."""
    session.execute(
        insert(Subscriber)
        .values(
            email=email, email_hash=email_hash, state="pending", locale=locale, timezone=timezone,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    # By the hash, so that an address once stored is found whatever became of its spelling.
    return session.scalars(
        select(Subscriber).where(Subscriber.email_hash == email_hash).with_for_update()
    ).one()


def by_hash(session: Session, email_hash: bytes) -> Subscriber | None:
    return session.scalars(select(Subscriber).where(Subscriber.email_hash == email_hash)).one_or_none()


def by_id(session: Session, subscriber_id: int) -> Subscriber | None:
    return session.get(Subscriber, subscriber_id)


def hold(session: Session, subscriber_id: int) -> Subscriber | None:
    """The subscriber, locked until the transaction ends: changes of one person follow each other.

    Letters to them may be written meanwhile (a key of theirs is shared); who writes one holds what waits for
    them, and would otherwise wait for us while we wait for that.
    """
    return session.scalars(
        select(Subscriber).where(Subscriber.id == subscriber_id).with_for_update(key_share=True)
    ).one_or_none()


def heard(person: Subscriber, at: datetime) -> None:
    """The person, who is held, did something themselves: whatever they were asked is answered by it."""
    person.heard_at, person.asked_at, person.reminded_at = at, None, None


def remove(session: Session, subscriber_id: int) -> None:
    """Take out the person and everything that hangs on them; the ledger keeps only the keyed hash.

    Their subscriptions are to be dropped first (storage.subscriptions.drop), so that matchers hear of it.
    """
    session.execute(delete(Subscriber).where(Subscriber.id == subscriber_id))


def write_consent(
    session: Session, *, email_hash: bytes, action: str, text_version: str, via: str, at: datetime
) -> None:
    """One line of the consent ledger, in the transaction of what was agreed to."""
    session.add(
        Consent(email_hash=email_hash, action=action, text_version=text_version, via=via, at=at)
    )  # fmt: skip


def consents(session: Session, email_hash: bytes) -> Sequence[Consent]:
    return session.scalars(select(Consent).where(Consent.email_hash == email_hash).order_by(Consent.id)).all()


def suppression(session: Session, email_hash: bytes) -> Suppression | None:
    return session.get(Suppression, email_hash)


def suppressed(session: Session, *, before: int | None, limit: int) -> list[tuple[Suppression, str | None]]:
    """Suppressions, the newest first, with the address while somebody here has it."""
    asked = (
        select(Suppression, Subscriber.email)
        .outerjoin(Subscriber, Subscriber.email_hash == Suppression.email_hash)
        .order_by(Suppression.id.desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(Suppression.id < before)
    return [(row, email) for row, email in session.execute(asked)]


def suppress(session: Session, *, email_hash: bytes, reason: str, detail: str | None, at: datetime) -> None:
    """Write to this address no more; the first reason stays."""
    session.execute(
        insert(Suppression)
        .values(email_hash=email_hash, reason=reason, detail=detail, at=at)
        .on_conflict_do_nothing()
    )


def lift(session: Session, email_hash: bytes) -> bool:
    """Let an address be written to again; False when nothing stood against it."""
    gone = delete(Suppression).where(Suppression.email_hash == email_hash).returning(Suppression.reason)
    return session.scalar(gone) is not None


def letters_since(session: Session, subscriber_id: int, *, kind: str, since: datetime) -> int:
    """How many issues of a kind a person was sent since a time."""
    asked = (Issue.subscriber_id == subscriber_id, Issue.kind == kind, Issue.created_at > since)
    return session.scalar(select(func.count()).select_from(Issue).where(*asked)) or 0


def letter(session: Session, subscriber_id: int, *, kind: str, window_key: str | None) -> Issue | None:
    """A person's issue of a kind: the one of `window_key`, or the newest."""
    found = select(Issue).where(Issue.subscriber_id == subscriber_id, Issue.kind == kind)
    if window_key is not None:
        found = found.where(Issue.window_key == window_key)
    return session.scalars(found.order_by(Issue.id.desc()).limit(1)).one_or_none()


def issues_of(session: Session, subscriber_id: int) -> list[tuple[Issue, str | None, datetime | None]]:
    """Everything composed for a person, newest first, with its delivery's state and end."""
    rows = session.execute(
        select(Issue, Delivery.state, Delivery.finished_at)
        .outerjoin(Delivery, Delivery.issue_id == Issue.id)
        .where(Issue.subscriber_id == subscriber_id)
        .order_by(Issue.id.desc())
    )
    return [(issue, state, finished_at) for issue, state, finished_at in rows]


def unconfirmed_before(session: Session, at: datetime, *, limit: int) -> Sequence[int]:
    """Sign-ups older than `at` that nobody confirmed and to whom no letter was made since."""
    recent = select(Issue.id).where(Issue.subscriber_id == Subscriber.id, Issue.created_at >= at)
    stale = (Subscriber.state == "pending", Subscriber.created_at < at, ~recent.exists())
    return session.scalars(
        select(Subscriber.id).where(*stale).order_by(Subscriber.id).limit(limit).with_for_update()
    ).all()


def subscriptions_of(session: Session, subscriber_id: int) -> list[tuple[Subscription, str]]:
    """A person's subscriptions in the order they were made, with the canonical form of each."""
    rows = session.execute(
        select(Subscription, Interest.canonical)
        .join(Interest, Interest.id == Subscription.interest_id)
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(Subscription.id)
    )
    return [(subscription, canonical) for subscription, canonical in rows]
