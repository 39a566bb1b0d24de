"""Deliveries that ended, brought back by an operator."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_REQUEUE = text("""
    UPDATE deliveries SET state = 'pending', due_at = :now, attempts = 0, finished_at = NULL, claim_id = NULL,
           lease_until = NULL, detail = 'requeued'
    WHERE state = ANY(:states) AND created_at >= :since AND part_of IS NULL
      AND (CAST(:channel AS text) IS NULL OR channel = :channel)
    RETURNING channel
""")
_SETTLE = text("""
    UPDATE deliveries SET state = 'sent', detail = 'settled by the operator', finished_at = :now
    WHERE state = 'uncertain' AND created_at >= :since
      AND (CAST(:channel AS text) IS NULL OR channel = :channel)
    RETURNING channel
""")


def requeue(
    session: Session, *, states: Sequence[str], channel: str | None, since: datetime, now: datetime
) -> list[str]:
    """Let ended deliveries of these states go out again; returns the channel of each."""
    bound = {"states": list(states), "channel": channel, "since": since, "now": now}
    return list(session.scalars(_REQUEUE, bound))


def settle(session: Session, *, channel: str | None, since: datetime, now: datetime) -> list[str]:
    """Take uncertain deliveries as sent; returns the channel of each."""
    return list(session.scalars(_SETTLE, {"channel": channel, "since": since, "now": now}))
