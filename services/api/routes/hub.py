"""The hub of our feeds (W3C WebSub): whoever asks is answered at once and asked back later."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from services.api.deps import RawBody, Rt, media_type_of
from services.api.described import told
from services.api.errors import Malformed, UnsupportedMediaType
from services.errors import BadInput, NotFound, TooLarge
from services.manage import hub

router = APIRouter(tags=["feeds"])
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["hub.mode", "hub.topic", "hub.callback"],
                    "properties": {
                        "hub.mode": {"type": "string", "enum": list(hub.MODES)},
                        "hub.topic": {"type": "string", "format": "goniec-topic"},
                        "hub.callback": {"type": "string", "format": "uri"},
                        "hub.lease_seconds": {"type": "integer", "minimum": 1},
                        "hub.secret": {"type": "string", "description": "At most 200 bytes."},
                    },
                }
            }
        },
    }
}


@router.post(
    "/hub",
    status_code=202,
    response_class=Response,
    openapi_extra=_FORM,
    responses={
        202: {"description": "Taken down; the callback will be asked whether it means it."},
        **told(Malformed, TooLarge, UnsupportedMediaType, BadInput, NotFound),
    },
)
def ask_hub(rt: Rt, body: RawBody, request: Request) -> Response:
    """Follow a feed (`hub.mode=subscribe`) or leave it (`unsubscribe`), by the callback that is to be told.

    Every `/feeds/notices.…` is a topic. The callback is asked to repeat a challenge before anything is
    sent to it; a lease always ends (an hour to thirty days) and is renewed by asking again.
    """
    if not rt.settings.websub:
        raise NotFound("This Goniec is no hub.")
    if media_type_of(request) != FORM:
        raise UnsupportedMediaType(f"Send a form, with `Content-Type: {FORM}`.")
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as exc:
        raise Malformed("The form cannot be read.") from exc
    hub.ask(rt, dict(fields))
    return Response(status_code=202)
