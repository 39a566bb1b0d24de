"""What of recent notices is compared with new ones, to know the same news when another tells it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base

Numbers = list[int]


class SketchRow(Base):
    """The sketch of a notice (`domain.likeness`); `indexed` are the shingles by which it is looked up,
    `analyser` is by whose reading of words."""

    __tablename__ = "sketches"
    __table_args__ = (
        Index(
            "ix_sketches_indexed", "indexed", postgresql_using="gin", postgresql_with={"fastupdate": "off"}
        ),
        Index("ix_sketches_starts_at", "starts_at"),
        Index("ix_sketches_source_id_at", "source_id", "at"),
        Index("ix_sketches_at", "at"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[int]
    institution_id: Mapped[int]
    at: Mapped[datetime]
    starts_at: Mapped[datetime | None]
    indexed: Mapped[Numbers] = mapped_column(ARRAY(BigInteger))
    sketch: Mapped[dict[str, Any]]
    analyser: Mapped[str] = mapped_column(server_default="")
