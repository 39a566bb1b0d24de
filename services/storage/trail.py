"""The trail of one notice to one recipient, read from the rows that each stage left. Changes nothing."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from services.storage.tables import (
    Attempt,
    Candidate,
    Delivery,
    Endpoint,
    Event,
    Institution,
    Interest,
    Issue,
    IssueItem,
    Match,
    Notice,
    Rhythm,
    Source,
    Subscription,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One subscription of the recipient."""

    id: int
    interest_id: int
    label: str
    canonical: str
    cadence: str
    paused_until: datetime | None
    created_at: datetime
    is_of_a_person: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with its attempts; `issue_id` names the letter, None for a webhook."""

    id: int
    uid: uuid.UUID
    event_id: int | None
    issue_id: int | None
    kind: str
    state: str
    detail: str | None
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    attempts: tuple[Attempt, ...]


def source(session: Session, source_id: int) -> Source | None:
    return session.get(Source, source_id)


def events(session: Session, notice_id: int) -> Sequence[Event]:
    """Everything that happened to a notice, in order."""
    return session.scalars(select(Event).where(Event.notice_id == notice_id).order_by(Event.id)).all()


def endpoint(session: Session, uid: uuid.UUID) -> Endpoint | None:
    return session.scalars(select(Endpoint).where(Endpoint.uid == uid)).one_or_none()


def asked_by_subscriber(session: Session, subscriber_id: int) -> list[Asked]:
    rows = session.execute(_ASKED.where(Subscription.subscriber_id == subscriber_id)).all()
    return [_asked(row) for row in rows]


def asked_by_endpoint(session: Session, endpoint_id: int) -> list[Asked]:
    rows = session.execute(_ASKED.where(Subscription.endpoint_id == endpoint_id)).all()
    return [_asked(row) for row in rows]


def matches(
    session: Session, event_ids: Sequence[int], interest_ids: Sequence[int]
) -> dict[tuple[int, int], tuple[tuple[str, ...], datetime]]:
    """{(event, interest): (witnesses, time)} of those that met."""
    rows = session.scalars(
        select(Match).where(Match.event_id.in_(event_ids), Match.interest_id.in_(interest_ids))
    )
    return {(m.event_id, m.interest_id): (tuple(m.witnesses), m.at) for m in rows}


def candidates(session: Session, event_ids: Sequence[int], subscriber_id: int) -> Sequence[Candidate]:
    """What became of each (event, subscription), in order."""
    mine = and_(Candidate.event_id.in_(event_ids), Candidate.subscriber_id == subscriber_id)
    return session.scalars(select(Candidate).where(mine).order_by(Candidate.id)).all()


def letters_of(session: Session, event_ids: Sequence[int], subscriber_id: int) -> dict[int, str]:
    """{issue: the names of the interests by which it told of these events}, whatever became of them since."""
    rows = session.execute(
        select(Issue.id, Issue.slots, IssueItem.notice_id)
        .join(IssueItem, IssueItem.issue_id == Issue.id)
        .where(IssueItem.subscriber_id == subscriber_id, IssueItem.event_id.in_(event_ids))
        .order_by(Issue.id)
    )
    return {row.id: _named(row.slots, row.notice_id) for row in rows}


def _named(slots: Mapping[str, Any], notice_id: int) -> str:
    """What the line of a notice in a letter says why it came; its link to less of it names the notice."""
    for name, value in slots.items():
        if name.startswith("less:") and str(value).endswith(f":{notice_id}"):
            return str(slots.get(f"why:{name.removeprefix('less:')}", ""))
    return ""


@dataclass(frozen=True, slots=True)
class Teller:
    """A notice by which somebody was told of a story, and the letter."""

    notice_id: int
    institution: str
    issue_id: int


def teller(session: Session, notice_id: int, subscriber_id: int) -> Teller | None:
    """By which other notice of the same story a person was told first, if by any."""
    story = select(Notice.story_id).where(Notice.id == notice_id).scalar_subquery()
    row = session.execute(
        select(IssueItem.notice_id, Institution.name, IssueItem.issue_id)
        .join(Notice, Notice.id == IssueItem.notice_id)
        .join(Institution, Institution.id == Notice.institution_id)
        .where(
            IssueItem.subscriber_id == subscriber_id,
            IssueItem.story_id == story,
            IssueItem.notice_id != notice_id,
        )
        .order_by(IssueItem.issue_id)
        .limit(1)
    ).one_or_none()
    return Teller(*row) if row else None


def ranks(
    session: Session, issue_ids: Sequence[int], event_ids: Sequence[int]
) -> dict[tuple[int, int], dict[str, Any]]:
    """{(issue, event): place and factors} of what was ranked in these digests."""
    rows = session.scalars(
        select(IssueItem).where(IssueItem.issue_id.in_(issue_ids), IssueItem.event_id.in_(event_ids))
    )
    return {(row.issue_id, row.event_id): row.rank for row in rows if row.rank}


def rhythms(session: Session, subscriber_id: int) -> dict[str, datetime]:
    """{cadence: when its next window closes}."""
    rows = session.scalars(select(Rhythm).where(Rhythm.subscriber_id == subscriber_id))
    return {rhythm.cadence: rhythm.due_at for rhythm in rows}


def letters(session: Session, issue_ids: Sequence[int]) -> list[Sent]:
    """The deliveries of these issues."""
    rows = session.execute(
        select(Delivery, Issue.kind)
        .join(Issue, Issue.id == Delivery.issue_id)
        .where(Delivery.issue_id.in_(issue_ids))
        .order_by(Delivery.id)
    ).all()
    return _sent(session, [(row[0], row[1]) for row in rows])


def calls(session: Session, event_ids: Sequence[int], endpoint_id: int) -> list[Sent]:
    """The deliveries of these events to an endpoint."""
    rows = session.scalars(
        select(Delivery)
        .where(Delivery.event_id.in_(event_ids), Delivery.endpoint_id == endpoint_id)
        .order_by(Delivery.id)
    ).all()
    return _sent(session, [(row, "webhook") for row in rows])


_ASKED = (
    select(Subscription, Interest.canonical)
    .join(Interest, Interest.id == Subscription.interest_id)
    .order_by(Subscription.id)
)


def _asked(row: Row[Subscription, str]) -> Asked:
    s, canonical = row
    return Asked(
        s.id, s.interest_id, s.label, canonical, s.cadence, s.paused_until, s.created_at,
        s.subscriber_id is not None,
    )  # fmt: skip


def _sent(session: Session, rows: Sequence[tuple[Delivery, str]]) -> list[Sent]:
    tries: dict[int, list[Attempt]] = defaultdict(list)
    ids = [row.id for row, _ in rows]
    for attempt in session.scalars(
        select(Attempt).where(Attempt.delivery_id.in_(ids)).order_by(Attempt.delivery_id, Attempt.number)
    ):
        tries[attempt.delivery_id].append(attempt)
    return [
        Sent(
            d.id, d.uid, d.event_id, d.issue_id, kind, d.state, d.detail, d.due_at, d.created_at,
            d.finished_at, tuple(tries[d.id]),
        )
        for d, kind in rows
    ]  # fmt: skip
