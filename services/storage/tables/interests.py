"""What is asked for, by whom, and what met it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables.base import Base, Id, Texts, Work
from services.storage.tables.notices import Xid8


class Interest(Base):
    """A query in canonical form, stored once however many people share it."""

    __tablename__ = "interests"

    id: Mapped[Id]
    hash: Mapped[bytes] = mapped_column(unique=True)
    canonical: Mapped[str]
    created_at: Mapped[datetime]


class InterestChange(Base):
    """The log by which every matcher keeps its index fresh; read below the oldest open transaction."""

    __tablename__ = "interest_changes"
    __table_args__ = (Index("ix_interest_changes_xact_id", "xact", "id"),)

    id: Mapped[Id]
    xact: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    interest_id: Mapped[int] = mapped_column(ForeignKey("interests.id"))


class InterestLog(Base):
    """The one row that says how far back the log of interests goes: nothing before `pruned` is there."""

    __tablename__ = "interest_log"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pruned: Mapped[int] = mapped_column(Xid8())
    mark: Mapped[int] = mapped_column(Xid8())
    marked_at: Mapped[datetime]


class IndexSnapshot(Base):
    """What a matcher of a shard (`1/1`) knew at a time, in pieces: a shortcut for the next that starts."""

    __tablename__ = "index_snapshots"
    __table_args__ = (PrimaryKeyConstraint("shard", "piece"),)

    shard: Mapped[str]
    piece: Mapped[int]
    data: Mapped[bytes]
    at: Mapped[datetime]


class Subscription(Base):
    """A subscriber's, an endpoint's or a hub topic's use of an interest. One that `follows_usual` has its
    reader's cadence and changes with it."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "interest_id"),
        UniqueConstraint("endpoint_id", "interest_id"),
        UniqueConstraint("topic_id"),
        CheckConstraint("num_nonnulls(subscriber_id, endpoint_id, topic_id) = 1", name="one_owner"),
        Index("ix_subscriptions_interest_id", "interest_id"),
    )

    id: Mapped[Id]
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("hub_topics.id", ondelete="CASCADE"))
    interest_id: Mapped[int] = mapped_column(ForeignKey("interests.id"))
    query: Mapped[str]
    label: Mapped[str]
    channel: Mapped[str]
    cadence: Mapped[str]
    follows_usual: Mapped[bool] = mapped_column(server_default="false")
    paused_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Mute(Base):
    """What a person wants no more of, until it is lifted or `until` comes: a subscription of theirs, a story,
    or whatever meets an interest (an institution, a word), which the matchers therefore hold too.

    No key on the story: stories may be joined, and a mute of one that is gone harms nothing.
    """

    __tablename__ = "mutes"
    __table_args__ = (
        UniqueConstraint(
            "subscriber_id", "subscription_id", "story_id", "interest_id", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("num_nonnulls(subscription_id, story_id, interest_id) = 1", name="one_target"),
        Index("ix_mutes_subscription_id", "subscription_id"),
        Index("ix_mutes_interest_id", "interest_id"),
        Index("ix_mutes_until", "until"),
    )

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    story_id: Mapped[int | None]
    interest_id: Mapped[int | None] = mapped_column(ForeignKey("interests.id"))
    label: Mapped[str]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Match(Base):
    """This event meets this interest; `witnesses` are the atoms that made it so.

    No keys on the two: neither is ever deleted, and to ask for each row took two thirds of writing it.
    """

    __tablename__ = "matches"
    __table_args__ = (
        PrimaryKeyConstraint("event_id", "interest_id"),
        Index("ix_matches_interest_id", "interest_id"),
    )

    event_id: Mapped[int]
    interest_id: Mapped[int]
    witnesses: Mapped[Texts]
    at: Mapped[datetime]


class MatchTurn(Work, Base):
    """An event before one shard of the interests; only where several matchers share them."""

    __tablename__ = "match_turns"
    __table_args__ = (
        UniqueConstraint("event_id", "shard"),
        Index("ix_match_turns_due", "due_at", postgresql_where=text("state IN ('pending', 'leased')")),
    )

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    shard: Mapped[int]
    shards: Mapped[int]


class Candidate(Work, Base):
    """An event that a subscription asked for, on its way into an issue.

    `pending` waits (an `instant` one is claimed by compose, the others wait for their rhythm),
    `issued` is in `issue_id`, `excluded` is in none, for `reason`. It goes with its subscription; a key on
    reader or issue would need an index of its own on the largest table, or read it whole at each erasure, and
    events are never deleted.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        Index("ix_candidates_event_id", "event_id"),
        Index(
            "ix_candidates_waiting", "subscriber_id", "cadence", postgresql_where=text("state = 'pending'")
        ),
        Index(
            "ix_candidates_due",
            "due_at",
            postgresql_where=text("cadence = 'instant' AND state IN ('pending', 'leased')"),
        ),
    )

    id: Mapped[Id]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int]
    event_id: Mapped[int]
    cadence: Mapped[str]
    reason: Mapped[str | None]
    issue_id: Mapped[int | None]
    at: Mapped[datetime]
