"""Readings that wait for the operator: what they would publish, and two buttons. The link is the right."""

from fastapi import APIRouter, Response

from services.domain import links, tokens
from services.errors import BadInput
from services.pipeline import quarantine
from services.web.guards import Form
from services.web.visits import Here, Sent, Visit

router = APIRouter()
SHOWN = 5


@router.get("/held/{token}")
def waiting(here: Here, token: str) -> Response:
    """Every open batch with its reason and its first notices."""
    _believed(here, token)
    return _shown(here)


@router.post("/held/{token}")
def decide(here: Here, sent: Sent, token: str) -> Response:
    """Release or drop one batch."""
    _believed(here, token)
    held_id, way = _asked(sent)
    if way == "release":
        quarantine.release(here.rt, held_id, by="page")
    else:
        quarantine.drop(here.rt, held_id, by="page")
    return here.go(f"/held/{token}?done={way}")


def _asked(sent: Form) -> tuple[int, str]:
    number, way = sent.one("id"), sent.one("way")
    if not (number.isascii() and number.isdigit() and len(number) < 19) or way not in ("release", "drop"):
        raise BadInput("Choose one of the buttons of this page.")
    return int(number), way


def _believed(here: Visit, token: str) -> None:
    tokens.read(here.rt.settings.secret_key, links.HELD, token, here.rt.clock.now())


def _shown(here: Visit) -> Response:
    batches = quarantine.open_batches(here.rt)
    context = {"batches": batches, "shown": SHOWN, "done": here.asked.one("done")}
    return here.show("held", context, private=True)
