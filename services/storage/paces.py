"""Where the lines of mail stand, shared by all workers: one for everybody (named ""), one a domain,
and while a sender warms up one of confirmations."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.pace import Line
from services.storage.work import Claim

ALL = ""
CONFIRMATIONS = "(confirmations)"  # no domain is called so
_OPEN = text("""
    INSERT INTO mail_paces (name, next_at, line_at)
    SELECT name, :now, :now FROM unnest(CAST(:names AS text[])) AS v(name) ORDER BY name
    ON CONFLICT DO NOTHING
""")
_HOLD = text("""
    SELECT name, next_at, line_at FROM mail_paces WHERE name = ANY(:names) ORDER BY name FOR UPDATE
""")
_MOVE = text("""
    UPDATE mail_paces p SET next_at = v.next_at, line_at = v.line_at
    FROM unnest(CAST(:names AS text[]), CAST(:nexts AS timestamptz[]), CAST(:ends AS timestamptz[]))
         AS v(name, next_at, line_at)
    WHERE p.name = v.name
""")
_PUT_OFF = text("""
    UPDATE deliveries d SET state = 'pending', due_at = v.due_at, claim_id = NULL, lease_until = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:dues AS timestamptz[])) AS v(id, due_at)
    WHERE d.id = v.id AND d.claim_id = :claim AND d.state = 'sending'
""")
_TIDY = text("DELETE FROM mail_paces WHERE next_at < :before AND line_at < :before")


def hold(session: Session, names: Iterable[str], *, now: datetime) -> dict[str, Line]:
    """The lines of these names, locked in order until the transaction ends; other workers wait."""
    bound = {"names": sorted(set(names)), "now": now}
    session.execute(_OPEN, bound)
    return {r.name: Line(r.next_at, r.line_at) for r in session.execute(_HOLD, bound)}


def move(session: Session, lines: Mapping[str, Line]) -> None:
    """Where lines that are held stand now."""
    session.execute(
        _MOVE,
        {
            "names": list(lines),
            "nexts": [line.next_at for line in lines.values()],
            "ends": [line.line_at for line in lines.values()],
        },
    )


def put_off(session: Session, held: Claim, times: Mapping[int, datetime]) -> None:
    """Give back what this claim holds, due at these times."""
    if times:
        bound = {"claim": held.id, "ids": list(times), "dues": list(times.values())}
        session.execute(_PUT_OFF, bound)


def tidy(session: Session, *, before: datetime) -> None:
    """Forget lines that nobody has stood in since: a domain is not kept for ever."""
    session.execute(_TIDY, {"before": before})
