"""Interests and their use: interned once, told to the matchers, kept in step with the rhythms.

A matcher hears of an interest through `interest_changes`. Whoever adds or drops a subscription holds
the interest's row until the commit: otherwise a drop and an add at once could leave a used interest
unmatched.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.domain import cadence as cadences
from services.domain.reach import CATCHUP
from services.storage.tables import Candidate, Interest, InterestChange, Rhythm, Subscriber, Subscription


def intern(session: Session, canonicals: Iterable[str], *, now: datetime) -> dict[str, int]:
    """{canonical form: interest id}; stored when new, and held until the transaction ends."""
    wanted = {interest_hash(c): c for c in canonicals}
    if not wanted:
        return {}
    hashes = sorted(wanted)  # one order for everybody, so that no two transactions wait for each other
    session.execute(
        insert(Interest)
        .values([{"hash": h, "canonical": wanted[h], "created_at": now} for h in hashes])
        .on_conflict_do_nothing(index_elements=["hash"])
    )
    held = select(Interest).where(Interest.hash.in_(hashes)).order_by(Interest.hash)
    rows = session.scalars(held.with_for_update(key_share=True)).all()
    return {wanted[row.hash]: row.id for row in rows}


def interest_hash(canonical: str) -> bytes:
    return hashlib.sha256(canonical.encode()).digest()


def add(session: Session, *, interest_id: int, owner: Mapping[str, int], query: str, label: str,
        channel: str, cadence: str, now: datetime,
        follows_usual: bool = False) -> Subscription | None:  # fmt: skip
    """A subscription of `owner` ({"subscriber_id": n} or {"endpoint_id": n}) to an interned interest.

    None when the owner has one to this interest already. The first use tells the matchers.
    """
    is_first = not is_used(session, interest_id)
    added = session.scalars(
        insert(Subscription)
        .values(interest_id=interest_id, query=query, label=label, channel=channel, cadence=cadence,
                created_at=now, follows_usual=follows_usual, **owner)
        .on_conflict_do_nothing()
        .returning(Subscription)
    ).one_or_none()  # fmt: skip
    if added is not None and is_first:
        tell_matchers(session, [interest_id])
    return added


def drop(session: Session, subscription_ids: Sequence[int]) -> int:
    """Remove subscriptions and what waited for them; the matchers hear of interests that nobody uses now."""
    if not subscription_ids:
        return 0
    used = select(Subscription.interest_id).where(Subscription.id.in_(subscription_ids))
    hold(session, session.scalars(used).all())
    # In the order of the fan-out, which may hold some of them.
    going = select(Subscription.id).where(Subscription.id.in_(subscription_ids)).order_by(Subscription.id)
    session.execute(going.with_for_update())
    gone = session.scalars(
        delete(Subscription).where(Subscription.id.in_(subscription_ids)).returning(Subscription.interest_id)
    ).all()
    tell_matchers(session, [i for i in sorted(set(gone)) if not is_used(session, i)])
    return len(gone)


def retarget(session: Session, subscription: Subscription, interest_id: int, *, query: str) -> bool:
    """Let a subscription use another (interned) interest; False when its owner has that one already.

    What waited because of the old query is excluded: it was not asked for any more.
    """
    old = subscription.interest_id
    if old == interest_id:
        subscription.query = query
        return True
    owner = (
        Subscription.subscriber_id == subscription.subscriber_id
        if subscription.subscriber_id is not None
        else Subscription.endpoint_id == subscription.endpoint_id
    )
    twin = select(Subscription.id).where(owner, Subscription.interest_id == interest_id)
    if session.scalar(twin) is not None:
        return False
    hold(session, [old, interest_id])
    is_first = not is_used(session, interest_id)
    subscription.interest_id, subscription.query = interest_id, query
    session.flush()
    changed = [interest_id] if is_first else []
    tell_matchers(session, changed + ([] if is_used(session, old) else [old]))
    session.execute(
        update(Candidate)
        .where(Candidate.subscription_id == subscription.id, Candidate.state == "pending")
        .values(state="excluded", reason="interest_changed")
    )
    return True


def change_cadence(session: Session, subscription: Subscription, cadence: str, *, now: datetime) -> None:
    """Another rhythm for a subscription; what waited in the old one moves along."""
    subscription.cadence = cadence
    session.execute(
        update(Candidate)
        .where(Candidate.subscription_id == subscription.id, Candidate.state == "pending")
        .values(cadence=cadence, due_at=now)
    )


def tell_matchers(session: Session, interest_ids: Iterable[int]) -> None:
    session.add_all([InterestChange(interest_id=i) for i in interest_ids])
    session.flush()


def of_subscriber(session: Session, subscriber_id: int) -> Sequence[Subscription]:
    mine = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return session.scalars(mine.order_by(Subscription.id)).all()


def of_endpoint(session: Session, endpoint_id: int) -> Subscription | None:
    return session.scalars(
        select(Subscription).where(Subscription.endpoint_id == endpoint_id)
    ).one_or_none()  # fmt: skip


def canonical_of(session: Session, interest_id: int) -> str:
    return session.scalars(select(Interest.canonical).where(Interest.id == interest_id)).one()


def keep_rhythms(session: Session, subscriber: Subscriber, *, now: datetime) -> None:
    """One rhythm for each cadence that a confirmed person uses, due in their own zone; no other.

    `subscriber` is held by the caller. To be called after every change of subscriptions, state or zone.
    """
    session.flush()
    used: set[str] = set()
    if subscriber.state == "active":
        mine = select(Subscription.cadence).where(
            Subscription.subscriber_id == subscriber.id,
            Subscription.channel == "email",
            Subscription.cadence != "instant",
        )
        used = set(session.scalars(mine))
    kept = {*used, CATCHUP} if subscriber.state == "active" else used
    others = (Rhythm.subscriber_id == subscriber.id, Rhythm.cadence.not_in(kept))
    session.execute(delete(Rhythm).where(*others))
    zone = ZoneInfo(subscriber.timezone)
    rows = [
        {
            "subscriber_id": subscriber.id,
            "cadence": cadence,
            "since": now,
            "state": "pending",
            "due_at": cadences.next_after(cadences.parse(cadence), now, zone),
        }
        for cadence in sorted(used)
    ]
    if rows:
        session.execute(insert(Rhythm).values(rows).on_conflict_do_nothing())


def move_rhythms(session: Session, subscriber: Subscriber, *, now: datetime) -> None:
    """The same rhythms in another zone: each next time is reckoned anew."""
    zone = ZoneInfo(subscriber.timezone)
    mine = (Rhythm.subscriber_id == subscriber.id, Rhythm.cadence != CATCHUP)
    for rhythm in session.scalars(select(Rhythm).where(*mine)):
        rhythm.due_at = cadences.next_after(cadences.parse(rhythm.cadence), now, zone)
    session.flush()


def is_used(session: Session, interest_id: int) -> bool:
    """Whether anybody asks for it or mutes it: so long the matchers keep it."""
    return bool(session.scalar(_USED, {"id": interest_id}))


def hold(session: Session, interest_ids: Iterable[int]) -> None:
    """Keep interests as they are used until the transaction ends."""
    held = select(Interest.id).where(Interest.id.in_(sorted(set(interest_ids)))).order_by(Interest.hash)
    session.execute(held.with_for_update(key_share=True))


_USED = text("""
    SELECT EXISTS (SELECT FROM subscriptions WHERE interest_id = :id)
        OR EXISTS (SELECT FROM mutes WHERE interest_id = :id)
""")
