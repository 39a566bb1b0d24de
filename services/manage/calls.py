"""What went to webhook endpoints: deliveries with their attempts, and a test."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.channels.base import OutcomeKind
from services.channels.webhook import Call, WebhookChannel
from services.domain import event_types, events, faults, rotation
from services.manage.endpoints import Owner, need
from services.manage.pages import Page, number_cursor
from services.runtime import Runtime
from services.storage import endpoints as store
from services.storage.tables import Attempt, Delivery, Event


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try. `phases` are in milliseconds; `fault` is ours, theirs or the network's, and `words` say
    what to look at. `answer` is the beginning of a stranger's text: show it, never follow it."""

    number: int
    at: datetime
    took_ms: int
    outcome: str
    status: int | None
    detail: str
    phases: dict[str, float] | None
    address: str | None
    fault: str | None
    words: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One event on its way to the endpoint, or a digest of several, which names none. `id` is what the
    receiver saw as webhook-id; an event that came in a digest was seen under that one's."""

    id: str
    event: str | None
    type: str
    notice_id: int | None
    state: str
    detail: str | None
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What the endpoint answered to a signed test event."""

    __test__ = False  # not a test of pytest's

    is_ok: bool
    outcome: str
    status: int | None
    detail: str
    took_ms: int


def test(rt: Runtime, owner: Owner, uid: str) -> TestOutcome:
    """Send one signed event of the type `pl.goniec.test.v1` now, in the endpoint's format, and tell what was
    answered. Raises RateLimited while very many wait for such calls."""
    now = rt.clock.now()
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        url, kept, shape = row.url, row.secrets, row.format
    event = {
        "specversion": "1.0", "id": str(uuid.uuid4()), "type": event_types.TEST,
        "source": rt.settings.base_url, "time": events.rfc3339(now), "datacontenttype": "application/json",
        "dataschema": event_types.schema_url(rt.settings.base_url, event_types.TEST),
        "data": {"message": "This is a test of Goniec. No notice stands behind it."},
    }  # fmt: skip
    content_type, headers, body = events.told_as(shape, event)
    call = Call(
        delivery_id=f"msg_test_{uuid.uuid4().hex}", url=url, event_type=str(event["type"]), timestamp=now,
        secrets=rotation.valid_secrets(rt.settings.secret_key, kept, now), body=body,
        content_type=content_type, headers=headers,
    )  # fmt: skip
    with rt.room_to_wait():
        _, outcome = next(iter(WebhookChannel(rt.http).send([call])))
    is_ok = outcome.state == OutcomeKind.SENT
    return TestOutcome(is_ok, str(outcome.state), outcome.status, outcome.detail, round(outcome.took_ms))


def deliveries(
    rt: Runtime, owner: Owner, uid: str, *, after: str | None = None, limit: int = 50
) -> Page[DeliveryView]:
    """What went to an endpoint, newest first, with every attempt; `after` is the last page's `next`."""
    before = number_cursor(after)
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        found = store.deliveries(session, row.id, before=before, limit=limit + 1)
    items = [delivery_view(*one) for one in found[:limit]]
    return Page(items, str(found[limit - 1][0].id) if len(found) > limit else None)


def delivery_view(row: Delivery, event: Event | None, attempts: Sequence[Attempt]) -> DeliveryView:
    tries = [_attempt(one) for one in attempts]
    return DeliveryView(
        id=f"msg_{row.uid.hex}", event=str(event.uid) if event else None,
        type=events.event_type(event.type) if event else events.DIGEST,
        notice_id=event.notice_id if event else None, state=row.state, detail=row.detail, due_at=row.due_at,
        created_at=row.created_at, finished_at=row.finished_at, attempts=tuple(tries),
    )  # fmt: skip


def _attempt(row: Attempt) -> AttemptView:
    return AttemptView(
        row.number, row.at, row.took_ms, row.outcome, row.status, row.detail, row.phases, row.address,
        row.fault, faults.words(row.fault, row.kind or "", row.status), row.answer,
    )  # fmt: skip
