"""Notices: pushed and taken back by institutions, read by anyone."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from services.api import pushing
from services.api.answers import Batch, Counterparts, Notices, Pushed, WholeNotice
from services.api.deps import AfterPlace, Asked, Json, Limit, PushSource, Rt
from services.api.described import leads_to, told
from services.api.errors import Malformed, MethodNotAllowed, UnsupportedMediaType
from services.api.schemas import BatchIn, Many, NoticeIn
from services.api.texts import MAX_ID, Key
from services.errors import BadInput, Conflict, Forbidden, NotFound, TooLarge, Unauthorized
from services.manage import counterparts, notices

router = APIRouter(tags=["notices"])
BODY = (Malformed, TooLarge, UnsupportedMediaType, BadInput)
KEYED = (Unauthorized, Forbidden)


@router.post(
    "/v1/notices",
    status_code=201,
    response_model=Pushed,
    dependencies=[Json],
    responses={
        200: {"model": Pushed, "description": "Revised, or unchanged"},
        **leads_to("notice", show_notice="id", withdraw_notice="key"),
        **told(*BODY, *KEYED, Conflict),
    },
)
def push_notice(rt: Rt, source_id: PushSource, notice: NoticeIn, response: Response) -> Pushed:
    """Tell one notice. Its `key` makes it idempotent: 201 published, 200 revised or unchanged."""
    done = pushing.one(rt, source_id, notice.draft())
    response.status_code = 201 if done.outcome == "published" else 200
    if done.id is not None:
        response.headers["Location"] = f"/v1/notices/{done.id}"
    return done


@router.post(
    "/v1/notices/batch",
    response_model=Batch,
    dependencies=[Json],
    responses=told(*BODY, *KEYED),
)
def push_batch(rt: Rt, source_id: PushSource, batch: BatchIn | Many) -> Batch:
    """Tell up to 1,000 notices, in a list or as `items`; an outcome for each, in their order.

    Of two with one key the last counts.
    """
    told = batch.items if isinstance(batch, BatchIn) else batch
    return Batch(items=pushing.many(rt, source_id, pushing.try_each(told, of_events=False)))


@router.api_route("/v1/notices/batch", methods=["GET", "DELETE"], include_in_schema=False)
def refuse_batch() -> None:
    """`batch` is no notice. One whose key is called so is taken back by a CloudEvent."""
    raise MethodNotAllowed("Notices are pushed here, many at once.")


@router.get("/v1/counterparts", response_model=Counterparts, responses=told(NotFound, BadInput))
def show_counterparts(
    rt: Rt,
    notice: Annotated[int, Query(ge=1, le=MAX_ID, description="The notice's id.")],
    limit: Annotated[int, Query(ge=1, le=50, description="How many at most.")] = 5,
) -> Any:
    """Who offers what this notice needs, or needs what it offers: the best first, each with its reasons."""
    return {"items": counterparts.of_notice(rt, notice, limit=limit)}


@router.delete("/v1/notices/{notice:path}", response_model=Pushed, responses=told(*KEYED, NotFound, BadInput))
def withdraw_notice(
    rt: Rt, source_id: PushSource, notice: Annotated[Key, Path(description="The institution's own id of it.")]
) -> Pushed:
    """Take a notice back, for good. Taking it back again changes nothing."""
    return pushing.one(rt, source_id, notice)


@router.get("/v1/notices", response_model=Notices, responses=told(BadInput))
def list_notices(rt: Rt, q: Asked = "", after: AfterPlace = None, limit: Limit = 50) -> Any:
    """Notices that meet a query, the newest first."""
    return notices.search(rt, q=q, after=after, limit=limit)


@router.get("/v1/notices/{notice}", response_model=WholeNotice, responses=told(NotFound, BadInput))
def show_notice(
    rt: Rt, notice: Annotated[int, Path(ge=1, le=MAX_ID, description="The id that Goniec gave it.")]
) -> Any:
    """One notice, with its body. One that was withdrawn has `withdrawn_at`."""
    return notices.get(rt, notice)
