"""The operators' and editors' ledger: lines are added, read, and never changed (a trigger refuses)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.storage.tables import AuditLine


def write_line(
    session: Session, *, at: datetime, actor: str, action: str, target: str, **data: object
) -> None:
    """One line, in the transaction of what it tells. Holds no address of a person and no secret."""
    session.add(AuditLine(at=at, actor=actor, action=action, target=target, data=data))


def lines(session: Session, *, limit: int) -> Sequence[AuditLine]:
    """The newest lines first."""
    return session.scalars(select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)).all()
