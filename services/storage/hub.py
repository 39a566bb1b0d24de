"""What the hub reads and writes: who asked for a topic, who follows it, and what they are still to hear."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage import subscriptions as uses
from services.storage.tables import HubFollower, HubIntent, HubTopic, Subscription
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of the hub. `secret` is sealed, `topic` as they wrote it."""

    mode: str
    form: str
    query: str
    topic: str
    callback: str
    host: str
    secret: str | None
    lease_s: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class IntentDue:
    id: int
    asked: Asked
    attempts: int


@dataclass(frozen=True, slots=True)
class PushDue:
    """A follower that is to be told; `changes` as they were when this was read."""

    id: int
    form: str
    query: str
    callback: str
    secret: str | None
    changes: int
    attempts: int
    body_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Burden:
    """What a host is asked or told already: lately asked, and followers, of this host and in all."""

    asked: int
    followers: int
    everybody: int


def burden(session: Session, host: str, *, since: datetime) -> Burden:
    """How much a callback's host bears; whoever reads it holds the host until the transaction ends."""
    session.execute(_ONE_AT_A_TIME, {"host": host})
    asked = select(func.count()).where(HubIntent.host == host, HubIntent.created_at >= since)
    followers = select(func.count()).select_from(HubFollower)
    return Burden(
        session.scalar(asked) or 0,
        session.scalar(followers.where(HubFollower.host == host)) or 0,
        session.scalar(followers) or 0,
    )


def ask(session: Session, asked: Asked, *, now: datetime) -> int:
    """Write down that a callback is to be asked; what it was to be asked before about this topic and was
    not yet is replaced."""
    values = {
        "mode": asked.mode, "form": asked.form, "query": asked.query, "secret": asked.secret,
        "lease_s": asked.lease_s, "reason": asked.reason,
    }  # fmt: skip
    waits = (
        HubIntent.callback == asked.callback,
        HubIntent.topic == asked.topic,
        HubIntent.state == "pending",
    )
    replaced: int | None = session.scalar(
        update(HubIntent).where(*waits, HubIntent.mode != "denied").values(values).returning(HubIntent.id)
    )
    if replaced is not None:
        return replaced
    made = HubIntent(
        **values, topic=asked.topic, callback=asked.callback, host=asked.host, state="pending", due_at=now,
        created_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made.id


def intents(session: Session, held: Claim) -> dict[int, IntentDue]:
    rows = session.scalars(select(HubIntent).where(HubIntent.id.in_(held.rows))).all()
    return {
        row.id: IntentDue(
            row.id,
            Asked(row.mode, row.form, row.query, row.topic, row.callback, row.host, row.secret, row.lease_s,
                  row.reason),
            row.attempts,
        )
        for row in rows
    }  # fmt: skip


def settle_intent(session: Session, held: Claim, intent_id: int, *, state: str, detail: str) -> bool:
    """An intent that the claim still holds is over: `done` or `refused`. Its secret is not kept."""
    done = _held_intent(held, intent_id).values(
        state=state, detail=detail, secret=None, claim_id=None, lease_until=None
    )
    return session.scalar(done.returning(HubIntent.id)) is not None


def ask_again(session: Session, held: Claim, intent_id: int, *, at: datetime, detail: str) -> None:
    again = {"state": "pending", "due_at": at, "detail": detail, "claim_id": None, "lease_until": None}
    session.execute(_held_intent(held, intent_id).values(**again, attempts=HubIntent.attempts + 1))


def follow(session: Session, asked: Asked, canonical: str, *, now: datetime) -> None:
    """Let a callback follow a topic, or follow it longer, with the secret that it gave last."""
    topic_id = _topic(session, asked, canonical, now=now)
    values = {
        "topic": asked.topic, "secret": asked.secret,
        "follows_until": now + timedelta(seconds=asked.lease_s),
    }  # fmt: skip
    session.execute(
        insert(HubFollower)
        .values(topic_id=topic_id, callback=asked.callback, host=asked.host, state="idle", due_at=now,
                created_at=now, **values)
        .on_conflict_do_update(index_elements=["topic_id", "callback"], set_=values)
    )  # fmt: skip


def leave(session: Session, *, form: str, query: str, callback: str) -> bool:
    """A callback follows a topic no more; whether it did."""
    topic = select(HubTopic.id).where(HubTopic.form == form, HubTopic.query == query).scalar_subquery()
    gone = delete(HubFollower).where(HubFollower.topic_id == topic, HubFollower.callback == callback)
    return session.scalar(gone.returning(HubFollower.id)) is not None


def mark(session: Session, held: Claim, events: Sequence[int], *, now: datetime) -> int:
    """The topics that these claimed events change are to be told to their followers; how many those are."""
    return len(session.execute(_MARK, {"events": list(events), "claim": held.id, "now": now}).all())


def pushes(session: Session, held: Claim) -> dict[int, PushDue]:
    rows = session.execute(
        select(HubFollower, HubTopic)
        .join(HubTopic, HubTopic.id == HubFollower.topic_id)
        .where(HubFollower.id.in_(held.rows))
    ).all()
    return {
        one.id: PushDue(one.id, topic.form, topic.query, one.callback, one.secret, one.changes, one.attempts,
                        one.body_hash)
        for one, topic in rows
    }  # fmt: skip


def told(
    session: Session, held: Claim, one: PushDue, body_hash: bytes, *, now: datetime, rest: timedelta
) -> None:
    """A follower has this body; what changed meanwhile is told after a rest."""
    changed_since = HubFollower.changes > one.changes
    session.execute(
        _held_follower(held, one.id).values(
            state=case((changed_since, "pending"), else_="idle"),
            due_at=now + rest, attempts=0, body_hash=body_hash, last_told_at=now, last_error=None,
            claim_id=None, lease_until=None,
        )
    )  # fmt: skip


def tell_again(
    session: Session, held: Claim, one: PushDue, *, at: datetime | None, error: str, now: datetime
) -> None:
    """A follower could not be told: it is tried again, or (without a time) when its topic changes next."""
    session.execute(
        _held_follower(held, one.id).values(
            state="retry" if at else "idle", due_at=at or now, attempts=one.attempts + 1 if at else 0,
            last_error=error, claim_id=None, lease_until=None,
        )
    )  # fmt: skip


def gone(session: Session, held: Claim, one: PushDue) -> None:
    """A follower that says it is no more (410)."""
    session.execute(delete(HubFollower).where(HubFollower.id == one.id, HubFollower.claim_id == held.id))


def followers(session: Session) -> list[tuple[HubFollower, HubTopic]]:
    """All of them, oldest first."""
    rows = session.execute(
        select(HubFollower, HubTopic)
        .join(HubTopic, HubTopic.id == HubFollower.topic_id)
        .order_by(HubFollower.id)
    ).all()
    return [(row[0], row[1]) for row in rows]


def dismiss(session: Session, follower_id: int) -> tuple[HubFollower, HubTopic] | None:
    """Take a follower out; None when there is no such."""
    found = next((pair for pair in followers(session) if pair[0].id == follower_id), None)
    if found is not None:
        session.execute(delete(HubFollower).where(HubFollower.id == follower_id))
    return found


def tidy(session: Session, *, now: datetime, keep_intents: timedelta) -> int:
    """Forget whose lease is over, topics that nobody follows, and old questions; how many followers went."""
    over = delete(HubFollower).where(HubFollower.follows_until <= now, HubFollower.state != "sending")
    went = len(session.execute(over.returning(HubFollower.id)).all())
    session.execute(
        delete(HubIntent).where(
            HubIntent.state.in_(("done", "refused")), HubIntent.created_at < now - keep_intents
        )
    )
    unused = select(HubTopic.id).where(
        ~select(HubFollower.id).where(HubFollower.topic_id == HubTopic.id).exists()
    )
    topics = session.scalars(unused.order_by(HubTopic.id).with_for_update(skip_locked=True)).all()
    uses.drop(
        session, session.scalars(select(Subscription.id).where(Subscription.topic_id.in_(topics))).all()
    )
    session.execute(delete(HubTopic).where(HubTopic.id.in_(topics)))
    return went


def _topic(session: Session, asked: Asked, canonical: str, *, now: datetime) -> int:
    """The id of a topic, made with its interest when it is new; held until the transaction ends."""
    made: int | None = session.scalar(
        insert(HubTopic)
        .values(form=asked.form, query=asked.query, created_at=now)
        .on_conflict_do_nothing()
        .returning(HubTopic.id)
    )
    if made is None:
        known = select(HubTopic.id).where(HubTopic.form == asked.form, HubTopic.query == asked.query)
        return session.scalars(known.with_for_update(key_share=True)).one()
    interest_id = uses.intern(session, [canonical], now=now)[canonical]
    uses.add(
        session, interest_id=interest_id, owner={"topic_id": made}, query=asked.query,
        label=asked.query[:120] or "everything", channel="hub", cadence="instant", now=now,
    )  # fmt: skip
    return made


def _held_intent(held: Claim, intent_id: int) -> Update:
    return update(HubIntent).where(HubIntent.id == intent_id, HubIntent.claim_id == held.id)


def _held_follower(held: Claim, follower_id: int) -> Update:
    return update(HubFollower).where(HubFollower.id == follower_id, HubFollower.claim_id == held.id)


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('goniec hub ' || :host))")

# An event changes a topic when its notice meets the query, or did before: then it is in the feed no more.
_MARK = text("""
    WITH changed AS (
        SELECT DISTINCT s.topic_id
        FROM events g
        JOIN events e ON e.notice_id = g.notice_id
        JOIN matches m ON m.event_id = e.id
        JOIN subscriptions s ON s.interest_id = m.interest_id AND s.topic_id IS NOT NULL
        WHERE g.id = ANY(:events) AND g.claim_id = :claim
    ), told AS (
        SELECT f.id FROM hub_followers f JOIN changed c ON c.topic_id = f.topic_id
        WHERE f.follows_until > :now ORDER BY f.id FOR UPDATE OF f
    )
    UPDATE hub_followers f
    SET changes = f.changes + 1,
        state = CASE f.state WHEN 'idle' THEN 'pending' ELSE f.state END,
        due_at = CASE f.state WHEN 'idle' THEN greatest(f.due_at, :now) ELSE f.due_at END
    FROM told WHERE f.id = told.id
    RETURNING f.id
""")
