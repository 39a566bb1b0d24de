"""All that a person asked for, agreed to and muted, taken out at once; the matchers hear of what nobody uses
now."""

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from services.storage import mutes, subscriptions
from services.storage.tables import Endpoint, Rhythm


def drop_all(session: Session, subscriber_id: int) -> int:
    """A person's subscriptions, rhythms, mutes and word of endpoints; returns how many subscriptions."""
    mine = subscriptions.of_subscriber(session, subscriber_id)
    # All at once, in everybody's order: two who leave with much in common must not wait for each other.
    subscriptions.hold(session, [*(one.interest_id for one in mine), *mutes.held(session, subscriber_id)])
    dropped = subscriptions.drop(session, [one.id for one in mine])
    session.execute(delete(Rhythm).where(Rhythm.subscriber_id == subscriber_id))
    mutes.drop_all(session, subscriber_id)
    session.execute(
        update(Endpoint)
        .where(Endpoint.contact_id == subscriber_id)
        .values(contact_id=None, contact_confirmed_at=None)
    )
    return dropped
