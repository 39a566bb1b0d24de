"""Who has been silent for long, who was asked whether they stay, and who never answered.

Rows are given held until the transaction ends, and those that another holds are passed over: so one letter
goes out for each, with the commit that says so.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.storage.tables import Delivery, Issue, Subscriber, Subscription, Suppression

ASKING = "reconsent"
REMINDING = "reconsent_last"


def to_ask(session: Session, *, silent_since: datetime, now: datetime, limit: int) -> Sequence[Subscriber]:
    """Active people not heard of since a time and not asked yet, who get letters."""
    has_interests = exists().where(
        Subscription.subscriber_id == Subscriber.id, Subscription.channel == "email"
    )
    return _held(
        session, now, limit, Subscriber.heard_at < silent_since, Subscriber.asked_at.is_(None), has_interests
    )


def to_remind(session: Session, *, sent_before: datetime, now: datetime, limit: int) -> Sequence[Subscriber]:
    """Those whose question left before a time and who were not reminded yet."""
    return _held(
        session, now, limit, Subscriber.reminded_at.is_(None), _left(ASKING, Subscriber.asked_at, sent_before)
    )


def to_end(session: Session, *, sent_before: datetime, now: datetime, limit: int) -> Sequence[Subscriber]:
    """Those whose reminder left before a time."""
    return _held(session, now, limit, _left(REMINDING, Subscriber.reminded_at, sent_before))


_ASK_ANEW = text("""
    UPDATE subscribers r SET asked_at = NULL, reminded_at = NULL
    WHERE r.id IN (
        SELECT p.id FROM subscribers p
        WHERE p.asked_at < :before AND EXISTS (
            SELECT FROM issues i JOIN deliveries d ON d.issue_id = i.id
            WHERE i.subscriber_id = p.id AND i.kind = ANY(:kinds) AND i.created_at >= p.asked_at
              AND d.state IN ('failed', 'suppressed'))
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING r.id
""")


def ask_anew(session: Session, *, before: datetime, limit: int) -> int:
    """Take back questions from before a time that did not arrive: nobody is let go unasked."""
    bound = {"before": before, "kinds": [ASKING, REMINDING], "limit": limit}
    return len(session.execute(_ASK_ANEW, bound).all())


_TAKE_BACK = text("""
    UPDATE subscribers SET asked_at = NULL, reminded_at = NULL
    WHERE id IN (SELECT id FROM subscribers WHERE asked_at IS NOT NULL LIMIT :limit FOR UPDATE SKIP LOCKED)
""")


def take_back(session: Session, *, limit: int) -> None:
    """Ask nobody any more: no question is open."""
    session.execute(_TAKE_BACK, {"limit": limit})


def _held(session: Session, now: datetime, limit: int, *which: ColumnElement[bool]) -> Sequence[Subscriber]:
    """Active people who may be written to now, the longest silent first."""
    silenced = exists().where(Suppression.email_hash == Subscriber.email_hash)
    found = (
        select(Subscriber)
        .where(
            Subscriber.state == "active",
            or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= now),
            ~silenced,
            *which,
        )
        .order_by(Subscriber.heard_at, Subscriber.id)
        .limit(limit)
    )
    return session.scalars(found.with_for_update(skip_locked=True, of=Subscriber)).all()


def _left(kind: str, since: InstrumentedAttribute[datetime | None], before: datetime) -> ColumnElement[bool]:
    """Whether the person's letter of this kind, written since a time of theirs, left before a time."""
    return exists().where(
        Issue.subscriber_id == Subscriber.id,
        Issue.kind == kind,
        Issue.created_at >= since,
        Delivery.issue_id == Issue.id,
        Delivery.state == "sent",
        Delivery.finished_at < before,
    )
