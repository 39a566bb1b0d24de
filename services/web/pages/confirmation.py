"""The link in the first letter: a page with a button, and what the button does. GET changes nothing,
because mail programs and scanners follow links before people do."""

from fastapi import APIRouter, Response

from services.domain import links
from services.manage import subscribers
from services.web.visits import Here, Sent

router = APIRouter()


@router.get("/confirm/{token}")
def ask(here: Here, token: str) -> Response:
    """What was asked for, and the button."""
    labels = subscribers.look_at_confirmation(here.rt, token)
    return here.show("confirm", {"labels": labels}, private=True)


@router.post("/confirm/{token}")
def confirm(here: Here, _: Sent, token: str) -> Response:
    """From now on notices come."""
    person = subscribers.confirm(here.rt, token)
    manage_url = f"/manage/{links.manage_token(here.rt.settings.secret_key, person.id)}"
    return here.show("confirmed", {"manage_url": manage_url, "person": person}, private=True)
