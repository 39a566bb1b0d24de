"""Pages that say who we are: the same for everybody, made from settings alone."""

from fastapi import APIRouter, Response

from services.web.visits import Here

router = APIRouter()


@router.get("/about")
def about(here: Here) -> Response:
    """The operator, privacy in plain words, the declaration of accessibility."""
    return here.show("about")


@router.get("/bot")
def bot(here: Here) -> Response:
    """For those who find our name in their logs."""
    return here.show("bot")
