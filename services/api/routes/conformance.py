"""The test of one's receiver."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from services.api.answers import Told
from services.api.deps import Consumer, Rt
from services.api.routes.endpoints import ONE, Uid
from services.manage import conformance

router = APIRouter(tags=["endpoints"])


class CheckCall(Told):
    what: str
    expected: Annotated[str, Field(description="taken (2xx), refused (4xx) or no_error (either)")]
    status: int | None
    detail: str
    took_ms: int
    is_right: bool


class Check(Told):
    """One check: what was sent, what was expected, what came, and what to do where it failed."""

    code: str
    verdict: Annotated[str, Field(description="passed, failed or left_out")]
    sent: str
    expected: str
    came: str
    advice: str
    calls: list[CheckCall]


class CheckReport(Told):
    at: datetime
    url: str
    is_ok: bool
    checks: list[Check]


@router.post("/v1/endpoints/{endpoint}/check", response_model=CheckReport, responses=ONE)
def check_receiver(rt: Rt, consumer: Consumer, uid: Uid) -> conformance.Report:
    """Call the endpoint in good ways and bad ones, about fifteen times, and report what it did right and
    wrong. The calls are test events; health and deliveries are left alone."""
    return conformance.check(rt, consumer, str(uid))
