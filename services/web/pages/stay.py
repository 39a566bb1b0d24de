"""The answer to “do you still want these letters?”: a page with a button. GET changes nothing, because mail
scanners follow links, and a scanner must keep nobody on a list."""

from fastapi import APIRouter, Response

from services.domain import links
from services.manage import silence
from services.web.visits import Here, Sent

router = APIRouter()


@router.get("/stay/{token}")
def ask(here: Here, token: str) -> Response:
    """What the person gets, the button, and the ways to less or to nothing."""
    person = silence.look(here.rt, token)
    context = {
        "is_here": person.state == "active",
        "stays": here.asked.one("told") == "stays",
        "labels": [one.label for one in person.subscriptions],
        "manage_url": f"/manage/{links.manage_token(here.rt.settings.secret_key, person.id)}",
    }
    return here.show("stay", context, private=True)


@router.post("/stay/{token}")
def stay(here: Here, _: Sent, token: str) -> Response:
    """The letters keep coming."""
    told = "?told=stays" if silence.stay(here.rt, token) else ""
    return here.go(f"/stay/{token}{told}")
