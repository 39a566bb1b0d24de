"""Why something was delivered, or was not: told to the operator and to whom it concerns."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.answers import Why
from services.api.deps import Asker, Rt
from services.api.described import told
from services.api.texts import MAX_ID, Recipient
from services.errors import BadInput, Forbidden, NotFound, Unauthorized
from services.manage import endpoints, notices, why
from services.manage.accounts import Principal
from services.manage.subscribers import SubscriberView
from services.runtime import Runtime

router = APIRouter(tags=["deliveries"])


@router.get(
    "/v1/deliveries/why", response_model=Why, responses=told(Unauthorized, Forbidden, NotFound, BadInput)
)
def explain(
    rt: Rt,
    asker: Asker,
    notice: Annotated[int, Query(ge=1, le=MAX_ID, description="The notice's id.")],
    recipient: Annotated[Recipient, Query(description="An e-mail address, or the id of an endpoint.")],
) -> Any:
    """Each step on the way of a notice to a recipient, and where it ended.

    For the operator, and for whom it concerns: a person asks about their own address, a consumer about its
    own endpoints. An institution asks of its own notices how an endpoint got them, never about a person.
    """
    _allow(rt, asker, notice=notice, recipient=recipient)
    return why.why(rt, notice_id=notice, recipient=recipient)


def _allow(rt: Runtime, asker: Principal | SubscriberView, *, notice: int, recipient: str) -> None:
    if isinstance(asker, SubscriberView):
        if recipient.strip().lower() != asker.email:
            raise Forbidden("You can ask about your own address.")
    elif asker.scope == "consumer":
        endpoints.show(rt, asker, recipient)
    elif asker.scope == "institution":
        if "@" in recipient:
            raise Forbidden("What a person gets is theirs to know; ask about an endpoint.")
        if notices.get(rt, notice)["institution"]["slug"] != asker.institution_slug:
            raise Forbidden("An institution asks about its own notices.")
