"""A person's own subscriptions, by the token of their preferences' link."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from services.api.answers import Subscription, Subscriptions
from services.api.deps import Json, Person, Rt
from services.api.described import leads_to, told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import SubscriptionPatch, WishIn
from services.api.texts import MAX_ID
from services.errors import BadInput, Conflict, Forbidden, NotFound, TooLarge, Unauthorized
from services.manage import subscriptions
from services.manage.subscriptions import SubscriptionView, Wish

router = APIRouter(tags=["subscriptions"])
KEYED = (Unauthorized, Forbidden)
BODY = (Malformed, TooLarge, UnsupportedMediaType, BadInput)
One = Annotated[int, Path(ge=1, le=MAX_ID)]


@router.get("/v1/subscriptions", response_model=Subscriptions, responses=told(*KEYED))
def list_subscriptions(rt: Rt, person: Person) -> Any:
    """One's own subscriptions, oldest first."""
    return {"items": subscriptions.list_for(rt, person)}


@router.post(
    "/v1/subscriptions",
    status_code=201,
    response_model=Subscription,
    dependencies=[Json],
    responses={
        **leads_to(
            "subscription",
            show_subscription="id",
            change_subscription="id",
            remove_subscription="id",
        ),
        **told(*BODY, *KEYED, Conflict),
    },
)
def add_subscription(rt: Rt, person: Person, wish: WishIn) -> Any:
    """One more interest."""
    return subscriptions.add(rt, person, Wish(wish.query, wish.label, wish.cadence))


@router.get(
    "/v1/subscriptions/{subscription}",
    response_model=Subscription,
    responses=told(*KEYED, NotFound, BadInput),
)
def show_subscription(rt: Rt, person: Person, subscription: One) -> SubscriptionView:
    """One of one's own subscriptions."""
    for one in subscriptions.list_for(rt, person):
        if one.id == subscription:
            return one
    raise NotFound("There is no such subscription.")


@router.patch(
    "/v1/subscriptions/{subscription}",
    response_model=Subscription,
    dependencies=[Json],
    responses=told(*BODY, *KEYED, NotFound, Conflict),
)
def change_subscription(rt: Rt, person: Person, subscription: One, patch: SubscriptionPatch) -> Any:
    """Change what is given: query, label, cadence, pause."""
    paused_until: Any = patch.paused_until if "paused_until" in patch.model_fields_set else "keep"
    if patch.paused_until is not None and patch.paused_until <= rt.clock.now():
        paused_until = None
    return subscriptions.change(
        rt,
        person,
        subscription,
        label=patch.label,
        cadence=patch.cadence,
        query=patch.query,
        paused_until=paused_until,
    )


@router.delete(
    "/v1/subscriptions/{subscription}", status_code=204, responses=told(*KEYED, NotFound, BadInput)
)
def remove_subscription(rt: Rt, person: Person, subscription: One) -> None:
    """End one subscription."""
    subscriptions.remove(rt, person, subscription)
