"""Who asked for mail, what they agreed to, and who must not be written to."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Work


class Subscriber(Base):
    """`state` is pending (not confirmed), active, or left; `email` is unique in lower case.

    `cadence` is the one usually meant; nothing comes between `quiet_from` and `quiet_until` (local, HH:MM);
    `daily_budget` is the most stories a day. What is urgent passes both. `heard_at` is when they last did
    something themselves; `asked_at` and `reminded_at` stand while a question whether they stay is open.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        Index("ix_subscribers_silent", "heard_at", postgresql_where=text("state = 'active'")),
        Index("ix_subscribers_asked", "asked_at", postgresql_where=text("asked_at IS NOT NULL")),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(unique=True)
    email_hash: Mapped[bytes] = mapped_column(unique=True)
    state: Mapped[str]
    locale: Mapped[str]
    timezone: Mapped[str]
    commercial: Mapped[bool] = mapped_column(server_default="false")
    cadence: Mapped[str] = mapped_column(server_default="daily@07:00")
    quiet_from: Mapped[str | None]
    quiet_until: Mapped[str | None]
    daily_budget: Mapped[int | None]
    paused_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]


class Consent(Base):
    """The append-only ledger of consents (GDPR, art. 7(1)); a trigger refuses change and removal.

    Holds the keyed hash of the address alone, so that it may outlive an erasure.
    """

    __tablename__ = "consents"

    id: Mapped[Id]
    email_hash: Mapped[bytes] = mapped_column(index=True)
    action: Mapped[str]
    text_version: Mapped[str]
    via: Mapped[str]
    at: Mapped[datetime]


class Suppression(Base):
    """An address that must not be written to, and why; only its keyed hash is kept."""

    __tablename__ = "suppressions"

    email_hash: Mapped[bytes] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    reason: Mapped[str]
    detail: Mapped[str | None]
    at: Mapped[datetime]


class Feedback(Work, Base):
    """A word from outside about a letter; `kind` is a services.domain.bounces.Verdict, `at` its own time.

    `external_id` is the word's own id at its `source` (smtp, report, sendgrid): heard twice, it counts once.
    `pending` until it was acted on.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_feedback_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
        Index("ix_feedback_delivery_id", "delivery_id"),
        Index("ix_feedback_email_hash_at", "email_hash", "at"),
    )

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(server_default="smtp")
    external_id: Mapped[str]
    kind: Mapped[str]
    email_hash: Mapped[bytes]
    detail: Mapped[str]
    at: Mapped[datetime]


class Rhythm(Work, Base):
    """A person's cadence, once for all interests that share it: the next digest is due at `due_at`.

    `since` is where the last window closed; a window missed in a downtime is made up once, by the
    next claim, because the window runs from `since` to the newest time due. The cadence `catchup` is a
    window that closes once: it gathers what a pause, quiet hours or the daily budget held back.
    """

    __tablename__ = "rhythms"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "cadence"),
        Index("ix_rhythms_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
    )

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    cadence: Mapped[str]
    since: Mapped[datetime]
