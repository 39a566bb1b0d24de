"""What listening to sources' hubs reads and writes: whom to ask, who agreed, what was sent and missed."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from services.domain.source_hubs import VERIFY_WITHIN, Standing, Trust, after_poll, trust
from services.storage.tables import Source, SourceHub, SourcePush
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class Named:
    """What a reading of a source said of its hub: None where it names none. `secret` is a new one, sealed;
    `has_news` was found by the poll."""

    hub: str | None
    topic: str | None
    secret: str
    has_news: bool
    checked_before: datetime | None


@dataclass(frozen=True, slots=True)
class AskDue:
    id: int
    uid: str
    hub: str
    topic: str
    secret: str
    mode: str
    attempts: int


@dataclass(frozen=True, slots=True)
class PushDue:
    """A push under a claim, with the source that it is of."""

    id: int
    hub_id: int
    source_id: int | None
    topic: str
    content_type: str
    body: bytes


def note(session: Session, source_id: int, named: Named, *, now: datetime) -> None:
    """A source was read: it is followed where it says, no longer where it said before, and what its hub
    should have told is held against it."""
    held = select(SourceHub).where(SourceHub.source_id == source_id, SourceHub.mode == "subscribe")
    known = session.scalars(held.with_for_update()).one_or_none()
    if known is not None and (known.hub, known.topic) == (named.hub, named.topic):
        stands = after_poll(
            standing(known), now, has_news=named.has_news, checked_before=named.checked_before
        )
        if stands != standing(known):
            known.good, known.missed_at, known.missed = stands.good, stands.missed_at, known.missed + 1
        return
    if known is not None:
        leave(session, [known.id], now=now)
    if named.hub and named.topic:
        session.add(
            SourceHub(
                uid=secrets.token_urlsafe(24), source_id=source_id, hub=named.hub, topic=named.topic,
                secret=named.secret, state="pending", due_at=now, created_at=now,
            )
        )  # fmt: skip


def leave(session: Session, ids: list[int], *, now: datetime) -> None:
    """Follow no more: the hubs that agreed are to be told so, the others are done with."""
    values = {"mode": "unsubscribe", "due_at": now, "attempts": 0, "claim_id": None, "lease_until": None}
    mine = update(SourceHub).where(SourceHub.id.in_(ids), SourceHub.mode == "subscribe")
    session.execute(mine.where(SourceHub.verified_at.is_(None)).values(**values, state="stopped"))
    session.execute(mine.where(SourceHub.verified_at.is_not(None)).values(**values, state="pending"))


def leave_stopped(session: Session, *, now: datetime) -> int:
    """Follow no source that is read no more, or that was removed; how many were left."""
    unread = select(SourceHub.id).outerjoin(Source, Source.id == SourceHub.source_id)
    unread = unread.where(SourceHub.mode == "subscribe", or_(Source.id.is_(None), Source.state == "stopped"))
    ids = list(session.scalars(unread))
    leave(session, ids, now=now)
    return len(ids)


def begin(session: Session, held: Claim, *, now: datetime) -> dict[int, AskDue]:
    """Hubs that are to be asked; that we ask is written first, so that their question is expected."""
    rows = session.scalars(
        update(SourceHub)
        .where(SourceHub.id.in_(held.rows), SourceHub.claim_id == held.id)
        .values(asked_at=now)
        .returning(SourceHub)
    ).all()
    return {r.id: AskDue(r.id, r.uid, r.hub, r.topic, r.secret, r.mode, r.attempts) for r in rows}


def asked(
    session: Session, held: Claim, one: AskDue, *, again_at: datetime, error: str | None, now: datetime
) -> None:
    """A hub took what we asked (or did not, with the `error`): it is asked again then, unless it has asked
    back or denied meanwhile and so moved the time."""
    given_back = _held(held, one.id).values(state="pending", claim_id=None, lease_until=None)
    row = session.scalars(given_back.returning(SourceHub)).one_or_none()
    if row is not None and row.due_at <= now:
        row.due_at, row.attempts, row.last_error = again_at, one.attempts + 1, error or row.last_error


def give_up(session: Session, held: Claim, one: AskDue, error: str) -> None:
    session.execute(_held(held, one.id).values(state="stopped", last_error=error, claim_id=None))


def by_uid(session: Session, uid: str) -> SourceHub | None:
    """A hub by its callback, held until the transaction ends."""
    return session.scalars(select(SourceHub).where(SourceHub.uid == uid).with_for_update()).one_or_none()


def is_expected(row: SourceHub, mode: str, now: datetime) -> bool:
    """Whether we did ask for this, not long ago."""
    return row.mode == mode and row.asked_at is not None and now - row.asked_at <= 24 * VERIFY_WITHIN


def take(
    session: Session, row: SourceHub, *, content_type: str, body: bytes, most: int, now: datetime
) -> bool:
    """Keep a push until it is read; False when too many wait already."""
    waiting = select(func.count()).select_from(SourcePush).where(SourcePush.hub_id == row.id)
    row.pushes, row.last_push_at = row.pushes + 1, now
    if (session.scalar(waiting) or 0) >= most:
        return False
    push = SourcePush(
        hub_id=row.id, at=now, content_type=content_type, body=body, state="pending", due_at=now
    )
    session.add(push)
    return True


def pushes(session: Session, held: Claim) -> list[PushDue]:
    """The pushes of a claim, oldest first. What is of a source that was stopped meanwhile is nobody's."""
    rows = session.execute(
        select(SourcePush, SourceHub, Source.id)
        .join(SourceHub, SourceHub.id == SourcePush.hub_id)
        .outerjoin(Source, (Source.id == SourceHub.source_id) & (Source.state != "stopped"))
        .where(SourcePush.id.in_(held.rows))
        .order_by(SourcePush.id)
    ).all()
    return [
        PushDue(push.id, hub.id, source_id, hub.topic, push.content_type, push.body)
        for push, hub, source_id in rows
    ]


def push_read(session: Session, held: Claim, one: PushDue) -> SourceHub | None:
    """A push was read and goes; its hub, held until the transaction ends. None when the claim was lost."""
    gone = delete(SourcePush).where(SourcePush.id == one.id, SourcePush.claim_id == held.id)
    if session.scalar(gone.returning(SourcePush.id)) is None:
        return None
    return session.scalars(
        select(SourceHub).where(SourceHub.id == one.hub_id).with_for_update()
    ).one_or_none()


def standing(row: SourceHub) -> Standing:
    return Standing(row.verified_at, row.follows_until, row.good, row.missed_at)


def of_source(session: Session, source_id: int) -> SourceHub | None:
    return session.scalars(
        select(SourceHub).where(SourceHub.source_id == source_id, SourceHub.mode == "subscribe")
    ).one_or_none()


def trusted(session: Session, source_ids: list[int], *, now: datetime) -> set[int]:
    """Of these sources those whose hub tells us so reliably that they are polled once a day."""
    rows = session.scalars(
        select(SourceHub).where(SourceHub.source_id.in_(source_ids), SourceHub.mode == "subscribe")
    )
    return {r.source_id for r in rows if r.source_id and trust(standing(r), now) is Trust.TRUSTED}


def poll_soon(session: Session, source_id: int, *, now: datetime) -> None:
    """Poll a source again in its usual rhythm, or sooner; as far as it bears that."""
    session.execute(_POLL_SOON, {"id": source_id, "now": now})


def tidy(session: Session, *, now: datetime, keep: timedelta) -> None:
    """Forget hubs that were left."""
    session.execute(delete(SourceHub).where(SourceHub.state == "stopped", SourceHub.due_at < now - keep))


def _held(held: Claim, row_id: int) -> Update:
    return update(SourceHub).where(SourceHub.id == row_id, SourceHub.claim_id == held.id)


# A quarter of an hour is the shortest that a publisher is ever given; what it asked for is kept.
_POLL_SOON = text("""
    UPDATE sources SET due_at = least(due_at, greatest(
        :now, last_checked_at + make_interval(secs => greatest(900, asked_s))))
    WHERE id = :id AND state = 'pending'
""")
