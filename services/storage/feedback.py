"""What feedback reads and writes: bounces that become suppressions, and what one click ends."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from services.domain import consents
from services.domain.bounces import LOST, SOFT_LIMIT, SOFT_WITHIN, Heard, Verdict
from services.storage import leaving, subscribers, subscriptions
from services.storage.tables import Feedback, Subscriber
from services.storage.work import Claim

_HEAR = text("""
    INSERT INTO feedback (delivery_id, kind, email_hash, detail, at, due_at, state, source, external_id)
    SELECT d.id, v.kind, r.email_hash, v.detail, v.at, :now, 'pending', :source, v.external_id
    FROM unnest(CAST(:uids AS uuid[]), CAST(:kinds AS text[]), CAST(:details AS text[]),
                CAST(:ats AS timestamptz[]), CAST(:externals AS text[]))
         AS v(uid, kind, detail, at, external_id)
    JOIN deliveries d ON d.uid = v.uid JOIN issues i ON i.id = d.issue_id
    JOIN subscribers r ON r.id = i.subscriber_id
    ON CONFLICT DO NOTHING
    RETURNING id
""")
_TAKE = text("""
    UPDATE feedback SET state = 'done', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:ids) AND claim_id = :claim
    RETURNING delivery_id, kind, email_hash
""")
# Words come doubled and in any order, so a loss outweighs whatever was or will be said beside it.
_SETTLE = text("""
    WITH told AS (
        SELECT f.delivery_id, bool_or(f.kind = ANY(:lost)) AS is_lost,
               (array_agg(f.detail ORDER BY (f.kind = ANY(:lost)) DESC, f.id))[1] AS detail
        FROM feedback f WHERE f.delivery_id = ANY(:deliveries) AND f.state = 'done'
          AND (f.kind = ANY(:lost) OR f.kind IN ('delivered', 'deferred', 'complaint'))
        GROUP BY f.delivery_id
    )
    UPDATE deliveries d
    SET state = CASE WHEN t.is_lost THEN 'failed' ELSE 'sent' END, detail = t.detail,
        finished_at = coalesce(d.finished_at, :now), claim_id = NULL, lease_until = NULL
    FROM told t
    WHERE d.id = t.delivery_id
      AND (d.state = 'uncertain' OR (d.state = 'sent' AND t.is_lost))
""")
_SUPPRESS = text("""
    INSERT INTO suppressions (email_hash, reason, detail, at)
    SELECT DISTINCT ON (email_hash) email_hash, CASE kind WHEN 'hard' THEN 'bounce' ELSE kind END, detail,
           :now
    FROM feedback WHERE delivery_id = ANY(:deliveries) AND state = 'done' AND kind IN ('hard', 'complaint')
      AND email_hash = ANY(:hashes)
    ORDER BY email_hash, kind
    ON CONFLICT DO NOTHING
    RETURNING email_hash
""")
_SUPPRESS_SOFT = text("""
    INSERT INTO suppressions (email_hash, reason, detail, at)
    SELECT f.email_hash, 'soft_bounces',
           count(*) || ' in a row, last: ' || (array_agg(f.detail ORDER BY f.at DESC))[1], :now
    FROM feedback f
    WHERE f.email_hash = ANY(:hashes) AND f.kind = 'soft' AND f.state = 'done' AND f.at > :since
      AND f.at > coalesce((SELECT max(g.at) FROM feedback g
                           WHERE g.email_hash = f.email_hash AND g.kind = 'delivered'), '-infinity')
    GROUP BY f.email_hash HAVING count(DISTINCT f.delivery_id) >= :limit
    ON CONFLICT DO NOTHING
    RETURNING email_hash
""")
_WHO_LEFT = text("""
    SELECT DISTINCT i.subscriber_id FROM deliveries d JOIN issues i ON i.id = d.issue_id
    WHERE d.id = ANY(:deliveries)
""")


def hear(session: Session, source: str, heard: Sequence[Heard], *, now: datetime) -> int:
    """Keep words about deliveries, to be acted on after the commit; returns how many were new and ours."""
    if not heard:
        return 0
    bound = {
        "source": source,
        "now": now,
        "uids": [one.delivery for one in heard],
        "kinds": [one.verdict.value for one in heard],
        "details": [one.detail for one in heard],
        "ats": [min(one.at, now) for one in heard],
        "externals": [one.id for one in heard],
    }
    return len(session.execute(_HEAR, bound).all())


@dataclass(frozen=True, slots=True)
class Acted:
    """What a claim's words came to: {verdict: words}, and how many addresses are silenced by them."""

    verdicts: dict[str, int]
    suppressed: int


def act_on_claimed(session: Session, held: Claim, *, now: datetime) -> Acted:
    """Settle deliveries, silence addresses and end what was asked to end, by the words of a claim.

    Two claims about one person wait for each other by the rows they change; repeating one changes nothing.
    """
    told = session.execute(_TAKE, {"ids": list(held.rows), "claim": held.id}).all()
    bound: dict[str, object] = {
        "deliveries": sorted({row.delivery_id for row in told}),
        "hashes": sorted({bytes(row.email_hash) for row in told}),
        "lost": [verdict.value for verdict in LOST],
        "now": now,
    }
    session.execute(_SETTLE, bound)
    silenced = set(session.scalars(_SUPPRESS, bound))
    soft = {**bound, "since": now - SOFT_WITHIN, "limit": SOFT_LIMIT}
    silenced |= set(session.scalars(_SUPPRESS_SOFT, soft))
    leaving = sorted({row.delivery_id for row in told if row.kind == Verdict.UNSUBSCRIBE})
    if leaving:
        for subscriber_id in session.scalars(_WHO_LEFT, {"deliveries": leaving}).all():
            chosen = named(session, subscriber_id, subscription_id=None, cadence=None)
            if chosen.is_there:
                leave(session, chosen, now=now, via="provider")
    return Acted(dict(Counter(row.kind for row in told)), len(silenced))


def forgive(session: Session, email_hash: bytes) -> None:
    """What an address did before its suppression was lifted no longer counts against it."""
    mine = Feedback.email_hash == email_hash, Feedback.state == "done"
    session.execute(update(Feedback).where(*mine).values(state="forgiven"))


def forget(session: Session, before: datetime) -> int:
    """Take out words that were acted on and are older than this; returns how many."""
    done = Feedback.state.in_(("done", "forgiven")), Feedback.at < before
    return len(session.execute(delete(Feedback).where(*done).returning(Feedback.id)).all())


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


def leave(session: Session, chosen: Chosen, *, now: datetime, via: str = "one-click") -> None:
    """End what was chosen, with its line in the ledger of consents. Commits nothing."""
    person = subscribers.hold(session, chosen.subscriber_id)
    if person is None:
        return
    if chosen.is_everything:
        leaving.drop_all(session, person.id)
        person.state = "left"
    else:
        subscribers.heard(person, now)
        subscriptions.drop(session, chosen.subscription_ids)
        subscriptions.keep_rhythms(session, person, now=now)
    subscribers.write_consent(
        session,
        email_hash=person.email_hash,
        action="leave" if chosen.is_everything else "leave_subscription",
        text_version=consents.TEXT_VERSION,
        via=via,
        at=now,
    )
