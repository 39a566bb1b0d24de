"""What is told in webhooks, as JSON Schema 2020-12: one document for each type of event.

Its root is the `data` in any content; the anchors `fat`, `thin` and `diff` name one of them, `payload` the
body in the standard format.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.api.answers import Notice, Told
from services.domain.event_types import NOTICE_TYPES, TEST, TYPES, schema_url
from services.domain.events import DIGEST

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MEDIA_TYPE = "application/schema+json"


class EventType(Told):
    type: str
    text: str
    dataschema: Annotated[str, Field(description="The JSON Schema of its `data`.")]


class EventTypeChange(Told):
    at: Annotated[str, Field(description="A day.")]
    type: str
    text: str


class EventTypes(Told):
    items: list[EventType]
    changes: Annotated[list[EventTypeChange], Field(description="What became of types, newest first.")]
    next: None = None


class Thin(BaseModel):
    """Which notice, in which revision, and where to fetch that: without a key, until a time."""

    id: int
    key: str
    revision: int
    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    expires_at: datetime


class Operation(BaseModel):
    """One step of a JSON Patch (RFC 6902)."""

    op: Literal["add", "replace", "remove"]
    path: Annotated[str, Field(pattern="^(/[^/]+)?$")]
    value: Any = None


class Diff(Thin):
    """`patch` (RFC 6902) makes this revision of `from_revision`, which this endpoint took before; when that
    is null, it makes it of nothing."""

    from_revision: int | None
    patch: list[Operation]


class DigestItem(BaseModel):
    """An event of a digest; what its `data` is, its own type and the endpoint's `content` say."""

    id: str
    type: Literal[*NOTICE_TYPES]  # type: ignore[valid-type]
    time: datetime
    data: Notice | Diff | Thin


class Digest(BaseModel):
    """The events of a window, in the order of the log; of one notice the newest alone. A window with very
    much in it comes in several `parts`."""

    since: datetime
    until: datetime
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    items: Annotated[list[DigestItem], Field(min_length=1)]


class Test(BaseModel):
    __test__ = False  # not a test of pytest's

    message: str


_CONTENTS: dict[str, type[BaseModel]] = {"fat": Notice, "thin": Thin, "diff": Diff}
_OTHERS: dict[str, dict[str, type[BaseModel]]] = {DIGEST: {"digest": Digest}, TEST: {"test": Test}}


def schema(type_: str, base_url: str) -> dict[str, Any]:
    """The document of a type that there is."""
    data = _OTHERS.get(type_, _CONTENTS)
    parts: dict[str, Any] = {}
    for name, model in data.items():
        told = model.model_json_schema(mode="serialization")
        parts.update(told.pop("$defs", {}))
        parts[name] = {"$anchor": name, **told}
    parts["payload"] = _payload(type_)
    return {
        "$schema": DIALECT,
        "$id": schema_url(base_url, type_),
        "title": type_,
        "description": TYPES[type_],
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in data],
        "$defs": parts,
    }


def _payload(type_: str) -> dict[str, Any]:
    return {
        "$anchor": "payload",
        "description": "The body in the format `standard`.",
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": type_},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"$ref": "#"},
        },
    }
