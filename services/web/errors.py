"""Trouble told to people: an answer made for machines gets a page instead, with its status unchanged.

Decides no status of its own and never repeats what was sent.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.visits import Visit

FOR_MACHINES = (
    "/v1/", "/.well-known/", "/schemas", "/feeds/", "/hooks/", "/websub/", "/hub", "/healthz", "/readyz",
    "/metrics", "/openapi.json", "/static/",
)  # fmt: skip
BY_LINK = ("/confirm/", "/manage/", "/less/", "/stay/", "/u/", "/issues/")
KEPT = ("retry-after", "allow", "connection")


class PagesOfTrouble:
    """Outside every other part of the application, so that its refusals too are told as a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_for_machines(scope["path"]):
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            if not answer.has_begun:
                await answer.show(500, {})
            raise


def _is_for_machines(path: str) -> bool:
    return path.startswith(FOR_MACHINES) or path.endswith(".ics")


class _Answer:
    """One answer on its way: passed on as it is, unless it is trouble in a form for machines."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_replaced = False
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_trouble(message):
            self._is_replaced = True
            kept = {name: value for name, value in Headers(raw=message["headers"]).items() if name in KEPT}
            await self.show(message["status"], kept)
        elif not self._is_replaced:
            self.has_begun = True
            await self._send(message)

    async def show(self, status: int, headers: Mapping[str, str]) -> None:
        self.has_begun = True
        request = Request(self._scope)
        wait_s = headers.get("retry-after", "")
        context = {
            "status": status,
            "is_link": status in (404, 422) and self._scope["path"].startswith(BY_LINK),
            "is_consumer": status in (401, 404, 422) and self._scope["path"].startswith("/endpoints/"),
            "retry_after_s": int(wait_s) if wait_s.isdigit() else 60,
        }
        page = Visit(request.app.state.rt, request).show("error", context, status=status, private=True)
        page.headers.update(headers)
        await page(self._scope, self._receive, self._send)


def _is_trouble(message: Message) -> bool:
    media_type = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] >= 400) and "json" in media_type
