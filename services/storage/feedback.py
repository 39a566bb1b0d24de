"""What feedback reads and writes: bounces that become suppressions, and what one click ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain import consents
from services.storage import subscribers, subscriptions
from services.storage.tables import Subscriber
from services.storage.work import Claim

_SUPPRESS = text("""
    WITH told AS (
        UPDATE feedback SET state = 'done', claim_id = NULL, lease_until = NULL
        WHERE id = ANY(:ids) AND claim_id = :claim
        RETURNING email_hash, kind, detail
    )
    INSERT INTO suppressions (email_hash, reason, detail, at)
    SELECT DISTINCT ON (email_hash) email_hash, kind, detail, :now FROM told ORDER BY email_hash
    ON CONFLICT DO NOTHING
    RETURNING email_hash
""")


def suppress_claimed(session: Session, held: Claim, *, now: datetime) -> int:
    """Suppress the addresses of a claim; returns how many were not suppressed before."""
    bound = {"ids": list(held.rows), "claim": held.id, "now": now}
    return len(session.execute(_SUPPRESS, bound).all())


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an unsubscribe names; `is_there` tells whether it still stands."""

    subscriber_id: int
    locale: str
    label: str
    subscription_ids: tuple[int, ...]
    is_everything: bool
    is_there: bool


def named(
    session: Session, subscriber_id: int, *, subscription_id: int | None, cadence: str | None
) -> Chosen:
    """The subscriptions of a person that a token names: one, those of a rhythm, or all."""
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        return Chosen(subscriber_id, "pl", "", (), is_everything=False, is_there=False)
    mine: Sequence[tuple[int, str, str]] = [
        (s.id, s.label, s.cadence) for s in subscriptions.of_subscriber(session, subscriber_id)
    ]
    is_everything = subscription_id is None and cadence is None
    if subscription_id is not None:
        mine = [one for one in mine if one[0] == subscription_id]
    elif cadence is not None:
        mine = [one for one in mine if one[2] == cadence]
    return Chosen(
        subscriber_id,
        person.locale,
        ", ".join(label for _, label, _ in mine),
        tuple(one[0] for one in mine),
        is_everything=is_everything,
        is_there=bool(mine) or (is_everything and person.state != "left"),
    )


def leave(session: Session, chosen: Chosen, *, now: datetime) -> None:
    """End what was chosen, with its line in the ledger of consents. Commits nothing."""
    person = subscribers.hold(session, chosen.subscriber_id)
    if person is None:
        return
    if chosen.is_everything:
        subscriptions.drop_all(session, person.id)
        person.state = "left"
    else:
        subscriptions.drop(session, chosen.subscription_ids)
        subscriptions.keep_rhythms(session, person, now=now)
    subscribers.write_consent(
        session,
        email_hash=person.email_hash,
        action="leave" if chosen.is_everything else "leave_subscription",
        text_version=consents.TEXT_VERSION,
        via="one-click",
        at=now,
    )
