"""The ledger: what became of every candidate, per notice and per round of composing."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from services.api.answers import NoticeLedger, Runs
from services.api.deps import AfterRow, Asker, Limit, Operator, Rt
from services.api.described import told
from services.api.texts import MAX_ID
from services.errors import BadInput, Forbidden, NotFound, Unauthorized
from services.manage import ledger, notices
from services.manage.accounts import Principal

router = APIRouter(tags=["ledger"])


@router.get(
    "/v1/ledger/notices/{notice}",
    response_model=NoticeLedger,
    responses=told(Unauthorized, Forbidden, NotFound, BadInput),
)
def notice_ledger(rt: Rt, asker: Asker, notice: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Any:
    """For each event of a notice: candidates = delivered + excluded (by reason) + what is still open.

    For the operator, and for the institution whose notice it is.
    """
    found = ledger.of_notice(rt, notice)
    if not isinstance(asker, Principal) or asker.scope == "consumer":
        raise Forbidden("The ledger is for the operator and for the notice's institution.")
    own = notices.get(rt, notice)["institution"]["slug"] == asker.institution_slug
    if asker.scope == "institution" and not own:
        raise Forbidden("An institution asks about its own notices.")
    return found


@router.get("/v1/ledger/runs", response_model=Runs, responses=told(Unauthorized, Forbidden, BadInput))
def ledger_runs(rt: Rt, _: Operator, after: AfterRow = None, limit: Limit = 50) -> Any:
    """Rounds of composing, the newest first: candidates = issued + excluded (by reason) + waiting."""
    return ledger.runs(rt, after=after, limit=limit)
