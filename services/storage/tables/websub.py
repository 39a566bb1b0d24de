"""The hub: our feeds as topics, who follows them, and who asked to."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class HubTopic(Base):
    """A query feed that somebody follows: a format (`form`) and a query in its one spelling.

    Its subscription holds the interest by which the matcher finds that it changed.
    """

    __tablename__ = "hub_topics"
    __table_args__ = (UniqueConstraint("form", "query"),)

    id: Mapped[Id]
    form: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[datetime]


class HubFollower(Work, Base):
    """A callback that is told of a topic until its lease ends; `secret` is sealed.

    As work: `idle` has heard everything, `pending` or `retry` is to be told, `sending` is being told.
    `changes` counts how often the topic changed, so that a change during a call is not lost; `body_hash` is
    of what was told last. `topic` is the address as its subscriber wrote it.
    """

    __tablename__ = "hub_followers"
    __table_args__ = (
        UniqueConstraint("topic_id", "callback"),
        Index("ix_hub_followers_due", "due_at",
              postgresql_where=text("state IN ('pending', 'retry', 'sending')")),
        Index("ix_hub_followers_host", "host"),
    )  # fmt: skip

    id: Mapped[Id]
    topic_id: Mapped[int] = mapped_column(ForeignKey("hub_topics.id"))
    topic: Mapped[str]
    callback: Mapped[str]
    host: Mapped[str]
    secret: Mapped[str | None]
    follows_until: Mapped[datetime]
    changes: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    body_hash: Mapped[bytes | None]
    last_told_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]


class HubIntent(Work, Base):
    """Somebody asked to follow or to leave a topic (or is to hear that it is over): the callback is asked
    whether it means it. `done` was meant, `refused` was not."""

    __tablename__ = "hub_intents"
    __table_args__ = (
        CheckConstraint("mode IN ('subscribe', 'unsubscribe', 'denied')", name="mode"),
        Index("ix_hub_intents_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
        Index("ix_hub_intents_host_created_at", "host", "created_at"),
    )

    id: Mapped[Id]
    mode: Mapped[str]
    form: Mapped[str]
    query: Mapped[str]
    topic: Mapped[str]
    callback: Mapped[str]
    host: Mapped[str]
    secret: Mapped[str | None]
    lease_s: Mapped[int]
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    detail: Mapped[str | None]
    created_at: Mapped[datetime]
