"""How well the sources are. Who publishes and whether it is read is for everybody; addresses, errors and the
history of visits are for the operator, whose link is the right. Nothing is changed here.
"""

from fastapi import APIRouter, Response

from services.domain import links, tokens
from services.domain.source_health import SourceState
from services.errors import NotFound
from services.manage import source_health
from services.manage.source_health import Ward
from services.web.visits import Here, Visit

router = APIRouter()
SHOWN = 300
TROUBLED = (SourceState.BROKEN, SourceState.STOPPED, SourceState.SILENT, SourceState.SHAKY)


@router.get("/sources")
def everybody(here: Here) -> Response:
    """Every source by name, with a word on its health."""
    return here.show("sources", _listed(here, own=None))


@router.get("/health/{token}")
def operator(here: Here, token: str) -> Response:
    """The same with addresses, each leading to its history."""
    _believed(here, token)
    return here.show("sources", _listed(here, own=f"/health/{token}"), private=True)


@router.get("/health/{token}/{source_id}")
def one(here: Here, token: str, source_id: int) -> Response:
    """One source: what is the matter, what to do, when it is asked next, and its last visits."""
    _believed(here, token)
    if not 0 < source_id < 2**63:
        raise NotFound("There is no such source.")
    ward, visits = source_health.one(here.rt, source_id)
    context = {"ward": ward, "visits": visits, "all": f"/health/{token}", "rhythm": _rhythm(ward)}
    return here.show("source_health", context, private=True)


def _believed(here: Visit, token: str) -> None:
    tokens.read(here.rt.settings.secret_key, links.HEALTH, token, here.rt.clock.now())


def _listed(here: Visit, *, own: str | None) -> dict[str, object]:
    wards = source_health.everything(here.rt)
    troubled = sum(ward.health.state in TROUBLED for ward in wards)
    return {"wards": wards[:SHOWN], "total": len(wards), "troubled": troubled, "own": own, "shown": SHOWN}


def _rhythm(ward: Ward) -> tuple[str, int] | None:
    """How often it speaks: so many hours, or so many days."""
    if ward.health.rhythm is None:
        return None
    hours = ward.health.rhythm.total_seconds() / 3_600
    return ("days", round(hours / 24)) if hours >= 48 else ("hours", max(1, round(hours)))
