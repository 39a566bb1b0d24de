"""An endpoint's deliveries as its owner looks through them, and one of them with all that is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain import events
from services.errors import BadInput
from services.manage.calls import AttemptView, DeliveryView, delivery_view
from services.manage.endpoints import Owner, need
from services.manage.pages import Page, number_cursor
from services.manage.replays import need_delivery
from services.pipeline.calls import call
from services.runtime import Runtime
from services.storage import call_log as store
from services.storage import deliveries as made
from services.storage.call_log import Sought
from services.storage.tables import Attempt, Event

STATES = ("pending", "sending", "sent", "retry", "failed", "suppressed", "uncertain", "waiting")
TYPES = ("published", "revised", "withdrawn", "reminder", "digest")
MAX_WORDS = 200
MAX_SHOWN = 20_000  # characters of a body
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    id: str
    title: str | None
    type: str
    state: str
    detail: str | None
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SentCall:
    """What is sent at every attempt; timestamp and signature are each attempt's own, and are not kept."""

    headers: tuple[tuple[str, str], ...]
    body: str
    length: int  # bytes
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """A delivery with its attempts, and what was sent, once it was."""

    delivery: DeliveryView
    title: str | None
    attempts: tuple[AttemptView, ...]
    sent: SentCall | None


def find(
    rt: Runtime, owner: Owner, uid: str, *, state: str | None = None, type: str | None = None,
    since: datetime | None = None, until: datetime | None = None, words: str | None = None,
    after: str | None = None, limit: int = 30,
) -> Page[Entry]:  # fmt: skip
    """An endpoint's deliveries that fit, newest first; `after` is the last page's `next`."""
    if state is not None and state not in STATES:
        raise BadInput(f"States are: {', '.join(STATES)}.", field="state")
    if type is not None and type not in TYPES:
        raise BadInput(f"Types are: {', '.join(TYPES)}.", field="type")
    before = number_cursor(after)
    sought = Sought(state, type, since, until, words[:MAX_WORDS] if words else None)
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        found = store.find(session, row.id, sought, before=before, limit=limit + 1)
        items = [
            Entry(
                f"msg_{one.uid.hex}", _title(event),
                events.event_type(event.type) if event else events.DIGEST, one.state, one.detail,
                one.attempts, one.created_at,
            )
            for one, event in found[:limit]
        ]  # fmt: skip
        return Page(items, str(found[limit - 1][0].id) if len(found) > limit else None)


def counts(rt: Runtime, owner: Owner, uid: str) -> dict[str, int]:
    """{state: how many} of the last seven days."""
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        return dict(store.states(session, row.id, rt.clock.now() - LATELY))


def show(rt: Runtime, owner: Owner, uid: str, delivery: str) -> Whole:
    """One delivery with every attempt. Raises NotFound."""
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        found = need_delivery(session, row.id, delivery)
        event = store.event_of(session, found)
        tries: Sequence[Attempt] = store.tries(session, found.id)
        due = made.call_made(session, found.id)
        view = delivery_view(found, event, tries)
    return Whole(view, _title(event), view.attempts, _sent(rt, due) if due else None)


def _sent(rt: Runtime, due: made.CallDue) -> SentCall:
    told = call(rt, due)
    text = told.body.decode("utf-8", "replace")
    headers = (("content-type", told.content_type), ("webhook-id", told.delivery_id), *told.headers)
    return SentCall(headers, text[:MAX_SHOWN], len(told.body), len(text) > MAX_SHOWN)


def _title(event: Event | None) -> str | None:
    return str(event.snapshot.get("title") or "") or None if event else None
