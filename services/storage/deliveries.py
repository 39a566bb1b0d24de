"""What deliver reads and writes: what is on its way, and what became of each attempt."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.storage import against, call_digests
from services.storage.call_digests import Span
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class MailDue:
    """A claimed e-mail delivery. `is_awaited`: a confirmation, or urgent; it stands in no line behind others.
    `held_back` says why it must not be sent after all."""

    delivery_id: int
    uid: uuid.UUID
    attempts: int
    subscriber_id: int
    email: str
    email_hash: bytes
    locale: str
    issue_id: int
    kind: str
    content_hash: bytes
    slots: dict[str, str]
    event_at: datetime | None
    thread: uuid.UUID | None
    is_awaited: bool
    held_back: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered content; `salt` names its slots."""

    salt: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Told:
    """An event to be told; `before` is what the endpoint had of the notice, where it asks for differences."""

    uid: uuid.UUID
    type: str
    at: datetime
    snapshot: dict[str, Any]
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CallDue:
    """A claimed webhook delivery: the event as it will be told (several, and their `span`, when it is a
    digest), and the endpoint's sealed secrets."""

    delivery_id: int
    uid: uuid.UUID
    attempts: int
    endpoint_id: int
    url: str
    format: str
    content: str
    secrets: list[dict[str, Any]]
    schedule_s: list[int] | None
    held_back: str | None
    events: tuple[Told, ...]
    span: Span | None
    is_replay: bool = False

    @property
    def event_at(self) -> datetime | None:
        """When it happened; of a digest nobody asks."""
        return self.events[0].at if self.span is None else None


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. `state` is the delivery's next one, `due_at` its next time when `retry`."""

    delivery_id: int
    state: str
    outcome: str
    detail: str
    status: int | None
    took_ms: int
    due_at: datetime
    was_tried: bool = True
    phases: Mapping[str, float] | None = None
    address: str | None = None
    kind: str | None = None
    fault: str | None = None
    answer: str | None = None


_MAIL = text("""
    SELECT d.id, d.uid, d.attempts, i.subscriber_id, r.email, r.email_hash, r.locale, i.id AS issue_id,
           i.kind,
           i.content_hash, i.slots, told.at AS event_at, first.uid AS thread,
           d.weight = 0 AS is_awaited,
           CASE WHEN x.email_hash IS NOT NULL THEN 'suppressed: ' || x.reason
                WHEN i.kind IN ('confirm', 'goodbye') THEN NULL
                WHEN i.kind LIKE 'reconsent%' AND r.asked_at IS NULL THEN 'the question is answered'
                WHEN r.state = 'left' THEN 'the subscriber has left'
                WHEN r.state <> 'active' THEN 'the address is not confirmed'
           END AS held_back
    FROM deliveries d
    JOIN issues i ON i.id = d.issue_id
    JOIN subscribers r ON r.id = i.subscriber_id
    LEFT JOIN suppressions x ON x.email_hash = r.email_hash
    LEFT JOIN LATERAL (
        SELECT e.at, e.notice_id, e.type FROM issue_items t JOIN events e ON e.id = t.event_id
        WHERE i.kind = 'alert' AND t.issue_id = i.id LIMIT 1
    ) told ON true
    LEFT JOIN LATERAL (
        SELECT f.uid FROM issue_items t JOIN deliveries f ON f.issue_id = t.issue_id
        WHERE told.type <> 'published' AND t.subscriber_id = i.subscriber_id
          AND t.notice_id = told.notice_id AND t.issue_id < i.id
        ORDER BY t.issue_id LIMIT 1
    ) first ON true
    WHERE d.id = ANY(:ids) AND d.claim_id = :claim
    ORDER BY d.weight, d.id
""")
_BODIES = text("SELECT hash, salt, subject, text, html FROM contents WHERE hash = ANY(:hashes)")
_CALL_DUE = """
    SELECT d.id, d.uid, d.attempts, p.id AS endpoint_id, p.url, p.format, p.content, p.secrets,
           e.uid AS event_uid,
           e.type AS event_type, e.at AS event_at, e.snapshot, p.schedule_s,
           d.replay_id IS NOT NULL AS is_replay,
           CASE WHEN p.state = 'disabled' THEN 'the endpoint is disabled' END AS held_back
    FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id LEFT JOIN events e ON e.id = d.event_id
    WHERE d.id = ANY(:ids)
"""
_CALLS = text(_CALL_DUE + " AND d.claim_id = :claim ORDER BY p.host, p.id, d.id")
_CALL_MADE = text(_CALL_DUE + " AND EXISTS (SELECT FROM attempts a WHERE a.delivery_id = d.id)")


def claimed_mail(session: Session, held: Claim) -> list[MailDue]:
    rows = session.execute(_MAIL, {"ids": list(held.rows), "claim": held.id}).all()
    return [
        MailDue(
            r.id, r.uid, r.attempts, r.subscriber_id, r.email, bytes(r.email_hash), r.locale, r.issue_id,
            r.kind, bytes(r.content_hash), r.slots, r.event_at, r.thread, r.is_awaited, r.held_back,
        )
        for r in rows
    ]  # fmt: skip


def bodies(session: Session, hashes: Sequence[bytes]) -> dict[bytes, Body]:
    rows = session.execute(_BODIES, {"hashes": list(set(hashes))}).all()
    return {bytes(r.hash): Body(r.salt, r.subject, r.text, r.html) for r in rows}


def claimed_calls(session: Session, held: Claim) -> list[CallDue]:
    """The webhooks of a claim, those to one host together."""
    return _calls(session, session.execute(_CALLS, {"ids": list(held.rows), "claim": held.id}).all())


def call_made(session: Session, delivery_id: int) -> CallDue | None:
    """A webhook that was tried at least once, as it was told; nobody's claim is touched."""
    made = _calls(session, session.execute(_CALL_MADE, {"ids": [delivery_id]}).all())
    return made[0] if made else None


def _calls(session: Session, rows: Sequence[Any]) -> list[CallDue]:
    told = _told(session, rows)
    spans = call_digests.spans(session, [r.id for r in rows if r.event_uid is None])
    return [
        CallDue(
            r.id, r.uid, r.attempts, r.endpoint_id, r.url, r.format, r.content, r.secrets, r.schedule_s,
            r.held_back, told[r.id], spans.get(r.id), r.is_replay,
        )
        for r in rows
    ]  # fmt: skip


def _told(session: Session, rows: Sequence[Any]) -> dict[int, tuple[Told, ...]]:
    """{delivery: the events that it tells}."""
    parts = call_digests.parts(session, [r.id for r in rows if r.event_uid is None])
    in_diffs = [r.id for r in rows if r.content == "diff"]
    asked = [
        one for digest in in_diffs for one in (digest, *(part.delivery_id for part in parts.get(digest, ())))
    ]
    before = against.hold(session, asked)
    return {
        r.id: tuple(
            Told(p.uid, p.type, p.at, p.snapshot, before.get(p.delivery_id)) for p in parts.get(r.id, ())
        )
        if r.event_uid is None
        else (Told(r.event_uid, r.event_type, r.event_at, r.snapshot, before.get(r.id)),)
        for r in rows
    }


_RECORD = text("""
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:outcomes AS text[]),
            CAST(:details AS text[]), CAST(:statuses AS bigint[]), CAST(:tooks AS bigint[]),
            CAST(:dues AS timestamptz[]), CAST(:tried AS boolean[]), CAST(:phases AS jsonb[]),
            CAST(:addresses AS text[]), CAST(:kinds AS text[]), CAST(:faults AS text[]),
            CAST(:answers AS text[])
        ) AS v(id, state, outcome, detail, status, took_ms, due_at, was_tried, phases, address, kind, fault,
               answer)
    ), moved AS (
        UPDATE deliveries d
        SET state = v.state, detail = v.detail, due_at = v.due_at, claim_id = NULL, lease_until = NULL,
            attempts = d.attempts + v.was_tried::int,
            finished_at = CASE WHEN v.state <> 'retry' THEN CAST(:now AS timestamptz) END
        FROM told v
        WHERE d.id = v.id AND d.claim_id = :claim AND d.state = 'sending'
        RETURNING d.id
    ), parts AS (
        UPDATE deliveries p
        SET state = v.state, detail = v.detail, finished_at = CAST(:now AS timestamptz)
        FROM told v JOIN moved m ON m.id = v.id
        WHERE p.part_of = m.id AND v.state <> 'retry'
    ), kept AS (
        INSERT INTO attempts (delivery_id, number, at, took_ms, outcome, status, detail, phases, address,
                              kind, fault, answer)
        SELECT m.id, 1 + coalesce(last.number, 0), :now, v.took_ms, v.outcome, v.status, v.detail, v.phases,
               v.address, v.kind, v.fault, v.answer
        FROM moved m JOIN told v ON v.id = m.id
        LEFT JOIN LATERAL (
            SELECT max(a.number) AS number FROM attempts a WHERE a.delivery_id = m.id
        ) last ON true
        WHERE v.was_tried
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM moved
""")


def record(session: Session, held: Claim, results: Sequence[Result], *, now: datetime) -> set[int]:
    """Write what became of attempts that this claim still holds; returns the deliveries written."""
    if not results:
        return set()
    return set(
        session.scalars(
            _RECORD,
            {
                "claim": held.id,
                "now": now,
                "ids": [r.delivery_id for r in results],
                "states": [r.state for r in results],
                "outcomes": [r.outcome for r in results],
                "details": [r.detail for r in results],
                "statuses": [r.status for r in results],
                "tooks": [r.took_ms for r in results],
                "dues": [r.due_at for r in results],
                "tried": [r.was_tried for r in results],
                "phases": [json.dumps(dict(r.phases)) if r.phases else None for r in results],
                "addresses": [r.address for r in results],
                "kinds": [r.kind for r in results],
                "faults": [r.fault for r in results],
                "answers": [r.answer for r in results],
            },
        ).all()
    )


_FEEDBACK = text("""
    INSERT INTO feedback (delivery_id, kind, email_hash, detail, at, due_at, state, source, external_id)
    SELECT id, kind, hash, detail, :now, :now, 'pending', 'smtp', id || ':' || kind
    FROM unnest(CAST(:ids AS bigint[]), CAST(:kinds AS text[]), CAST(:hashes AS bytea[]),
                CAST(:details AS text[])) AS v(id, kind, hash, detail)
    ON CONFLICT DO NOTHING
""")


def report_bounces(
    session: Session, bounced: Sequence[tuple[int, str, bytes, str]], *, now: datetime
) -> None:
    """What mail servers refused for good, for feedback to act on: (delivery, verdict, hash, detail)."""
    if bounced:
        ids, kinds, hashes, details = (list(column) for column in zip(*bounced, strict=True))
        bound = {"ids": ids, "kinds": kinds, "hashes": hashes, "details": details, "now": now}
        session.execute(_FEEDBACK, bound)
