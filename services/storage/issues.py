"""What compose reads and writes: who waits for what, what they were told before, and the issues made."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.reach import CATCHUP, Reach, quiet_hours
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class Waiting:
    """One candidate with what decides about it. `told` says what the reader had before:
    `nothing`, `older` (an older revision of this notice, `told_revision`), `same` (this story, no less new).
    `witnesses` are the conditions of the interest that the event met; `usual` is the cadence asked for."""

    candidate_id: int
    subscription_id: int
    label: str
    subscriber_id: int
    locale: str
    timezone: str
    event_id: int
    told: str
    excluded: str | None
    told_revision: int | None
    interest_id: int
    witnesses: tuple[str, ...]
    usual: str
    is_urgent: bool
    reach: Reach


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event as an item of an issue; `city` is where it plays, or where its institution sits."""

    event_id: int
    type: str
    notice_id: int
    story_id: int
    revision: int
    is_newest: bool
    is_withdrawn: bool
    snapshot: Mapping[str, Any]
    tellers: tuple[str, ...]
    at: datetime
    city: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """A claimed rhythm: whose, how often, and the span that waits to be told."""

    rhythm_id: int
    subscriber_id: int
    cadence: str
    timezone: str
    since: datetime
    due_at: datetime
    is_active: bool
    reach: Reach

    @property
    def is_catchup(self) -> bool:
        return self.cadence == CATCHUP


_WAITING = """
    SELECT c.id, c.subscription_id, s.label, c.subscriber_id, r.locale, r.timezone, c.event_id,
           CASE WHEN c.reason IS NOT NULL THEN c.reason
                WHEN r.state <> 'active' THEN 'left'
                WHEN x.email_hash IS NOT NULL THEN 'suppressed'
                WHEN n.withdrawn_at IS NOT NULL AND e.type <> 'withdrawn' THEN 'withdrawn'
                WHEN e.revision < n.revision AND e.type IN ('published', 'revised') THEN 'superseded'
                WHEN e.type = 'withdrawn' AND NOT EXISTS (
                    SELECT FROM issue_items i WHERE i.subscriber_id = c.subscriber_id AND i.notice_id = n.id
                ) THEN 'never_told'
           END AS excluded,
           CASE WHEN EXISTS (SELECT FROM issue_items i WHERE i.subscriber_id = c.subscriber_id
                             AND i.story_id = n.story_id
                             AND (i.notice_id <> n.id OR i.revision >= e.revision)) THEN 'same'
                WHEN EXISTS (SELECT FROM issue_items i WHERE i.subscriber_id = c.subscriber_id
                             AND i.notice_id = n.id) THEN 'older'
                ELSE 'nothing' END AS told,
           (SELECT max(i.revision) FROM issue_items i WHERE i.subscriber_id = c.subscriber_id
            AND i.story_id = n.story_id AND i.notice_id = n.id) AS told_revision,
           s.interest_id, m.witnesses, s.cadence AS usual, n.urgent,
           greatest(r.paused_until, s.paused_until) AS paused_until,
           r.quiet_from, r.quiet_until, r.daily_budget
    FROM candidates c
    JOIN subscriptions s ON s.id = c.subscription_id
    JOIN subscribers r ON r.id = c.subscriber_id
    JOIN events e ON e.id = c.event_id
    JOIN notices n ON n.id = e.notice_id
    LEFT JOIN matches m ON m.event_id = c.event_id AND m.interest_id = s.interest_id
    LEFT JOIN suppressions x ON x.email_hash = r.email_hash
"""
_CLAIMED = text(
    _WAITING + " WHERE c.id = ANY(:ids) AND c.claim_id = :claim ORDER BY c.event_id, c.subscription_id"
)
_COLLECTED = text(
    _WAITING
    + """
    JOIN unnest(CAST(:subscribers AS bigint[]), CAST(:cadences AS text[])) AS w(subscriber_id, cadence)
      ON w.subscriber_id = c.subscriber_id AND w.cadence = c.cadence
    WHERE c.state = 'pending' AND (s.paused_until IS NULL OR s.paused_until <= :now)
    ORDER BY c.subscriber_id, c.event_id, c.subscription_id
"""
)


def claimed_alerts(session: Session, held: Claim) -> list[Waiting]:
    """The candidates of a claim, by event."""
    return _waiting(session.execute(_CLAIMED, {"ids": list(held.rows), "claim": held.id}))


def collected(session: Session, windows: Sequence[Window], *, now: datetime) -> dict[int, list[Waiting]]:
    """What waits for each of these rhythms: {rhythm id: candidates by event}."""
    bound = {
        "subscribers": [w.subscriber_id for w in windows],
        "cadences": [w.cadence for w in windows],
        "now": now,
    }
    of_rhythm = {(w.subscriber_id, w.cadence): w.rhythm_id for w in windows}
    found: dict[int, list[Waiting]] = {w.rhythm_id: [] for w in windows}
    query = text(_COLLECTED.text.replace("SELECT c.id,", "SELECT c.cadence AS rhythm, c.id,", 1))
    for row in session.execute(query, bound).all():
        found[of_rhythm[row.subscriber_id, row.rhythm]].extend(_waiting([row]))
    return found


def _waiting(rows: Iterable[Any]) -> list[Waiting]:
    return [
        Waiting(
            r.id,
            r.subscription_id,
            r.label,
            r.subscriber_id,
            r.locale,
            r.timezone,
            r.event_id,
            r.told,
            r.excluded,
            r.told_revision,
            r.interest_id,
            tuple(r.witnesses or ()),
            r.usual,
            r.urgent,
            _reach(r),
        )
        for r in rows
    ]


_WINDOWS = text("""
    SELECT h.id, h.subscriber_id, h.cadence, r.timezone, h.since, h.due_at,
           r.state = 'active' AS is_active, r.paused_until, r.quiet_from, r.quiet_until, r.daily_budget
    FROM rhythms h JOIN subscribers r ON r.id = h.subscriber_id
    WHERE h.id = ANY(:ids) AND h.claim_id = :claim
    ORDER BY h.id
""")


def claimed_windows(session: Session, held: Claim) -> list[Window]:
    rows = session.execute(_WINDOWS, {"ids": list(held.rows), "claim": held.id})
    return [
        Window(r.id, r.subscriber_id, r.cadence, r.timezone, r.since, r.due_at, r.is_active, _reach(r))
        for r in rows
    ]


def _reach(row: Any) -> Reach:
    return Reach(
        row.timezone, row.paused_until, quiet_hours(row.quiet_from, row.quiet_until), row.daily_budget
    )


_EVENTS = text("""
    SELECT e.id, e.type, e.notice_id, n.story_id, e.revision, e.revision = n.revision AS is_newest,
           n.withdrawn_at IS NOT NULL AS is_withdrawn, e.snapshot, e.at,
           coalesce(e.snapshot->'places'->>0, t.place) AS city,
           (SELECT array_agg(DISTINCT i.name ORDER BY i.name) FROM notices o
            JOIN institutions i ON i.id = o.institution_id
            WHERE o.story_id = n.story_id AND o.withdrawn_at IS NULL AND o.institution_id <> n.institution_id
           ) AS tellers
    FROM events e JOIN notices n ON n.id = e.notice_id JOIN institutions t ON t.id = n.institution_id
    WHERE e.id = ANY(:ids)
""")


def told_events(session: Session, event_ids: Iterable[int]) -> dict[int, ToldEvent]:
    """Events as items of an issue, with the other institutions that tell the same story."""
    rows = session.execute(_EVENTS, {"ids": sorted(set(event_ids))})
    return {
        r.id: ToldEvent(
            r.id, r.type, r.notice_id, r.story_id, r.revision, r.is_newest, r.is_withdrawn, r.snapshot,
            tuple(r.tellers or ()), r.at, r.city,
        )
        for r in rows
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewIssue:
    """An issue to be written: its items, and the candidates that it answers. `ranks` are by event."""

    subscriber_id: int
    kind: str
    window_key: str
    content_hash: bytes
    slots: Mapping[str, Any]
    events: tuple[ToldEvent, ...]
    candidates: tuple[int, ...]
    ranks: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    is_urgent: bool = False


_ADD_ISSUES = text("""
    WITH added AS (
        INSERT INTO issues (subscriber_id, kind, window_key, content_hash, slots, created_at)
        SELECT v.subscriber_id, v.kind, v.window_key, v.content_hash, CAST(v.slots AS jsonb), :now
        FROM unnest(CAST(:subscribers AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]),
                    CAST(:hashes AS bytea[]), CAST(:slots AS text[]))
             AS v(subscriber_id, kind, window_key, content_hash, slots)
        ON CONFLICT DO NOTHING
        RETURNING id, subscriber_id, window_key
    ), sent AS (
        INSERT INTO deliveries (channel, issue_id, state, due_at, created_at, weight)
        SELECT 'email', added.id, 'pending', :now, :now, v.weight
        FROM added
        JOIN unnest(CAST(:subscribers AS bigint[]), CAST(:keys AS text[]), CAST(:weights AS bigint[]))
             AS v(subscriber_id, window_key, weight) USING (subscriber_id, window_key)
    )
    SELECT id, subscriber_id, window_key, true AS is_new FROM added
    UNION ALL
    SELECT i.id, i.subscriber_id, i.window_key, false
    FROM issues i JOIN unnest(CAST(:subscribers AS bigint[]), CAST(:keys AS text[])) AS v(subscriber_id, key)
      ON v.subscriber_id = i.subscriber_id AND v.key = i.window_key
""")
_ADD_ITEMS = text("""
    INSERT INTO issue_items (issue_id, event_id, subscriber_id, notice_id, story_id, revision, rank)
    SELECT * FROM unnest(CAST(:issues AS bigint[]), CAST(:events AS bigint[]), CAST(:subscribers AS bigint[]),
                         CAST(:notices AS bigint[]), CAST(:stories AS bigint[]), CAST(:revisions AS bigint[]),
                         CAST(:ranks AS jsonb[]))
    ON CONFLICT DO NOTHING
""")
_ISSUED = text("""
    UPDATE candidates c SET state = 'issued', issue_id = v.issue_id, claim_id = NULL, lease_until = NULL
    FROM unnest(CAST(:candidates AS bigint[]), CAST(:issues AS bigint[])) AS v(id, issue_id)
    WHERE c.id = v.id AND c.state IN ('pending', 'leased')
""")
_EXCLUDED = text("""
    UPDATE candidates c SET state = 'excluded', reason = v.reason, claim_id = NULL, lease_until = NULL
    FROM unnest(CAST(:candidates AS bigint[]), CAST(:reasons AS text[])) AS v(id, reason)
    WHERE c.id = v.id AND c.state IN ('pending', 'leased')
""")


def add_issues(session: Session, issues: Sequence[NewIssue], *, now: datetime) -> int:
    """Write issues with items and e-mail deliveries; candidates become `issued`. Returns how many are new.

    Idempotent by (subscriber, window_key): an issue that stands already takes the candidates in.
    """
    if not issues:
        return 0
    rows = session.execute(
        _ADD_ISSUES,
        {
            "subscribers": [i.subscriber_id for i in issues],
            "kinds": [i.kind for i in issues],
            "keys": [i.window_key for i in issues],
            "hashes": [i.content_hash for i in issues],
            "slots": [json.dumps(i.slots) for i in issues],
            "weights": [_weight(i) for i in issues],
            "now": now,
        },
    ).all()
    ids = {(r.subscriber_id, r.window_key): r.id for r in rows}
    new = {r.id for r in rows if r.is_new}
    placed = [(ids[i.subscriber_id, i.window_key], i) for i in issues]
    items = [
        (issue_id, e.event_id, i.subscriber_id, e.notice_id, e.story_id, e.revision,
         json.dumps(i.ranks[e.event_id]) if e.event_id in i.ranks else None)
        for issue_id, i in placed
        if issue_id in new
        for e in i.events
    ]  # fmt: skip
    if items:
        names = ("issues", "events", "subscribers", "notices", "stories", "revisions", "ranks")
        columns = [list(c) for c in zip(*items, strict=True)]
        session.execute(_ADD_ITEMS, dict(zip(names, columns, strict=True)))
    answered = [(candidate, issue_id) for issue_id, i in placed for candidate in i.candidates]
    session.execute(
        _ISSUED, {"candidates": [c for c, _ in answered], "issues": [issue_id for _, issue_id in answered]}
    )
    return len(new)


def _weight(issue: NewIssue) -> int:
    """Which goes first when all wait: what is awaited or urgent, then alerts, then digests."""
    return 0 if issue.is_urgent else {"confirm": 0, "alert": 1, "welcome": 1, "goodbye": 1}.get(issue.kind, 2)


def exclude(session: Session, reasons: Mapping[int, str]) -> None:
    """Candidates that end in no issue, each with its reason."""
    if reasons:
        session.execute(_EXCLUDED, {"candidates": list(reasons), "reasons": list(reasons.values())})


_HOLD_ALERTS = text("SELECT id FROM candidates WHERE id = ANY(:ids) AND claim_id = :claim FOR UPDATE")
_TURN = text("SELECT pg_advisory_xact_lock(hashtext('goniec.compose.alerts'))")
_HOLD_WINDOWS = text("SELECT id FROM rhythms WHERE id = ANY(:ids) AND claim_id = :claim FOR UPDATE")


def still_held_alerts(session: Session, held: Claim) -> set[int]:
    """Those candidates that this claim still holds, locked: only they may be written."""
    return set(session.scalars(_HOLD_ALERTS, {"ids": list(held.rows), "claim": held.id}))


def await_turn(session: Session) -> None:
    """Wait until no other composer is writing alerts; ours is the turn until this transaction ends."""
    session.execute(_TURN)


def still_held_windows(session: Session, held: Claim) -> set[int]:
    return set(session.scalars(_HOLD_WINDOWS, {"ids": list(held.rows), "claim": held.id}))
