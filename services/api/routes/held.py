"""Readings that wait because they are unlike their source, for the operator: seen, released, dropped."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from services.api.answers import Told
from services.api.deps import Operator, Rt
from services.api.described import told
from services.api.texts import MAX_ID
from services.errors import BadInput, Conflict, Forbidden, NotFound, Unauthorized
from services.pipeline import quarantine
from services.pipeline.quarantine import HeldRow

router = APIRouter(tags=["held"])
KEYED = (Unauthorized, Forbidden)
HeldId = Annotated[int, Path(alias="held", ge=1, le=MAX_ID, description="The reading's id.")]


class HeldEntry(Told):
    """An entry that nobody gets before it is released."""

    key: str
    title: str
    url: str | None
    published_at: datetime | None


class HeldReading(Told):
    """What a source said that is unlike it."""

    id: int
    source: Annotated[int, Field(description="The source's id.")]
    institution: str
    address: str | None
    at: Annotated[datetime, Field(description="Since when it waits.")]
    reason: Literal["churn", "flood", "future", "empty", "language"]
    entries: list[HeldEntry]


class HeldReadings(Told):
    items: list[HeldReading]
    next: None = None


class Decided(Told):
    """How many notices a decision published, or how many entries it dropped for good."""

    id: int
    published: int
    dropped: int


@router.get("/v1/held", response_model=HeldReadings, responses=told(*KEYED))
def list_held(rt: Rt, _: Operator) -> Any:
    """What waits for a decision, the longest waiting first."""
    return {"items": [_shown(one) for one in quarantine.open_batches(rt)]}


@router.post(
    "/v1/held/{held}/release", response_model=Decided, responses=told(*KEYED, NotFound, Conflict, BadInput)
)
def release_held(rt: Rt, who: Operator, held: HeldId) -> Any:
    """Publish it. Killed half-way, it may be released again; decided already, it is a conflict."""
    return {"id": held, "published": quarantine.release(rt, held, by=who.actor), "dropped": 0}


@router.post(
    "/v1/held/{held}/drop", response_model=Decided, responses=told(*KEYED, NotFound, Conflict, BadInput)
)
def drop_held(rt: Rt, who: Operator, held: HeldId) -> Any:
    """Never publish it: its entries are known, and are left out when they come again."""
    return {"id": held, "published": 0, "dropped": quarantine.drop(rt, held, by=who.actor)}


def _shown(one: HeldRow) -> dict[str, object]:
    return {
        "id": one.id, "source": one.source_id, "institution": one.institution, "address": one.address,
        "at": one.at, "reason": one.reason, "entries": one.drafts,
    }  # fmt: skip
