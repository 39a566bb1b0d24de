"""Addresses that must not be written to, for the operator."""

from typing import Any

from fastapi import APIRouter, Response

from services.api.answers import Suppressions
from services.api.deps import AfterRow, Limit, Operator, Rt
from services.api.described import told
from services.api.texts import Email
from services.errors import BadInput, Forbidden, NotFound, Unauthorized
from services.manage import suppressions

router = APIRouter(tags=["suppressions"])


@router.get(
    "/v1/suppressions", response_model=Suppressions, responses=told(Unauthorized, Forbidden, BadInput)
)
def list_suppressions(rt: Rt, _: Operator, after: AfterRow = None, limit: Limit = 50) -> Any:
    """Who must not be written to and why, the newest first; the address is told while somebody has it."""
    return suppressions.listed(rt, after=after, limit=limit)


@router.delete(
    "/v1/suppressions/{email}",
    status_code=204,
    responses=told(Unauthorized, Forbidden, NotFound, BadInput),
)
def lift_suppression(rt: Rt, _: Operator, email: Email) -> Response:
    """Let an address be written to again; a line in the audit tells it."""
    if not suppressions.lift(rt, email):
        raise NotFound("Nothing stands against this address.")
    return Response(status_code=204)
