"""What a person wants no more of, by the token of their preferences' link."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from services.api.answers import Mute, Mutes
from services.api.deps import Json, Person, Rt
from services.api.described import leads_to, told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import MuteIn
from services.api.texts import MAX_ID
from services.errors import BadInput, Forbidden, NotFound, TooLarge, Unauthorized
from services.manage import mutes
from services.manage.mutes import Unwanted

router = APIRouter(tags=["subscriptions"])
KEYED = (Unauthorized, Forbidden)


@router.get("/v1/mutes", response_model=Mutes, responses=told(*KEYED))
def list_mutes(rt: Rt, person: Person) -> Any:
    """What one has muted, oldest first."""
    return {"items": mutes.list_for(rt, person)}


@router.post(
    "/v1/mutes",
    status_code=201,
    response_model=Mute,
    dependencies=[Json],
    responses={
        **leads_to("mute", lift_mute="id"),
        **told(Malformed, TooLarge, UnsupportedMediaType, BadInput, NotFound, *KEYED),
    },
)
def add_mute(rt: Rt, person: Person, wanted: MuteIn) -> Any:
    """Less of this from now on; what waits for a letter because of it is left out too.

    The same once more changes how long it lasts.
    """
    return mutes.add(rt, person, Unwanted(wanted.kind, wanted.value, wanted.until))


@router.delete("/v1/mutes/{mute}", status_code=204, responses=told(*KEYED, NotFound, BadInput))
def lift_mute(rt: Rt, person: Person, mute: Annotated[int, Path(ge=1, le=MAX_ID)]) -> None:
    """Let it come again; what was kept away meanwhile is not sent later."""
    mutes.lift(rt, person, mute)
