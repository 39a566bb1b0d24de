"""Trouble as HTTP: the one place where errors get a status, all told as problem+json (RFC 9457).

Values that do not fit are told by their place and never repeated; nothing that was sent comes into the log.
"""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import errors, log

MEDIA_TYPE = "application/problem+json"
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_log = log.get(__name__)


class Malformed(errors.BadInput):
    """A body that is not the JSON it claims to be."""

    code = "malformed"


class Invalid(errors.BadInput):
    """Values that do not fit; `errors` names each with its place."""

    code = "invalid"


class UnsupportedMediaType(errors.BadInput):
    code = "unsupported-media-type"


class MethodNotAllowed(errors.GoniecError):
    code = "method-not-allowed"


class Internal(errors.GoniecError):
    code: ClassVar[str] = "internal"


# An error takes the status of the nearest class of its line that stands here.
STATUS: dict[type[errors.GoniecError], tuple[int, str]] = {
    Malformed: (400, "The body cannot be read"),
    errors.Unauthorized: (401, "A valid key is needed"),
    errors.Forbidden: (403, "This key may not do that"),
    errors.NotFound: (404, "Not found"),
    MethodNotAllowed: (405, "This address knows other methods"),
    errors.Conflict: (409, "In conflict with what is stored"),
    errors.TooLarge: (413, "Too large"),
    UnsupportedMediaType: (415, "Another Content-Type is needed"),
    errors.QueryError: (422, "The query cannot be read"),
    errors.AddressRefused: (422, "This address cannot be used"),
    errors.BadInput: (422, "What was sent cannot be accepted"),
    errors.RateLimited: (429, "Too many requests"),
    errors.Unavailable: (503, "A part of the service is away"),
    errors.GoniecError: (500, "A fault of the service"),
}
_BY_STATUS: dict[int, type[errors.GoniecError]] = {
    400: Malformed,
    404: errors.NotFound,
    405: MethodNotAllowed,
    413: errors.TooLarge,
    415: UnsupportedMediaType,
}


def status_of(error: errors.GoniecError) -> int:
    return _standing(error)[0]


def answer(error: errors.GoniecError, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response, with the headers that HTTP wants beside its status."""
    status, title = _standing(error)
    known = {
        "type": f"urn:goniec:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": _printable(error.message),
        "code": error.code,
    }
    more = {k: _plain(v) for k, v in error.data.items() if k not in known and v is not None}
    beside = {"Cache-Control": "no-store", **_headers(error), **(headers or {})}
    return JSONResponse({**more, **known}, status, headers=beside, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of `app` end here."""
    app.add_exception_handler(errors.GoniecError, _on_trouble)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(Surprises)


def faults(found: Sequence[Any]) -> list[dict[str, str]]:
    """Pydantic's findings in our words: the place as a JSON pointer, never the value."""
    return [_fault(one) for one in found[:20]]


def allowed_methods(request: Request) -> str:
    """What this path answers to (RFC 9110, 10.2.1): as described, else by asking for every method."""
    described = request.app.openapi()["paths"].get(request.url.path)
    known = {method.upper() for method in described} if described else _answered(request)
    if "GET" in known:
        known.add("HEAD")
    return ", ".join(sorted({*known, "OPTIONS"}))


def _answered(request: Request) -> set[str]:
    return {
        method
        for method in _METHODS
        for route in request.app.router.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }


def _standing(error: errors.GoniecError) -> tuple[int, str]:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _headers(error: errors.GoniecError) -> dict[str, str]:
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(max(1, round(error.retry_after_s + 0.5)))}
    if isinstance(error, errors.Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="goniec"'}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": "5"}
    return {}


def _on_trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GoniecError)
    if status_of(error) >= 500:
        _log.error("api.trouble", code=error.code, route=_route(request))
    if isinstance(error, MethodNotAllowed):
        return answer(error, {"Allow": allowed_methods(request)})
    return answer(error)


def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return answer(Malformed(f"The body is not JSON: the fault is at character {found[0]['loc'][-1]}."))
    told_faults = faults(found)
    first = told_faults[0]
    place = first["pointer"].strip("/") or first["in"]
    return answer(Invalid(f"{place}: {first['detail']}", errors=told_faults))


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allow = {"Allow": allowed_methods(request)}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=allow)
        return answer(MethodNotAllowed(f"Use one of: {allow['Allow']}."), allow)
    kind = _BY_STATUS.get(error.status_code, Internal if error.status_code >= 500 else Malformed)
    detail = "There is nothing at this address." if kind is errors.NotFound else str(error.detail)
    return answer(kind(detail), error.headers)


class Surprises:
    """What nobody expected ends here: noted by kind and place, without its words, which may hold what was
    sent. Nothing is raised further, because a server would write those words to its log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http":
                raise
            request = Request(scope)
            _log.error("api.surprise", kind=type(error).__name__, at=_place(error), route=_route(request))
            request.app.state.rt.metrics.error("api")
            if has_begun:
                raise ConnectionAbortedError("the answer broke off") from None
            problem = answer(Internal("Something went wrong here. It was noted; try again later."))
            await problem(scope, receive, send)


def _place(error: Exception) -> str:
    """Where in our own code it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "/services/" in one.filename and "site-packages" not in one.filename]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _route(request: Request) -> str:
    """The template of the path, because the path itself may hold a token."""
    return str(getattr(request.scope.get("route"), "path", "?"))


def _fault(one: Mapping[str, Any]) -> dict[str, str]:
    where, *path = one["loc"] or ("body",)
    pointer = "".join("/" + _printable(str(p)).replace("~", "~0").replace("/", "~1")[:100] for p in path)
    return {"in": str(where), "pointer": pointer, "code": str(one["type"]), "detail": _words(one)}


def _words(one: Mapping[str, Any]) -> str:
    match one["type"]:
        case "extra_forbidden":
            return "There is no such field."
        case "missing":
            return "This is missing."
        case "string_unicode":
            return "The text holds half a character (a lone surrogate)."
        case "string_pattern_mismatch" if "\x00" in str(one.get("input")):
            return "The text holds the NUL character, which cannot be stored."
        case "value_error":
            return _printable(str(one["ctx"]["error"]))
        case "model_type" | "model_attributes_type" | "dict_type":
            return "This is not a JSON object."
        case _:
            return _printable(str(one["msg"])).rstrip(".") + "."


def _plain(value: object) -> object:
    """Data of an error in forms that JSON has."""
    match value:
        case str():
            return _printable(value)
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(v) for v in value]
        case _:
            return _printable(str(value))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
