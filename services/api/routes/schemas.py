"""The types of events and their schemas, for whoever receives them; no key is needed."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from services.api import event_schemas
from services.api.answers import Notice
from services.api.deps import Rt
from services.api.described import told
from services.domain import event_types
from services.errors import BadInput, NotFound
from services.manage import notices

router = APIRouter(tags=["event types"])
FRESH = {"Cache-Control": "public, max-age=3600"}
_SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {"content": {event_schemas.MEDIA_TYPE: {"schema": {"type": "object"}}}}
}
Type = Annotated[
    str, Path(alias="type", max_length=100, openapi_examples={"told": {"value": "pl.goniec.test.v1"}})
]


@router.get("/schemas", response_model=event_schemas.EventTypes, responses=told())
def list_event_types(rt: Rt, response: Response) -> Any:
    """The types of events that are told, where each one's schema is, and what changed in them."""
    response.headers.update(FRESH)
    base = rt.settings.base_url
    items = [
        {"type": name, "text": text, "dataschema": event_types.schema_url(base, name)}
        for name, text in event_types.TYPES.items()
    ]
    return {"items": items, "changes": list(reversed(event_types.CHANGES))}


@router.get(
    "/schemas/{type}.json", response_class=Response, responses={**_SCHEMA, **told(NotFound, BadInput)}
)
def show_schema(rt: Rt, name: Type) -> Response:
    """The JSON Schema (2020-12) of a type's `data`; anchors (`fat`, `thin`, `diff`, `payload`) name parts."""
    if name not in event_types.TYPES:
        raise NotFound("There is no such type of event. GET /schemas lists them.")
    found = event_schemas.schema(name, rt.settings.base_url)
    return JSONResponse(found, media_type=event_schemas.MEDIA_TYPE, headers=FRESH)


@router.get("/v1/revisions/{token}", response_model=Notice, responses=told(NotFound, BadInput))
def fetch_revision(
    rt: Rt, token: Annotated[str, Path(max_length=2_048, description="From a thin event's `url`.")]
) -> Any:
    """One revision of a notice, as an event told of it; the link needs no key, and expires."""
    return notices.revision(rt, token)
