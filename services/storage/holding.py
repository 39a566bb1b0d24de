"""Windows that close, move on or catch up, and what is held back for later. Only with the claim in hand.

What may not reach its reader yet waits under the cadence `catchup`, whose one window closes when it may.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.reach import CATCHUP
from services.storage.work import Claim

Move = tuple[int, datetime, datetime]  # (rhythm id, where its next window begins, when it is due)

_SET_ASIDE = text("""
    UPDATE candidates SET cadence = :catchup, state = 'pending', claim_id = NULL, lease_until = NULL
    WHERE id = ANY(:ids) AND state IN ('pending', 'leased')
    RETURNING subscriber_id
""")
_SET_ASIDE_WINDOWS = text("""
    UPDATE candidates c SET cadence = :catchup
    FROM rhythms h
    WHERE h.id = ANY(:ids) AND c.subscriber_id = h.subscriber_id AND c.cadence = h.cadence
      AND c.state = 'pending'
    RETURNING c.subscriber_id
""")
_OPEN = text("""
    INSERT INTO rhythms (subscriber_id, cadence, since, due_at)
    SELECT v.id, :catchup, :now, v.due
    FROM unnest(CAST(:subscribers AS bigint[]), CAST(:due AS timestamptz[])) AS v(id, due)
    JOIN subscribers r ON r.id = v.id
    ON CONFLICT (subscriber_id, cadence) DO UPDATE SET due_at = least(rhythms.due_at, excluded.due_at)
""")
_ADVANCE = text("""
    UPDATE rhythms h SET state = 'pending', since = v.since, due_at = v.due_at, claim_id = NULL,
           lease_until = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:since AS timestamptz[]), CAST(:due AS timestamptz[]))
         AS v(id, since, due_at)
    WHERE h.id = v.id AND h.claim_id = :claim
""")
_CLOSE = text("""
    DELETE FROM rhythms h
    WHERE h.id = ANY(:ids) AND h.claim_id = :claim AND h.cadence = :catchup
      AND NOT EXISTS (SELECT FROM candidates c WHERE c.subscriber_id = h.subscriber_id
                      AND c.cadence = :catchup AND c.state = 'pending')
""")
_TOLD = text("""
    SELECT v.id, count(t.event_id) AS told
    FROM unnest(CAST(:subscribers AS bigint[]), CAST(:since AS timestamptz[])) AS v(id, since)
    JOIN issues i ON i.subscriber_id = v.id AND i.created_at >= v.since
    JOIN issue_items t ON t.issue_id = i.id
    GROUP BY v.id
""")
_RELEASE = text("""
    UPDATE rhythms SET due_at = least(due_at, :at)
    WHERE subscriber_id = :id AND cadence = :catchup AND state = 'pending'
""")


def set_aside(session: Session, until: Mapping[int, tuple[int, datetime]], *, now: datetime) -> None:
    """Candidates that may not go yet: {candidate: (subscriber, when they may)}."""
    if until:
        session.execute(_SET_ASIDE, {"ids": list(until), "catchup": CATCHUP})
        _open(session, until.values(), now=now)


def set_aside_windows(session: Session, until: Mapping[int, tuple[int, datetime]], *, now: datetime) -> None:
    """All that waits in windows that fell due while it may not go: {rhythm: (subscriber, when it may)}."""
    if not until:
        return
    waiting = set(session.scalars(_SET_ASIDE_WINDOWS, {"ids": list(until), "catchup": CATCHUP}))
    _open(session, [each for each in until.values() if each[0] in waiting], now=now)


def _open(session: Session, due: Iterable[tuple[int, datetime]], *, now: datetime) -> None:
    """A reader's catch-up closes at the first of these times; what must wait longer is held again then."""
    first: dict[int, datetime] = {}
    for subscriber, at in due:
        first[subscriber] = min(at, first.get(subscriber, at))
    if first:
        readers = sorted(first)
        session.execute(_OPEN, {"subscribers": readers, "due": [first[r] for r in readers],
                                "catchup": CATCHUP, "now": now})  # fmt: skip


def told_since(session: Session, since: Mapping[int, datetime]) -> dict[int, int]:
    """{subscriber: how many stories they were told since a time of their own}; none is left out."""
    if not since:
        return {}
    rows = session.execute(_TOLD, {"subscribers": list(since), "since": list(since.values())})
    return {row.id: row.told for row in rows}


def advance(session: Session, held: Claim, moves: Sequence[Move]) -> None:
    """Close windows. A catch-up for which nothing waits any more goes; otherwise it is due again."""
    if moves:
        ids, since, due = (list(column) for column in zip(*moves, strict=True))
        session.execute(_CLOSE, {"ids": ids, "claim": held.id, "catchup": CATCHUP})
        session.execute(_ADVANCE, {"ids": ids, "since": since, "due": due, "claim": held.id})


def release(session: Session, subscriber_id: int, *, at: datetime) -> None:
    """Let what is held back for a person be looked at again at a time: their pause ended, or changed."""
    session.execute(_RELEASE, {"id": subscriber_id, "at": at, "catchup": CATCHUP})
