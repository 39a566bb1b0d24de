"""CloudEvents taken in from institutions; the log of events is read in `log`."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.api import pushing
from services.api.answers import Batch, Pushed
from services.api.deps import PushSource, RawBody, Rt, media_type_of
from services.api.described import told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import MAX_BATCH, TellingEvent, WithdrawingEvent
from services.domain import cloudevents
from services.errors import BadInput, Conflict, Forbidden, NotFound, TooLarge, Unauthorized

router = APIRouter(tags=["events"])

_EVENT = {
    "oneOf": [
        {"$ref": f"#/components/schemas/{TellingEvent.__name__}"},
        {"$ref": f"#/components/schemas/{WithdrawingEvent.__name__}"},
    ]
}
_CONTENT = {
    cloudevents.STRUCTURED: {"schema": _EVENT},
    cloudevents.BATCHED: {
        "schema": {
            "type": "array",
            "maxItems": MAX_BATCH,
            "items": {"description": "A CloudEvent. What cannot be taken is refused alone."},
        }
    },
}


@router.post(
    "/v1/events",
    status_code=201,
    response_model=Pushed | Batch,
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
    responses={
        200: {"model": Pushed | Batch, "description": "Revised, unchanged, withdrawn; or a batch"},
        **told(
            Malformed, TooLarge, UnsupportedMediaType, BadInput, Unauthorized, Forbidden, NotFound, Conflict
        ),
    },
)
def push_events(
    rt: Rt, source_id: PushSource, body: RawBody, request: Request, response: Response
) -> Pushed | Batch:
    """Tell notices as CloudEvents 1.0: structured, batched, or binary (`ce-` headers, JSON as the body).

    `data` is a notice as in `POST /v1/notices`; an event of the type `pl.goniec.notice.withdrawn.v1` names
    the `key` alone. Whether it publishes or revises is found out here, by the key.
    """
    kind = media_type_of(request)
    if kind == cloudevents.BATCHED:
        values = cloudevents.from_batch(_json(body), most=MAX_BATCH)
        response.status_code = 200
        return Batch(items=pushing.many(rt, source_id, pushing.try_each(values, of_events=True)))
    headers = list(request.headers.items())
    if kind == cloudevents.STRUCTURED:
        asked = pushing.read_event(_json(body))
    elif cloudevents.is_binary(headers):
        asked = pushing.read_binary(headers, kind, body)
    else:
        raise UnsupportedMediaType(
            f"Send {cloudevents.STRUCTURED}, {cloudevents.BATCHED}, or JSON with ce- headers."
        )
    done = pushing.one(rt, source_id, asked)
    response.status_code = 201 if done.outcome == "published" else 200
    return done


def _json(body: bytes) -> Any:
    try:
        return cloudevents.read_json(body)
    except BadInput as exc:
        raise Malformed("The body is not JSON.") from exc
