"""What owners of endpoints are to be told: written where it is found out, sent where letters are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Word:
    """One step of one endpoint. `subscriber_id` is its confirmed contact, None where there is none."""

    id: int
    step: str
    since: datetime
    at: datetime
    because: str
    label: str
    subscriber_id: int | None
    locale: str
    timezone: str


_ADD = text("""
    INSERT INTO owner_words (endpoint_id, step, since, at, because, due_at)
    SELECT endpoint_id, step, since, :now, because, :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:steps AS text[]), CAST(:since AS timestamptz[]),
                CAST(:becauses AS text[])) AS v(endpoint_id, step, since, because)
    ON CONFLICT DO NOTHING
""")
_DUE = text("""
    SELECT w.id, w.step, w.since, w.at, w.because, coalesce(p.label, p.host) AS label,
           CASE WHEN p.contact_confirmed_at IS NOT NULL AND r.state = 'active' THEN r.id END AS subscriber_id,
           coalesce(r.locale, 'pl') AS locale, coalesce(r.timezone, 'Europe/Warsaw') AS timezone
    FROM owner_words w JOIN endpoints p ON p.id = w.endpoint_id
    LEFT JOIN subscribers r ON r.id = p.contact_id
    WHERE w.state = 'pending' AND w.due_at <= :now
    ORDER BY w.id LIMIT :limit FOR UPDATE OF w SKIP LOCKED
""")
_TOLD = text("""
    UPDATE owner_words w SET state = v.state
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[])) AS v(id, state) WHERE w.id = v.id
""")


def add(session: Session, words: Sequence[tuple[int, str, datetime, str]], *, now: datetime) -> None:
    """(endpoint, step, failing since, because): each step of one outage once, however often it is found."""
    if words:
        ids, steps, since, becauses = (list(column) for column in zip(*words, strict=True))
        bound = {"ids": ids, "steps": steps, "since": since, "becauses": becauses, "now": now}
        session.execute(_ADD, bound)


def due(session: Session, *, now: datetime, limit: int) -> list[Word]:
    """What nobody was told yet, held until the transaction ends."""
    rows = session.execute(_DUE, {"now": now, "limit": limit})
    return [
        Word(r.id, r.step, r.since, r.at, r.because, r.label, r.subscriber_id, r.locale, r.timezone)
        for r in rows
    ]  # fmt: skip


def settle(session: Session, words: Sequence[Word]) -> None:
    """Each is told, or nobody is there to be told."""
    states = ["told" if word.subscriber_id is not None else "nobody" for word in words]
    session.execute(_TOLD, {"ids": [word.id for word in words], "states": states})
