"""Sending to an endpoint again: a job that is begun, watched and cancelled; or one delivery."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from services.api.answers import Told
from services.api.deps import Consumer, Json, Rt
from services.api.described import told
from services.api.routes.endpoints import CHANGED, KEYED, ONE, Uid
from services.api.schemas import Sent
from services.api.texts import Time
from services.errors import BadInput, Conflict, NotFound
from services.manage import replays
from services.manage.replays import ReplayView

router = APIRouter(tags=["endpoints"])
ReplayId = Annotated[UUID, Path(alias="replay", description="The replay's id.")]
DeliveryId = Annotated[
    str, Path(alias="delivery", pattern="^msg_[0-9a-f]{32}$", description="Its webhook-id: `msg_…`.")
]
BUSY = told(Conflict)


class ReplayIn(Sent):
    """Which events are to go to the endpoint again."""

    since: Annotated[Time, Field(description="From this time on; at most 30 days ago, whatever is said.")]
    until: Annotated[
        Time | None, Field(description="Up to this time, not before `since`; now, when it is left out.")
    ] = None
    what: Annotated[
        Literal["failed", "all"],
        Field(description="What was given up in that time, or all that meets the query."),
    ] = "all"
    of: Annotated[
        UUID | None,
        Field(description="Another endpoint of yours: its events go here. This one's own, when left out."),
    ] = None
    max_per_s: Annotated[
        float,
        Field(ge=replays.MIN_PER_S, le=replays.MAX_PER_S, description="Events a second at most."),
    ] = replays.DEFAULT_PER_S


class Replay(Told):
    """A replay and how far it is. `total` stands once `state` is no longer gathering; `done` of it have been
    called (sent, retrying, failed) or were on their way already; `left` are to come."""

    id: Annotated[str, Field(validation_alias="uid")]
    endpoint: str
    what: str
    since: datetime
    until: datetime
    max_per_s: float
    state: Annotated[str, Field(description="gathering, running, done, cancelled or failed")]
    waits_for: Annotated[str | None, Field(description="What holds it up now, if anything.")]
    total: int
    done: int
    sent: int
    retrying: int
    failed: int
    already: int
    left: int
    per_s: Annotated[float | None, Field(description="Its rate so far.")]
    eta_s: Annotated[int | None, Field(description="Seconds that it still needs, at that rate.")]
    created_at: datetime
    finished_at: datetime | None


class Replays(Told):
    items: list[Replay]
    next: None = None


@router.post(
    "/v1/endpoints/{endpoint}/replays",
    status_code=202,
    response_model=Replay,
    dependencies=[Json],
    responses={**CHANGED, **BUSY},
)
def start_replay(rt: Rt, consumer: Consumer, uid: Uid, wanted: ReplayIn) -> ReplayView:
    """Begin to send again what the endpoint asks for, or what was given up. It goes on by itself, behind
    fresh events; an endpoint has one replay at a time. A span that reaches past the last thirty days, or past
    now, is cut."""
    now = rt.clock.now()
    since = min(max(wanted.since, now - replays.MAX_REPLAY), now)
    return replays.start(
        rt,
        consumer,
        str(uid),
        since=since,
        until=max(wanted.until, since) if wanted.until else None,
        what=wanted.what,
        of=str(wanted.of) if wanted.of else None,
        max_per_s=wanted.max_per_s,
    )


@router.get("/v1/endpoints/{endpoint}/replays", response_model=Replays, responses=ONE)
def list_replays(rt: Rt, consumer: Consumer, uid: Uid) -> Any:
    """The endpoint's latest replays, the newest first."""
    return {"items": replays.list_for(rt, consumer, str(uid))}


@router.get("/v1/endpoints/{endpoint}/replays/{replay}", response_model=Replay, responses=ONE)
def show_replay(rt: Rt, consumer: Consumer, uid: Uid, replay: ReplayId) -> ReplayView:
    """How far a replay is."""
    return replays.show(rt, consumer, str(uid), str(replay))


@router.delete("/v1/endpoints/{endpoint}/replays/{replay}", response_model=Replay, responses=ONE)
def cancel_replay(rt: Rt, consumer: Consumer, uid: Uid, replay: ReplayId) -> ReplayView:
    """End a replay. What it has put on its way still arrives."""
    return replays.cancel(rt, consumer, str(uid), str(replay))


@router.post(
    "/v1/endpoints/{endpoint}/deliveries/{delivery}/resend",
    status_code=204,
    responses={**told(*KEYED, NotFound, BadInput), **BUSY},
)
def resend_delivery(rt: Rt, consumer: Consumer, uid: Uid, delivery: DeliveryId) -> None:
    """Send one delivery again now, under the webhook-id that it had."""
    replays.resend(rt, consumer, str(uid), delivery)
