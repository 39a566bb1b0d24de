"""From matches to everyone they reach: whom an event concerns, and the rows written for them by slices.

    matches → subscriptions − those written already → slices → candidates | deliveries

Whom to tell is read in one go, slice after slice; each is written in a transaction that the caller keeps
short. Who is left out is written too, with the first reason that holds, so that accounts close. Everything
here may be done again after a kill: what stands is passed over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.storage.work import Claim

Pair = tuple[int, int]  # (event id, subscription id), or (event id, endpoint id)

# Why a reader is left out: the first that holds is the reason. s is the subscription, r the reader, x the
# suppression of the address, u the mute that holds, e the event, n its notice. Each reason has its
# sentence in `manage.why`.
_OF_THE_READER = (
    ("not_confirmed", "r.state <> 'active'"),
    ("suppressed", "x.email_hash IS NOT NULL"),
)
# These are asked of news alone: a withdrawal goes to whoever got what it takes back. A pause leaves nobody
# out: what it holds back is kept, and comes in one letter when it ends. What is urgent waits for no digest.
_OF_THE_NEWS = (
    ("muted_interest", "u.kind = 'interest'"),
    ("muted_story", "u.kind = 'story'"),
    ("muted_institution", "u.kind = 'institution'"),
    ("muted_word", "u.kind = 'word'"),
    ("no_commercial_consent", "n.commercial AND NOT r.commercial"),
    ("withdrawn", "n.withdrawn_at IS NOT NULL"),
)


def _cases(reasons: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in reasons)


_REASON = f"CASE {_cases(_OF_THE_READER)} WHEN e.type = 'withdrawn' THEN NULL {_cases(_OF_THE_NEWS)} END"

# The oldest mute that holds. A muted word or institution is an interest that the event met.
_MUTE = """
            SELECT mu.kind FROM mutes mu
            WHERE mu.subscriber_id = r.id AND (mu.until IS NULL OR mu.until > :now)
              AND (mu.subscription_id = s.id OR mu.story_id = n.story_id
                   OR EXISTS (SELECT FROM matches mm
                              WHERE mm.event_id = e.id AND mm.interest_id = mu.interest_id))
            ORDER BY mu.id LIMIT 1"""

# In the order of subscriptions, not of events: a slice then touches few of their pages, and each but once.
# A revision also reaches who got what it corrects; a withdrawal reaches exactly those who got the notice, by
# the subscription that brought it last.
_READERS = """
    SELECT m.event_id, s.id
    FROM matches m
    JOIN events e ON e.id = m.event_id AND e.type <> 'withdrawn'
    JOIN subscriptions s ON s.interest_id = m.interest_id
    WHERE m.event_id = ANY(:events) AND s.subscriber_id IS NOT NULL
    UNION
    SELECT g.id, c.subscription_id
    FROM events g
    JOIN events e ON e.notice_id = g.notice_id AND e.revision < g.revision
    JOIN candidates c ON c.event_id = e.id AND c.state = 'issued'
    WHERE g.id = ANY(:events) AND g.type = 'revised'
    UNION
    (SELECT DISTINCT ON (g.id, c.subscriber_id) g.id, c.subscription_id
     FROM events g
     JOIN events e ON e.notice_id = g.notice_id
     JOIN candidates c ON c.event_id = e.id AND c.state IN ('issued', 'leased')
     WHERE g.id = ANY(:events) AND g.type = 'withdrawn' AND e.id <> g.id
     ORDER BY g.id, c.subscriber_id, c.id DESC)
    EXCEPT
    SELECT event_id, subscription_id FROM candidates WHERE event_id = ANY(:events)
    ORDER BY 2, 1
"""

# Those whose subscription met the event, and for a change or a withdrawal those told before.
_ENDPOINTS = """
    SELECT m.event_id, s.endpoint_id
    FROM matches m JOIN subscriptions s ON s.interest_id = m.interest_id
    WHERE m.event_id = ANY(:events) AND s.endpoint_id IS NOT NULL
    UNION
    SELECT g.id, d.endpoint_id
    FROM events g JOIN events e ON e.notice_id = g.notice_id JOIN deliveries d ON d.event_id = e.id
    WHERE g.id = ANY(:events) AND g.type IN ('revised', 'withdrawn') AND d.endpoint_id IS NOT NULL
      AND e.id <> g.id
    EXCEPT
    SELECT event_id, endpoint_id FROM deliveries WHERE event_id = ANY(:events)
    ORDER BY 2, 1
"""

_SLICE = "unnest(CAST(:events AS bigint[]), CAST(:whom AS bigint[]))"
# Who is leaving at this moment is waited for, and is not told; the order is everybody's, so that none waits
# for one who waits for him. What a subscription asks for by now must have been met.
_TELL_READERS = text(f"""
    WITH asked AS (
        SELECT id, subscriber_id, interest_id, cadence, channel FROM subscriptions
        WHERE id = ANY(:whom) ORDER BY id FOR KEY SHARE
    ), told AS (
        INSERT INTO candidates (subscription_id, subscriber_id, event_id, cadence, state, reason, due_at, at)
        SELECT s.id, r.id, e.id, CASE WHEN n.urgent THEN 'instant' ELSE s.cadence END,
               CASE WHEN w.reason IS NOT NULL THEN 'excluded' WHEN s.channel = 'feed' THEN 'shown'
                    ELSE 'pending' END,
               w.reason, :now, :now
        FROM {_SLICE} AS v(event_id, subscription_id)
        JOIN events e ON e.id = v.event_id AND e.claim_id = :claim
        JOIN notices n ON n.id = e.notice_id
        JOIN asked s ON s.id = v.subscription_id
        JOIN subscribers r ON r.id = s.subscriber_id
        LEFT JOIN suppressions x ON x.email_hash = r.email_hash
        LEFT JOIN LATERAL ({_MUTE}) u ON true
        CROSS JOIN LATERAL (SELECT {_REASON} AS reason) w
        WHERE e.type IN ('revised', 'withdrawn')
           OR EXISTS (SELECT FROM matches m WHERE m.event_id = e.id AND m.interest_id = s.interest_id)
        ON CONFLICT DO NOTHING
        RETURNING coalesce(reason, state) AS outcome
    )
    SELECT outcome, count(*) FROM told GROUP BY outcome
""")
_TELL_ENDPOINTS = text(f"""
    INSERT INTO deliveries (channel, event_id, endpoint_id, state, due_at, created_at)
    SELECT 'webhook', e.id, p.id,
           CASE WHEN w.cadence <> 'instant' AND NOT n.urgent THEN 'waiting' ELSE 'pending' END, :now, :now
    FROM {_SLICE} AS v(event_id, endpoint_id)
    JOIN events e ON e.id = v.event_id AND e.claim_id = :claim
    JOIN notices n ON n.id = e.notice_id
    JOIN endpoints p ON p.id = v.endpoint_id AND p.state <> 'disabled'
    LEFT JOIN endpoint_windows w ON w.endpoint_id = p.id
    ON CONFLICT DO NOTHING
    RETURNING id
""")
# Who still waits for what was taken back does so no longer. The look at who got it comes after this, and is
# newer: what a composer took up between the two counts as got. OFFSET 0 keeps PostgreSQL from walking through
# everything that waits for anybody.
_STOP_WAITING = text("""
    UPDATE candidates SET state = 'excluded', reason = 'withdrawn'
    WHERE id IN (
        SELECT c.id
        FROM (SELECT id, state FROM candidates WHERE event_id = ANY(ARRAY(
                  SELECT e.id FROM events g JOIN events e ON e.notice_id = g.notice_id AND e.id <> g.id
                  WHERE g.id = ANY(:events) AND g.type = 'withdrawn')) OFFSET 0) c
        WHERE c.state = 'pending'
        LIMIT :limit
    ) AND state = 'pending'
    RETURNING id
""")


def stop_waiting(session: Session, events: Sequence[int], *, limit: int) -> int:
    """Exclude up to `limit` candidates of what these events withdraw; returns how many."""
    return len(session.execute(_STOP_WAITING, {"events": list(events), "limit": limit}).all())


def readers(session: Session, events: Sequence[int], *, size: int) -> Iterator[list[Pair]]:
    """(event, subscription) of everyone whom these concern and who is not written yet, so many at a time.

    Read as they are asked for, as of one moment: however many there are, one slice is held in memory. One
    such reading at a time in a transaction.
    """
    return _slices(session, _READERS, events, size)


def endpoints(session: Session, events: Sequence[int], *, size: int) -> Iterator[list[Pair]]:
    """(event, endpoint), likewise."""
    return _slices(session, _ENDPOINTS, events, size)


def tell_readers(session: Session, held: Claim, pairs: Sequence[Pair], *, now: datetime) -> Mapping[str, int]:
    """Write a slice of (event, subscription); counts by outcome: `pending`, `shown`, or why left out.

    An event that the claim holds no longer is left to whoever does.
    """
    rows = session.execute(_TELL_READERS, {**_columns(pairs), "claim": held.id, "now": now})
    return {row[0]: row[1] for row in rows}


def tell_endpoints(session: Session, held: Claim, pairs: Sequence[Pair], *, now: datetime) -> int:
    """Write a slice of (event, endpoint) as deliveries; returns how many are new."""
    return len(session.execute(_TELL_ENDPOINTS, {**_columns(pairs), "claim": held.id, "now": now}).all())


def _slices(session: Session, query: str, events: Sequence[int], size: int) -> Iterator[list[Pair]]:
    """Most looks bring one slice or none: those are planned once. What a cursor reads is planned anew."""
    bound = {"events": list(events)}
    some = session.execute(text(f"{query} LIMIT {size:d}"), bound).all()
    if len(some) == size:
        session.execute(text(f"DECLARE reached NO SCROLL CURSOR FOR {query}"), bound)
        fetch = text(f"FETCH {size:d} FROM reached")
        while some := session.execute(fetch).all():
            yield _pairs(some)
        session.execute(text("CLOSE reached"))
    elif some:
        yield _pairs(some)


def _pairs(rows: Iterable[Row[int, int]]) -> list[Pair]:
    return [(row[0], row[1]) for row in rows]


def _columns(pairs: Sequence[Pair]) -> dict[str, list[int]]:
    return {"events": [event for event, _ in pairs], "whom": [whom for _, whom in pairs]}
