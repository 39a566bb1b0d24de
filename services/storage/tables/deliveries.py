"""Newsletters composed, and everything on its way to a destination."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class Content(Base):
    """A body rendered once for all readers of the same things; personal slots are cut in by bytes."""

    __tablename__ = "contents"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    salt: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    created_at: Mapped[datetime]


class Issue(Base):
    """One newsletter for one subscriber. `window_key` makes it unique: an event's, or a window's."""

    __tablename__ = "issues"
    __table_args__ = (UniqueConstraint("subscriber_id", "window_key"),)

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    kind: Mapped[str]
    window_key: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(ForeignKey("contents.hash"))
    slots: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class IssueItem(Base):
    """One story told in an issue, by the event that told it; (subscriber, event) only once. `rank` says why
    it stands where it stands in a digest."""

    __tablename__ = "issue_items"
    __table_args__ = (
        PrimaryKeyConstraint("issue_id", "event_id"),
        Index("ix_issue_items_subscriber_id_story_id", "subscriber_id", "story_id"),
    )

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    subscriber_id: Mapped[int]
    notice_id: Mapped[int]
    story_id: Mapped[int]
    revision: Mapped[int]
    rank: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Delivery(Work, Base):
    """An issue or an event on its way: pending → sending → sent | retry | failed | suppressed | uncertain.

    An event that is told in a digest call is `waiting` until its window closes, and then `part_of` that
    call, with no key: both go with their endpoint. `base_revision` is what a diff is told against: fixed
    before the first attempt, 0 for nothing.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("issue_id"),
        UniqueConstraint("event_id", "endpoint_id"),
        CheckConstraint("num_nonnulls(issue_id, endpoint_id) = 1", name="issue_or_endpoint"),
        Index(
            "ix_deliveries_due",
            "channel",
            "due_at",
            postgresql_where=text("state IN ('pending', 'retry', 'sending')"),
        ),
        Index(
            "ix_deliveries_mail_in_order",
            "weight",
            "due_at",
            "id",
            postgresql_where=text("channel = 'email' AND state IN ('pending', 'retry', 'sending')"),
        ),
        Index("ix_deliveries_endpoint_id", "endpoint_id", "id"),
        Index(
            "ix_deliveries_endpoint_due",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=text("state IN ('pending', 'retry', 'sending') AND endpoint_id IS NOT NULL"),
        ),
        Index("ix_deliveries_part_of", "part_of", postgresql_where=text("part_of IS NOT NULL")),
        Index("ix_deliveries_waiting", "endpoint_id", postgresql_where=text("state = 'waiting'")),
        Index(
            "ix_deliveries_replay_id_state",
            "replay_id",
            "state",
            postgresql_where=text("replay_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    uid: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), unique=True, server_default=text("gen_random_uuid()")
    )
    channel: Mapped[str]
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    replay_id: Mapped[int | None] = mapped_column(ForeignKey("replays.id", ondelete="SET NULL"))
    attempts: Mapped[int] = mapped_column(server_default="0")
    weight: Mapped[int] = mapped_column(server_default="1")
    base_revision: Mapped[int | None]
    part_of: Mapped[int | None]
    detail: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class CallDigest(Base):
    """What a digest call tells of: the window, and which part of it when there is very much."""

    __tablename__ = "call_digests"
    __table_args__ = (UniqueConstraint("endpoint_id", "until", "part"),)

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    since: Mapped[datetime]
    until: Mapped[datetime]
    part: Mapped[int]
    parts: Mapped[int]


class MailPace(Base):
    """When the next mail may leave: for a recipient's domain, or (named "") for all. `line_at` is the end of
    the line of those that were told to come later."""

    __tablename__ = "mail_paces"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    line_at: Mapped[datetime]


class Attempt(Base):
    """One try at a delivery: when, how long, what was answered. Holds no personal data.

    Of a webhook it also keeps how long each part took (`phases`, in ms), the `address` that was dialled, the
    `kind` of failure and whose `fault` it is, and the beginning of the `answer`, which is a stranger's text.
    """

    __tablename__ = "attempts"
    __table_args__ = (PrimaryKeyConstraint("delivery_id", "number"),)

    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime]
    took_ms: Mapped[int]
    outcome: Mapped[str]
    status: Mapped[int | None]
    detail: Mapped[str]
    phases: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    address: Mapped[str | None]
    kind: Mapped[str | None]
    fault: Mapped[str | None]
    answer: Mapped[str | None]
