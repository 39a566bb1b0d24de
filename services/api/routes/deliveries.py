"""Why something was delivered, or was not: told to the operator and to whom it concerns."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.answers import Why
from services.api.deps import Holder, Rt
from services.api.errors import told
from services.api.texts import MAX_ID
from services.errors import BadInput, Forbidden, NotFound, Unauthorized
from services.manage import endpoints, notices, why
from services.manage.accounts import Principal
from services.runtime import Runtime

router = APIRouter(tags=["deliveries"])


@router.get(
    "/v1/deliveries/why", response_model=Why, responses=told(Unauthorized, Forbidden, NotFound, BadInput)
)
def explain(
    rt: Rt,
    holder: Holder,
    notice: Annotated[int, Query(ge=1, le=MAX_ID, description="The notice's id.")],
    recipient: Annotated[
        str,
        Query(
            min_length=3,
            max_length=254,
            pattern=r"^[^\x00]*$",
            description="An e-mail address, or the id of an endpoint.",
        ),
    ],
) -> Any:
    """Each step on the way of a notice to a recipient, and where it ended.

    For the operator; an institution asks about its own notices, a consumer about its own endpoints.
    """
    _allow(rt, holder, notice=notice, recipient=recipient)
    return why.why(rt, notice_id=notice, recipient=recipient)


def _allow(rt: Runtime, holder: Principal, *, notice: int, recipient: str) -> None:
    if holder.scope == "operator":
        return
    if holder.scope == "consumer":
        endpoints.show(rt, holder, recipient)
    elif notices.get(rt, notice)["institution"]["slug"] != holder.institution_slug:
        raise Forbidden("An institution asks about its own notices.")
