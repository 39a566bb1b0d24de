"""Signing up, which says the same whatever the address and sends nothing but a letter that asks to confirm;
and one's own settings, by the token of one's preferences' link."""

from typing import Any

from fastapi import APIRouter

from services.api.answers import Asked
from services.api.deps import Json, Person, Rt
from services.api.described import told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.persons import Preferences, PreferencesPatch
from services.api.schemas import SignUpIn
from services.errors import BadInput, Forbidden, TooLarge, Unauthorized
from services.manage import preferences, subscribers
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


@router.get("/v1/subscribers/me", response_model=Preferences, responses=told(Unauthorized, Forbidden))
def show_preferences(rt: Rt, person: Person) -> Any:
    """When and how one's own letters come."""
    return preferences.show(rt, person)


@router.patch(
    "/v1/subscribers/me",
    response_model=Preferences,
    dependencies=[Json],
    responses=told(Malformed, TooLarge, UnsupportedMediaType, BadInput, Unauthorized, Forbidden),
)
def change_preferences(rt: Rt, person: Person, patch: PreferencesPatch) -> Any:
    """Change what is given: usual cadence, quiet hours, most stories in a day, pause, language, zone."""
    return preferences.change(rt, person, patch.model_dump(include=patch.model_fields_set))
