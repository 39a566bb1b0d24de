"""Snapshots of matchers, kept where the interests are: every new process finds one, on any machine."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from services.storage.tables import IndexSnapshot

PIECE = 8 * 2**20
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtext('goniec.index.snapshot'), hashtext(:shard))")


def read(session: Session, shard: str) -> bytes:
    """The last snapshot of a shard; empty when there is none."""
    pieces = select(IndexSnapshot.data).where(IndexSnapshot.shard == shard).order_by(IndexSnapshot.piece)
    return b"".join(session.scalars(pieces))


def is_wanted(session: Session, shard: str, *, now: datetime, every: timedelta) -> bool:
    """Whether it is our turn to write one: nobody else is writing, or has within `every`.

    The turn lasts until the transaction ends.
    """
    if not session.scalar(_TURN, {"shard": shard}):
        return False
    last = session.scalar(select(IndexSnapshot.at).where(IndexSnapshot.shard == shard).limit(1))
    return last is None or not now - every < last <= now


def write(session: Session, shard: str, data: bytes, *, now: datetime) -> None:
    """Replace the snapshot of a shard."""
    session.execute(delete(IndexSnapshot).where(IndexSnapshot.shard == shard))
    for piece, part in enumerate(_pieces(data)):
        session.execute(insert(IndexSnapshot).values(shard=shard, piece=piece, data=part, at=now))


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))
