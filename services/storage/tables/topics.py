"""What operators changed in the definitions of topics."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base


class TopicRule(Base):
    """The query that defines a topic here, in place of the one that comes with Goniec; empty: none at all."""

    __tablename__ = "topic_rules"

    topic: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str]
    updated_at: Mapped[datetime]
