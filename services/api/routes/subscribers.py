"""Signing up. Says the same whatever the address, and sends nothing but a letter that asks to confirm."""

from fastapi import APIRouter

from services.api.answers import Asked
from services.api.deps import Json, Rt
from services.api.described import told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import SignUpIn
from services.errors import BadInput, TooLarge
from services.manage import subscribers
from services.manage.subscriptions import Wish

router = APIRouter(tags=["subscribers"])


@router.post(
    "/v1/subscribers",
    status_code=202,
    response_model=Asked,
    dependencies=[Json],
    responses=told(Malformed, TooLarge, UnsupportedMediaType, BadInput),
)
def sign_up(rt: Rt, wanted: SignUpIn) -> Asked:
    """Ask for mail (double opt-in). The person confirms by the letter that comes to the address."""
    subscribers.sign_up(
        rt,
        email=wanted.email,
        interests=[Wish(one.query, one.label, one.cadence) for one in wanted.interests],
        locale=wanted.locale,
        timezone=wanted.timezone,
        commercial=wanted.commercial,
        via="api",
    )
    return Asked(
        detail="If mail may be sent to this address, a letter that asks for confirmation is on its way."
    )
