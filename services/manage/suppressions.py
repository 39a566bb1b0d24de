"""Addresses that must not be written to: an operator sees, adds and lifts them, with a line in the audit."""

from dataclasses import dataclass
from datetime import datetime

from services.domain import seal
from services.manage import checks, privacy
from services.manage.pages import Page, number_cursor
from services.runtime import Runtime
from services.storage import audit
from services.storage import subscribers as store


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """`email` is None when only the keyed hash of the address is left."""

    email: str | None
    reason: str
    detail: str | None
    at: datetime


def listed(rt: Runtime, *, after: str | None = None, limit: int = 50) -> Page[SuppressionView]:
    """The newest first. Raises BadInput for a cursor that is not ours."""
    before = number_cursor(after)
    with rt.begin() as session:
        rows = store.suppressed(session, before=before, limit=limit + 1)
        shown = [SuppressionView(email, row.reason, row.detail, row.at) for row, email in rows[:limit]]
        last = str(rows[limit - 1][0].id) if len(rows) > limit else None
    return Page(shown, last)


def add(rt: Runtime, email: str, *, by: str = "operator") -> bool:
    """Write to an address no more; False when that stood already."""
    digest = seal.email_hash(rt.settings.secret_key, checks.email_address(email))
    now = rt.clock.now()
    with rt.begin() as session:
        if store.suppression(session, digest) is not None:
            return False
        store.suppress(session, email_hash=digest, reason="operator", detail=None, at=now)
        audit.write_line(session, at=now, actor=by, action="suppression.add", target=digest.hex()[:12])
        return True


def lift(rt: Runtime, email: str, *, by: str = "operator") -> bool:
    """Let an address be written to again, what it did before forgotten; False when nothing stood."""
    return privacy.allow_again(rt, email, by=by)
