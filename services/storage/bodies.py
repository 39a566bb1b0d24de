"""Rendered bodies: kept once for all their readers, and shown again as they were sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_KNOWN_CONTENTS = text("SELECT hash FROM contents WHERE hash = ANY(:hashes)")
_ADD_CONTENT = text("""
    INSERT INTO contents (hash, salt, subject, text, html, created_at)
    VALUES (:hash, :salt, :subject, :text, :html, :now) ON CONFLICT DO NOTHING
""")


def known_contents(session: Session, hashes: Iterable[bytes]) -> set[bytes]:
    return {bytes(h) for h in session.scalars(_KNOWN_CONTENTS, {"hashes": list(hashes)})}


def add_content(
    session: Session, *, hash: bytes, salt: str, subject: str, text: str, html: str, now: datetime
) -> None:
    """Keep a rendered body; the first one of a hash stays."""
    session.execute(
        _ADD_CONTENT,
        {"hash": hash, "salt": salt, "subject": subject, "text": text, "html": html, "now": now},
    )


@dataclass(frozen=True, slots=True)
class SentIssue:
    """An issue with the body that it was sent with."""

    subject: str
    html: str
    salt: str
    slots: Mapping[str, str]


_SENT = text("""
    SELECT c.subject, c.html, c.salt, i.slots FROM issues i JOIN contents c ON c.hash = i.content_hash
    WHERE i.id = :id
""")


def sent_issue(session: Session, issue_id: int) -> SentIssue | None:
    row = session.execute(_SENT, {"id": issue_id}).one_or_none()
    return SentIssue(row.subject, row.html, row.salt, row.slots) if row else None
