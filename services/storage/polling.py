"""What poll reads and writes: sources whose check is due, and what their last answer was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    any_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from services.storage import source_hubs
from services.storage.source_hubs import Named
from services.storage.tables import Fetch, Source, Subscriber
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class SourceDue:
    """A claimed source with all that decides how it is asked and read."""

    source_id: int
    address: str
    etag: str | None
    last_modified: str | None
    validators_url: str | None
    body_hash: bytes | None
    ladder: str
    encoding: str | None
    zone: str
    language: str | None
    errors: int
    moved_to: str | None
    moved_times: int
    moved_since: datetime | None
    first_read_at: datetime | None
    last_checked_at: datetime | None
    skew_s: int
    recent: tuple[datetime, ...]
    asked_s: int
    kind: str = "feed"
    rules: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    is_told: bool = False
    dialled: str | None = None


_RECENT = text("""
    SELECT s.id, array(SELECT n.published_at FROM notices n WHERE n.source_id = s.id
                       ORDER BY n.published_at DESC LIMIT 20) AS dates
    FROM sources s WHERE s.id = ANY(:ids)
""")


def hold(session: Session, held: Claim, *, now: datetime, lease: timedelta) -> None:
    """Put sources that this transaction has made under a claim, so that nobody else polls them meanwhile."""
    session.execute(
        update(Source)
        .where(Source.id.in_(held.rows), Source.claim_id.is_(None))
        .values(state="leased", claim_id=held.id, lease_until=now + lease)
    )


def one_at_a_time(session: Session) -> None:
    """Let no two pollers claim at one moment, so that no two of them hold sources of one host."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('goniec poll'))"))


def begin(session: Session, held: Claim, *, now: datetime, shortest: timedelta) -> list[SourceDue]:
    """The sources of a claim; their next check is written now, before any request is made.

    It is as far ahead as the last one was: should we die with the answer in hand, the source still gets
    the rest that it asked for.
    """
    as_before = literal(now, DateTime(timezone=True)) + (Source.due_at - Source.last_checked_at)
    session.connection().execute(
        update(Source)
        .where(_among(held.rows), Source.claim_id == held.id)
        .values(due_at=func.greatest(literal(now + shortest, DateTime(timezone=True)), as_before))
    )
    return read(session, held.rows, now=now)


def read(session: Session, source_ids: Sequence[int], *, now: datetime) -> list[SourceDue]:
    """Sources that have an address, as they are asked and read."""
    rows = session.execute(
        select(Source.__table__).where(_among(source_ids), Source.address.is_not(None)).order_by(Source.id)
    )
    recent = {r.id: tuple(r.dates) for r in session.execute(_RECENT, {"ids": list(source_ids)})}
    told = source_hubs.trusted(session, list(source_ids), now=now)
    return [
        SourceDue(
            s.id, s.address or "", s.etag, s.last_modified, s.validators_url, s.body_hash, s.ladder,
            s.encoding, s.zone, s.language, s.errors, s.moved_to, s.moved_times, s.moved_since,
            s.first_read_at, s.last_checked_at, s.skew_s, recent[s.id], s.asked_s, s.kind, s.rules, s.memory,
            s.id in told, s.dialled,
        )
        for s in rows
    ]  # fmt: skip


def _among(ids: Sequence[int]) -> ColumnElement[bool]:
    """One parameter however many they are: a list of them would be taken apart in every statement."""
    return Source.id == any_(literal(list(ids), ARRAY(BigInteger)))


def readers(session: Session) -> int:
    """For how many people we come."""
    counted = select(func.count()).select_from(Subscriber).where(Subscriber.state == "active")
    return session.scalar(counted) or 0


def lately(session: Session, *, since: datetime) -> list[tuple[str, bool]]:
    """Addresses that were asked since then, and whether anybody answered."""
    asked = select(Source.address, Source.last_status.is_not(None))
    asked = asked.where(Source.last_checked_at >= since, Source.address.is_not(None))
    return [(address or "", answered) for address, answered in session.execute(asked)]


def hosts_at(session: Session, address: str, *, at_most: int) -> list[str]:
    """The hosts whose last answer came from an address; one more than `at_most` where there are more."""
    found = select(Source.host).where(Source.dialled == address, Source.host.is_not(None)).distinct()
    return [host or "" for host in session.scalars(found.limit(at_most + 1))]


def put_off(session: Session, held: Claim, ids: Sequence[int], *, until: datetime) -> None:
    """Another time for sources of a claim that were not asked after all."""
    session.execute(update(Source).where(Source.id.in_(ids), Source.claim_id == held.id).values(due_at=until))


@dataclass(frozen=True, slots=True)
class Rest:
    """A site that is to be left alone until then: all hosts under a registered name. So are, for a shorter
    time, the other `hosts` of its machine."""

    site: str
    until: datetime
    hosts: tuple[str, ...] = ()
    hosts_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What one check came to: columns of the source to be set, and the line of its history."""

    source_id: int
    outcome: str
    status: int | None
    took_ms: int
    size: int
    published: int
    revised: int
    detail: str | None
    columns: Mapping[str, Any]
    rest: Rest | None = None
    hub: Named | None = None


def finish_all(session: Session, held: Claim, visits: Sequence[Visit], *, now: datetime) -> set[int]:
    """Record checks, and let their sources wait for the next; those sources that this claim still held.

    A rest that one of them asks for is for all before it too.
    """
    plain = [visit for visit in visits if _is_plain(visit)]
    kept = _finish_plain(session, held, plain, now=now) if plain else set()
    others = [visit for visit in visits if not _is_plain(visit)]
    return kept | {visit.source_id for visit in others if finish(session, held, visit, now=now)}


def finish(session: Session, held: Claim, visit: Visit, *, now: datetime) -> bool:
    """Record a check of a source that this claim still holds, and let it wait for the next."""
    connection = session.connection()
    kept = connection.scalar(
        update(Source)
        .where(Source.id == visit.source_id, Source.claim_id == held.id)
        .values(
            {"state": "pending", **visit.columns, "claim_id": None, "lease_until": None,
             "last_checked_at": now, "last_status": visit.status}
        )
        .returning(Source.id)
    )  # fmt: skip
    if kept is None:
        return False
    if visit.rest is not None:
        _leave_alone(session, visit.rest)
    if visit.hub is not None:
        source_hubs.note(session, visit.source_id, visit.hub, now=now)
    _write_line(session, visit, now=now)
    return True


def told(session: Session, visit: Visit, *, now: datetime) -> None:
    """Record what a hub told of a source; its next check stays as it is."""
    newest = visit.columns.get("last_entry_at")
    if newest is not None:
        later = func.greatest(Source.last_entry_at, newest)
        session.execute(update(Source).where(Source.id == visit.source_id).values(last_entry_at=later))
    _write_line(session, visit, now=now)


def _write_line(session: Session, visit: Visit, *, now: datetime) -> None:
    session.connection().execute(
        insert(Fetch).values(
            source_id=visit.source_id, at=now, outcome=visit.outcome, status=visit.status,
            took_ms=visit.took_ms, bytes=visit.size, published=visit.published, revised=visit.revised,
            detail=visit.detail,
        )
    )  # fmt: skip


_UNCHANGED = text("""
    WITH done AS (UPDATE sources s SET state = 'pending', claim_id = NULL, lease_until = NULL,
        last_checked_at = :now, last_status = v.status, due_at = v.due_at, errors = 0, last_error = NULL,
        validators_url = v.url, etag = v.etag, last_modified = v.last_modified, dialled = v.dialled,
        moved_to = v.moved_to, moved_times = v.moved_times, moved_since = v.moved_since
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:status AS bigint[]), CAST(:due_at AS timestamptz[]),
        CAST(:validators_url AS text[]), CAST(:etag AS text[]), CAST(:last_modified AS text[]),
        CAST(:moved_to AS text[]), CAST(:moved_times AS bigint[]), CAST(:moved_since AS timestamptz[]),
        CAST(:dialled AS text[]), CAST(:took_ms AS bigint[])
    ) AS v (
        id, status, due_at, url, etag, last_modified, moved_to, moved_times, moved_since, dialled, took_ms
    )
    WHERE s.id = v.id AND s.claim_id = :claim
    RETURNING s.id, v.status, v.took_ms)
    INSERT INTO fetches (source_id, at, outcome, status, took_ms)
    SELECT id, :now, 'unchanged', status, took_ms FROM done ORDER BY id RETURNING source_id
""")
_OF_UNCHANGED = (
    "due_at", "validators_url", "etag", "last_modified", "moved_to", "moved_times", "moved_since", "dialled",
)  # fmt: skip


def _is_plain(visit: Visit) -> bool:
    """Whether a visit found nothing new and changes nothing but the usual columns."""
    usual = {*_OF_UNCHANGED, "errors", "last_error"}
    return (
        visit.outcome == "unchanged"
        and visit.detail is None
        and visit.rest is None
        and visit.columns.keys() == usual
    )


def _finish_plain(session: Session, held: Claim, visits: Sequence[Visit], *, now: datetime) -> set[int]:
    """Record many plain visits at once; the sources that this claim still held."""
    by_id = {visit.source_id: visit for visit in visits}
    columns = {name: [v.columns[name] for v in by_id.values()] for name in _OF_UNCHANGED}
    told = {"status": [v.status for v in by_id.values()], "took_ms": [v.took_ms for v in by_id.values()]}
    given = {"id": list(by_id), "now": now, "claim": held.id, **columns, **told}
    return set(session.scalars(_UNCHANGED, given))


def _leave_alone(session: Session, rest: Rest) -> None:
    host = func.split_part(Source.host, ":", 1)
    its_own = or_(
        Source.host == rest.site, host == rest.site, host.endswith("." + rest.site, autoescape=True)
    )
    session.execute(update(Source).where(its_own, Source.due_at < rest.until).values(due_at=rest.until))
    if rest.hosts:
        until = rest.hosts_until or rest.until
        near = Source.host.in_(rest.hosts)
        session.execute(update(Source).where(near, Source.due_at < until).values(due_at=until))


def forget_visits(session: Session, before: datetime) -> int:
    """Remove the history of checks older than a time; returns how many lines went."""
    return len(session.execute(delete(Fetch).where(Fetch.at < before).returning(Fetch.id)).all())
