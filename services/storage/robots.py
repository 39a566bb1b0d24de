"""What each site's robots.txt said when it was last asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.tables import RobotsFile


@dataclass(frozen=True, slots=True)
class Told:
    """`status` is None when the site could not be reached."""

    origin: str
    status: int | None
    body: str


def remembered(session: Session, origins: Iterable[str], *, since: datetime) -> dict[str, Told]:
    """What these sites said after `since`."""
    rows = session.scalars(
        select(RobotsFile).where(RobotsFile.origin.in_(sorted(origins)), RobotsFile.fetched_at > since)
    )
    return {row.origin: Told(row.origin, row.status, row.body) for row in rows}


def remember(session: Session, said: Iterable[Told], *, now: datetime) -> None:
    values = [
        {"origin": one.origin, "status": one.status, "body": one.body, "fetched_at": now}
        for one in sorted(said, key=lambda one: one.origin)
    ]
    if values:
        new = insert(RobotsFile).values(values)
        kept = {name: new.excluded[name] for name in ("status", "body", "fetched_at")}
        session.execute(new.on_conflict_do_update(index_elements=["origin"], set_=kept))
