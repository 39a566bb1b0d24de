"""A query looked at before anybody asks for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.answers import Check
from services.api.deps import Asked, Rt
from services.api.described import told
from services.errors import BadInput
from services.manage import subscriptions

router = APIRouter(tags=["interests"])


@router.get("/v1/interests/check", response_model=Check, responses=told(BadInput))
def check_interest(
    rt: Rt, q: Asked, days: Annotated[int, Query(ge=1, le=90, description="What `count` looks back on.")] = 30
) -> Any:
    """The query as it is understood, and what it would have sent: the exact number, week by week, the newest
    five, and what to try where it is nothing or too much.

    A query that cannot be read ends in a problem with the `column` and what was `expected` there.
    """
    return subscriptions.preview(rt, q, days=days)
