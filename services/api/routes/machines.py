"""For machines that watch: alive, able to work, and figures. Tells nothing of persons."""

from typing import Any

from fastapi import APIRouter, Response

from services.api.deps import Rt
from services.api.described import told
from services.api.watching import Health, Readiness
from services.manage import backlogs, health

router = APIRouter(tags=["machines"])


@router.get("/healthz", response_model=Health)
def alive() -> dict[str, str]:
    """The process answers; nothing else is asked."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something that work needs is away"}},
)
def ready(rt: Rt, response: Response) -> Any:
    """Whether work can be done: database and its schema, Redis, the disk; what is wrong is said."""
    found = health.readiness(rt)
    response.status_code = 200 if found.is_ok else 503
    return found


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **told()},
)
def metrics(rt: Rt) -> Response:
    """Counts of each stage in the Prometheus text format."""
    figures = rt.metrics.render(backlogs.waiting(rt), backlogs.missing_shards(rt))
    return Response(figures, media_type="text/plain; version=0.0.4; charset=utf-8")
