"""Subscriptions: what a person asks for, under a name of their own, at a pace of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from services.errors import BadInput, Conflict, NotFound
from services.manage import checks
from services.manage.previews import Preview, preview
from services.runtime import Runtime
from services.storage import holding
from services.storage import subscribers as people
from services.storage import subscriptions as store
from services.storage.tables import Subscriber, Subscription

__all__ = [
    "Pledge", "Preview", "SubscriptionView", "Wish", "add", "change", "list_for", "preview", "remove",
]  # fmt: skip

MAX_SUBSCRIPTIONS = 200
USUAL = "usual"  # the cadence that the person usually wants, whatever it is by then
MAX_LABEL = 120


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for, as typed; without a label the query names it."""

    query: str
    label: str | None = None
    cadence: str = USUAL


@dataclass(frozen=True, slots=True)
class Pledge:
    """A wish that was checked: what may be stored as it stands."""

    query: str
    canonical: str
    label: str
    cadence: str


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    id: int
    label: str
    query: str
    canonical: str
    channel: str
    cadence: str
    follows_usual: bool
    paused_until: datetime | None
    created_at: datetime


def pledge(wish: Wish) -> Pledge:
    """Check a wish. Raises QueryError with the place, or BadInput."""
    typed, canonical = checks.query(wish.query)
    given = (wish.label or "").strip()
    label = checks.one_line(given, "The label", limit=MAX_LABEL) if given else ""
    return Pledge(typed, canonical, label or _short(typed), _pace(wish.cadence))


def list_for(rt: Runtime, subscriber_id: int) -> list[SubscriptionView]:
    """A person's subscriptions, oldest first."""
    with rt.begin() as session:
        _need(session, subscriber_id)
        return [view_of(row, text) for row, text in people.subscriptions_of(session, subscriber_id)]


def add(rt: Runtime, subscriber_id: int, wish: Wish) -> SubscriptionView:
    """One more interest. Raises Conflict when the person has this one already."""
    wanted, now = pledge(wish), rt.clock.now()
    with rt.begin() as session:
        person = _need(session, subscriber_id)
        made = subscribe(session, person, [wanted], now=now)
        if not made:
            raise Conflict("You have this interest already.", canonical=wanted.canonical)
        return view_of(made[0], wanted.canonical)


def change(
    rt: Runtime, subscriber_id: int, subscription_id: int, *, label: str | None = None,
    cadence: str | None = None, query: str | None = None,
    paused_until: datetime | Literal["keep"] | None = "keep",
) -> SubscriptionView:  # fmt: skip
    """Change what is given; `paused_until=None` ends a pause."""
    now = rt.clock.now()
    name = checks.one_line(label, "The label", limit=MAX_LABEL) if label is not None else None
    pace = _pace(cadence) if cadence is not None else None
    asked = checks.query(query) if query is not None else None
    if isinstance(paused_until, datetime) and paused_until <= now:
        raise BadInput("The end of a pause lies in the future.", field="paused_until")
    with rt.begin() as session:
        person = _need(session, subscriber_id)
        row = _own(session, subscriber_id, subscription_id)
        if asked is not None:
            retarget(session, row, *asked, now=now)
        if pace is not None:
            row.follows_usual = pace == USUAL
            pace = person.cadence if pace == USUAL else pace
            if pace != row.cadence:
                store.change_cadence(session, row, pace, now=now)
        row.label = name or row.label
        if not isinstance(paused_until, str):
            row.paused_until = paused_until
            holding.release(session, person.id, at=paused_until or now)
        store.keep_rhythms(session, person, now=now)
        view = view_of(row, store.canonical_of(session, row.interest_id))
    if pace == "instant":
        rt.bell.ring("compose")
    return view


def remove(rt: Runtime, subscriber_id: int, subscription_id: int) -> None:
    """End one subscription; what waited for it is not sent."""
    now = rt.clock.now()
    with rt.begin() as session:
        person = _need(session, subscriber_id)
        store.drop(session, [_own(session, subscriber_id, subscription_id).id])
        store.keep_rhythms(session, person, now=now)


def subscribe(
    session: Session, person: Subscriber, wanted: Sequence[Pledge], *, now: datetime
) -> list[Subscription]:
    """Add subscriptions to a person who is held; those they have already are left as they are."""
    if len(store.of_subscriber(session, person.id)) + len(wanted) > MAX_SUBSCRIPTIONS:
        raise BadInput(f"A person can have at most {MAX_SUBSCRIPTIONS} interests.")
    ids = store.intern(session, [one.canonical for one in wanted], now=now)
    made = [
        store.add(
            session, interest_id=ids[one.canonical], owner={"subscriber_id": person.id}, query=one.query,
            label=one.label, channel="email", now=now, follows_usual=one.cadence == USUAL,
            cadence=person.cadence if one.cadence == USUAL else one.cadence,
        )
        for one in wanted
    ]  # fmt: skip
    store.keep_rhythms(session, person, now=now)
    return [row for row in made if row is not None]


def retarget(session: Session, row: Subscription, typed: str, canonical: str, *, now: datetime) -> None:
    """Let a subscription ask for something else. Raises Conflict when its owner asks for that already."""
    # Both interests are held in one order, so that two changes at once cannot wait for each other.
    ids = store.intern(session, [canonical, store.canonical_of(session, row.interest_id)], now=now)
    if not store.retarget(session, row, ids[canonical], query=typed):
        raise Conflict("You have this interest already.", canonical=canonical)


def view_of(row: Subscription, canonical: str) -> SubscriptionView:
    return SubscriptionView(
        row.id, row.label, row.query, canonical, row.channel, row.cadence, row.follows_usual,
        row.paused_until, row.created_at,
    )  # fmt: skip


def _pace(text: str) -> str:
    return USUAL if text.strip().lower() == USUAL else checks.cadence_text(text)


def _need(session: Session, subscriber_id: int) -> Subscriber:
    person = people.hold(session, subscriber_id)
    if person is None:
        raise NotFound("There is no such subscriber.")
    return person


def _own(session: Session, subscriber_id: int, subscription_id: int) -> Subscription:
    for row in store.of_subscriber(session, subscriber_id):
        if row.id == subscription_id:
            return row
    raise NotFound("There is no such subscription.")


def _short(query: str) -> str:
    return query if len(query) <= MAX_LABEL else query[: MAX_LABEL - 1].rstrip() + "…"
