"""Leaving by one click (RFC 8058): GET shows a button and changes nothing, POST does it, always with 200.

Needs no session and never redirects, because mail programs follow none. A wrong link is a page with 404.
"""

from fastapi import APIRouter, Response

from services.errors import BadInput, NotFound
from services.pipeline import feedback
from services.pipeline.feedback import Left
from services.web.visits import Here, Visit

router = APIRouter(include_in_schema=False)


@router.get("/u/{token}")
def ask(here: Here, token: str) -> Response:
    """What would end, and the button."""
    try:
        return _page(here, feedback.look(here.rt, token))
    except BadInput as exc:
        raise NotFound(exc.message) from exc


@router.post("/u/{token}")
def leave(here: Here, token: str) -> Response:
    """End it. The body (`List-Unsubscribe=One-Click`, or a form's) adds nothing: the link says all."""
    try:
        return _page(here, feedback.unsubscribe(here.rt, token))
    except BadInput as exc:
        raise NotFound(exc.message) from exc


def _page(here: Visit, left: Left) -> Response:
    said = {"is_done": left.is_done, "kind": left.kind, "label": left.label, "manage_url": None}
    return here.show("unsubscribe", said, private=True)
