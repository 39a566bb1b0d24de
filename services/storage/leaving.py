"""All that a person asked for and muted, taken out at once; the matchers hear of what nobody uses now."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.storage import mutes, subscriptions
from services.storage.tables import Rhythm


def drop_all(session: Session, subscriber_id: int) -> int:
    """A person's subscriptions, rhythms and mutes; returns how many subscriptions there were."""
    mine = subscriptions.of_subscriber(session, subscriber_id)
    dropped = subscriptions.drop(session, [one.id for one in mine])
    session.execute(delete(Rhythm).where(Rhythm.subscriber_id == subscriber_id))
    mutes.drop_all(session, subscriber_id)
    return dropped
