"""Webhook endpoints: where a consumer's systems are told, signed with a secret that is shown once.

An endpoint is its owner's alone: to everybody else it does not exist.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from services.domain import cadence as cadences
from services.domain import events, rotation, signing
from services.domain.addresses import read_target
from services.domain.telling import CONTENTS
from services.errors import BadInput, Forbidden, NotFound
from services.manage import checks
from services.manage.accounts import Principal
from services.manage.subscriptions import retarget
from services.runtime import Runtime
from services.storage import audit
from services.storage import call_digests as digests
from services.storage import endpoints as store
from services.storage import institutions as owners
from services.storage import subscriptions as uses
from services.storage.tables import Endpoint, Subscription

SIGNATURES = ("v1", "v1a", "both")
FORMATS = ("standard", "cloudevents", "cloudevents-binary", "cloudevents-batch")
STATES = ("active", "paused")
INSTANT, ZONE = "instant", "Europe/Warsaw"
LET_GO_AFTER = timedelta(minutes=1)
MAX_ENDPOINTS = 1_000
MAX_OVERLAP_HOURS = 7 * 24
MIN_PER_S, MAX_PER_S = 0.001, 10_000
MAX_ATTEMPTS, MAX_WAIT_S = 20, 7 * 24 * 3600

Owner = Principal | str | None  # a principal, a consumer's name, or None for the operator at the console


@dataclass(frozen=True, slots=True)
class EndpointView:
    uid: str
    url: str
    label: str | None
    format: str
    content: str
    cadence: str
    timezone: str
    next_digest_at: datetime | None
    query: str
    canonical: str
    state: str
    state_because: str | None
    failures: int
    health: str
    failing_since: datetime | None
    max_per_s: float | None
    is_ordered: bool
    schedule_s: list[int] | None
    signatures: str
    public_keys: list[str]
    consent: str | None
    consent_because: str | None
    allowed_per_min: int | None
    consumer: str
    contact: str | None
    contact_confirmed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CreatedEndpoint:
    """A new endpoint, or one whose secret was rotated; `secret` is never shown again.

    It is empty when the endpoint is signed for by `v1a` alone: then the public keys are all that it needs.
    """

    endpoint: EndpointView
    secret: str


def add(
    rt: Runtime,
    owner: Owner,
    *,
    url: str,
    query: str,
    label: str | None = None,
    format: str = "standard",
    content: str = "fat",
    cadence: str = "instant",
    timezone: str = ZONE,
    signatures: str = "v1",
) -> CreatedEndpoint:
    """A new endpoint for events that meet `query`; with a cadence but `instant` they come in digests.

    Raises AddressRefused, QueryError, BadInput.
    """
    rule, zone = checks.cadence_text(cadence), checks.timezone(timezone)
    typed, canonical = checks.query(query)
    label = checks.one_line(label, "The label", limit=120) if label else None
    target = read_target(url)
    rt.http.check_address(target.url)
    fresh, now = _fresh(signatures), rt.clock.now()
    with rt.begin() as session:
        consumer_id, _ = _consumer(session, owner, now=now)
        if len(store.everything(session, consumer_id=consumer_id)) >= MAX_ENDPOINTS:
            raise BadInput(f"A consumer can have at most {MAX_ENDPOINTS} endpoints.")
        made = store.add(
            session, consumer_id=consumer_id, url=target.url, host=target.host, label=label,
            format=_format(format), content=_content(content), now=now,
            secrets=rotation.first(rt.settings.secret_key, *fresh),
        )  # fmt: skip
        interest_id = uses.intern(session, [canonical], now=now)[canonical]
        uses.add(
            session, interest_id=interest_id, owner={"endpoint_id": made.id}, query=typed,
            label=label or typed[:120], channel="webhook", cadence=rule, now=now,
        )  # fmt: skip
        if rule != INSTANT:
            _keep_window(session, made.id, rule, zone, now)
        session.flush()
        session.refresh(made)
        write_audit(session, owner, "endpoint.add", made, now)
        return CreatedEndpoint(_one(session, owner, str(made.uid), now), _shared(fresh))


def list_for(rt: Runtime, owner: Owner) -> list[EndpointView]:
    """An owner's endpoints, oldest first."""
    with rt.begin() as session:
        consumer_id = _owner_filter(session, owner)
        now = rt.clock.now()
        found = store.everything(session, consumer_id=consumer_id)
        return _views(session, found, now)


def show(rt: Runtime, owner: Owner, uid: str) -> EndpointView:
    with rt.begin() as session:
        return _one(session, owner, uid, rt.clock.now())


def patch(
    rt: Runtime, owner: Owner, uid: str, *, url: str | None = None, label: str | None = None,
    format: str | None = None, content: str | None = None, query: str | None = None,
    cadence: str | None = None, timezone: str | None = None, state: str | None = None,
    max_per_s: float | None = None, is_ordered: bool | None = None, schedule_s: Sequence[int] | None = None,
) -> EndpointView:  # fmt: skip
    """Change what is given. `state` is active or paused; activating clears the record of failures.

    `max_per_s` is the most calls a second (0: no limit), `is_ordered` sends each institution's events one
    after another, `schedule_s` are the seconds before each attempt (empty: the standard's own).
    """
    asked = checks.query(query) if query is not None else None
    name = checks.one_line(label, "The label", limit=120) if label is not None else None
    rule = checks.cadence_text(cadence) if cadence is not None else None
    zone = checks.timezone(timezone) if timezone is not None else None
    if state is not None and state not in STATES:
        raise BadInput("The state of an endpoint can be set to active or paused.", field="state")
    target = read_target(url) if url is not None else None
    if target is not None:
        rt.http.check_address(target.url)
    now = rt.clock.now()
    with rt.begin() as session:
        row, subscription, _, _ = need(session, owner, uid)
        if target is not None:
            row.url, row.host = target.url, target.host
        row.label = name or row.label
        row.format = _format(format) if format is not None else row.format
        row.content = _content(content) if content is not None else row.content
        _pace(row, max_per_s, schedule_s)
        row.is_ordered = row.is_ordered if is_ordered is None else is_ordered
        if asked is not None:
            retarget(session, subscription, *asked, now=now)
        if rule is not None or zone is not None:
            _rhythm(session, row, subscription, rule, zone, now)
        if state == "active":
            store.refresh(row)
        elif state == "paused":
            row.state, row.state_because = "paused", "paused by its owner"
        session.flush()
        write_audit(session, owner, "endpoint.change", row, now)
        view = _one(session, owner, uid, now)
    rt.bell.ring("deliver_webhook")
    return view


def _rhythm(
    session: Session,
    row: Endpoint,
    subscription: Subscription,
    rule: str | None,
    zone: str | None,
    now: datetime,
) -> None:
    """Another cadence or zone; what waits comes with the next digest, or at once when there are no more."""
    was = digests.rhythms(session, [row.id]).get(row.id)
    subscription.cadence = rule or subscription.cadence
    if was is not None or subscription.cadence != INSTANT:
        _keep_window(session, row.id, subscription.cadence, zone or (was.timezone if was else ZONE), now)


def _keep_window(session: Session, endpoint_id: int, rule: str, zone: str, now: datetime) -> None:
    """One that ends lets go what waits in a minute: what a matcher writes at this moment must not be left."""
    due_at = now + LET_GO_AFTER
    if rule != INSTANT:
        due_at = cadences.next_after(cadences.parse(rule), now, ZoneInfo(zone))
    digests.set_window(session, endpoint_id, cadence=rule, timezone=zone, due_at=due_at, now=now)


def _pace(row: Endpoint, max_per_s: float | None, schedule_s: Sequence[int] | None) -> None:
    if max_per_s is not None:
        if not 0 <= max_per_s <= MAX_PER_S:
            raise BadInput(f"Name a pace of {MIN_PER_S} to {MAX_PER_S} calls a second, or 0 for none.",
                           field="max_per_s")  # fmt: skip
        slowest = max(max_per_s, MIN_PER_S)
        row.max_per_s, row.paced_until = slowest if max_per_s else None, None
    if schedule_s is not None:
        if len(schedule_s) > MAX_ATTEMPTS or not all(0 <= wait <= MAX_WAIT_S for wait in schedule_s):
            raise BadInput(
                f"A schedule has at most {MAX_ATTEMPTS} waits of 0 to {MAX_WAIT_S} seconds.",
                field="schedule_s",
            )
        row.schedule_s = list(schedule_s) or None


def delete(rt: Runtime, owner: Owner, uid: str) -> None:
    """Take out an endpoint with its deliveries."""
    now = rt.clock.now()
    with rt.begin() as session:
        row, subscription, _, _ = need(session, owner, uid)
        uses.drop(session, [subscription.id])
        session.expunge(subscription)
        store.remove(session, row)
        write_audit(session, owner, "endpoint.delete", row, now)


def rotate(
    rt: Runtime, owner: Owner, uid: str, *, overlap_hours: int = 24, signatures: str | None = None
) -> CreatedEndpoint:
    """A new secret; the old ones sign along for `overlap_hours` (0 to 168), so that nothing is refused.

    With `signatures` the endpoint is signed for in another way from now on: v1, v1a or both.
    """
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise BadInput("The overlap of two secrets is from 0 to 168 hours.", field="overlap_hours")
    now = rt.clock.now()
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        fresh = _fresh(signatures or _signatures(row))
        until = now + timedelta(hours=overlap_hours)
        row.secrets = rotation.rotated(rt.settings.secret_key, row.secrets, *fresh, now=now, until=until)
        session.flush()
        write_audit(session, owner, "endpoint.rotate", row, now)
        return CreatedEndpoint(_one(session, owner, uid, now), _shared(fresh))


def public_keys(rt: Runtime, uid: str) -> list[str]:
    """The keys by which anybody can check what is sent to an endpoint (`whpk_…`), newest first.

    Of an endpoint that there is not, or that has none, it is an empty list: nobody learns which exist.
    """
    try:
        name = uuid.UUID(uid)
    except ValueError:
        return []
    with rt.begin() as session:
        found = store.by_uid(session, name, consumer_id=None)
        return rotation.public_keys(found[0].secrets, rt.clock.now()) if found else []


def _fresh(signatures: str) -> list[str]:
    if signatures not in SIGNATURES:
        raise BadInput(f"Signatures are one of: {', '.join(SIGNATURES)}.", field="signatures")
    shared = [] if signatures == "v1a" else [signing.new_secret()]
    return shared if signatures == "v1" else [*shared, signing.new_private_key()]


def _shared(fresh: Sequence[str]) -> str:
    return next((one for one in fresh if one.startswith(signing.SYMMETRIC)), "")


def _signatures(row: Endpoint) -> str:
    """How an endpoint is signed for, by its newest secrets (those that do not expire)."""
    newest = [one for one in row.secrets if one["expires_at"] is None]
    is_public = ["public" in one for one in newest]
    return "both" if len(set(is_public)) == 2 else "v1a" if any(is_public) else "v1"


def as_dict(view: EndpointView) -> dict[str, Any]:
    """An endpoint as JSON-ready values."""
    times = ("created_at", "failing_since", "next_digest_at", "contact_confirmed_at")
    told = asdict(view)
    return {**told, **{name: events.rfc3339(told[name]) if told[name] else None for name in times}}


def _consumer(session: Session, owner: Owner, *, now: datetime) -> tuple[int, str]:
    """Whose a new endpoint becomes."""
    if isinstance(owner, Principal):
        if owner.consumer_id is None:
            raise Forbidden("Endpoints belong to consumers; use a consumer's key.")
        return owner.consumer_id, owner.consumer_name or ""
    consumer = owners.ensure_consumer(session, owner or "operator", now=now)
    return consumer.id, consumer.name


def _owner_filter(session: Session, owner: Owner) -> int | None:
    """Whose endpoints are seen: a consumer's own, all for an operator, none (-1) for a stranger."""
    if isinstance(owner, Principal):
        if owner.scope == "operator":
            return None
        return owner.consumer_id if owner.consumer_id is not None else -1
    if owner is None:
        return None
    consumer = owners.consumer_by_name(session, owner)
    return consumer.id if consumer else -1


def need(session: Session, owner: Owner, uid: str) -> store.Listed:
    try:
        name = uuid.UUID(uid)
    except ValueError:
        name = uuid.UUID(int=0)
    found = store.by_uid(session, name, consumer_id=_owner_filter(session, owner))
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def _one(session: Session, owner: Owner, uid: str, now: datetime) -> EndpointView:
    return _views(session, [need(session, owner, uid)], now)[0]


def _views(session: Session, found: Sequence[store.Listed], now: datetime) -> list[EndpointView]:
    ids = [row[0].id for row in found]
    rhythms, contacts = digests.rhythms(session, ids), store.contacts(session, ids)
    return [_view(row, rhythms.get(row[0].id), contacts.get(row[0].id), now) for row in found]


def _view(
    row: store.Listed, rhythm: digests.Rhythm | None, contact: str | None, now: datetime
) -> EndpointView:
    endpoint, subscription, canonical, consumer = row
    is_digest = rhythm is not None and subscription.cadence != INSTANT
    return EndpointView(
        uid=str(endpoint.uid), url=endpoint.url, label=endpoint.label, format=endpoint.format,
        content=endpoint.content, cadence=subscription.cadence,
        timezone=rhythm.timezone if rhythm else ZONE,
        next_digest_at=rhythm.due_at if rhythm and is_digest else None,
        query=subscription.query, canonical=canonical, state=endpoint.state,
        state_because=endpoint.state_because, failures=endpoint.failures, health=endpoint.health,
        failing_since=endpoint.failing_since, max_per_s=endpoint.max_per_s, is_ordered=endpoint.is_ordered,
        schedule_s=endpoint.schedule_s, signatures=_signatures(endpoint),
        public_keys=rotation.public_keys(endpoint.secrets, now), consumer=consumer,
        consent=endpoint.consent, consent_because=endpoint.consent_because,
        allowed_per_min=endpoint.allowed_per_min, contact=contact,
        contact_confirmed_at=endpoint.contact_confirmed_at, created_at=endpoint.created_at,
    )  # fmt: skip


def _format(text: str) -> str:
    if text not in FORMATS:
        raise BadInput(f"“{text[:40]}” is no format; use one of: {', '.join(FORMATS)}.", field="format")
    return text


def _content(text: str) -> str:
    if text not in CONTENTS:
        raise BadInput(f"“{text[:40]}” is no content; use one of: {', '.join(CONTENTS)}.", field="content")
    return text


def write_audit(session: Session, owner: Owner, action: str, row: Endpoint, now: datetime) -> None:
    actor = owner.actor if isinstance(owner, Principal) else "operator"
    audit.write_line(session, at=now, actor=actor, action=action, target=str(row.uid))
