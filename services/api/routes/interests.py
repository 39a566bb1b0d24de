"""A query looked at before anybody asks for it."""

from typing import Any

from fastapi import APIRouter

from services.api.answers import Check
from services.api.deps import Asked, Rt
from services.api.described import told
from services.errors import BadInput
from services.manage import subscriptions

router = APIRouter(tags=["interests"])


@router.get("/v1/interests/check", response_model=Check, responses=told(BadInput))
def check_interest(rt: Rt, q: Asked) -> Any:
    """The query as it is understood, and what it would have sent in the last 30 days.

    A query that cannot be read ends in a problem with the `column` and what was `expected` there.
    """
    return subscriptions.preview(rt, q)
