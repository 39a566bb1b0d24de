"""The API in OpenAPI: every answer a route may give, so that nothing comes that is not described."""

from typing import Any

from fastapi import FastAPI

from services import errors
from services.api import errors as problems
from services.api.schemas import TellingEvent, WithdrawingEvent

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `detail` is for people. A bad query has its `column`.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Each value that does not fit, by a JSON pointer into the part of the request.",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string"},
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "column": {"type": "integer"},
        "length": {"type": "integer"},
        "expected": {"type": "string"},
        "reason": {"type": "string", "description": "The sort of fault of a query."},
        "suggestion": {"type": ["string", "null"]},
        "retry_after_s": {"type": "number"},
    },
}


def told(*kinds: type[errors.GoniecError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of a route that may end in these errors, besides those any route may."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, errors.RateLimited, errors.Unavailable):
        status, title = problems.STATUS[kind]
        responses[status] = {
            "description": title,
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


def leads_to(parameter: str, **fields: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI links from what was made (201) to calls that take it: {call: the field that names it there}."""
    links = {
        call: {"operationId": call, "parameters": {parameter: f"$response.body#/{field}"}}
        for call, field in fields.items()
    }
    return {201: {"links": links}}


def complete(app: FastAPI) -> None:
    """Add the forms that no route has as its model."""
    write = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            told = write()
            known = told["components"]["schemas"]
            known["Problem"] = PROBLEM_SCHEMA
            for form in (TellingEvent, WithdrawingEvent):
                schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
                known.update(schema.pop("$defs", {}))
                known[form.__name__] = schema
            known.pop("HTTPValidationError", None)
            known.pop("ValidationError", None)
            app.openapi_schema = told
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
