"""The pages, put into an application. What people see; what machines read is in `services.api`."""

from fastapi import FastAPI, Request, Response

from services.errors import NotFound
from services.runtime import TEMPLATES, Runtime
from services.web.assets import Assets
from services.web.errors import PagesOfTrouble
from services.web.pages import (
    confirmation,
    endpoint,
    endpoint_log,
    endpoints,
    health,
    held,
    ledger,
    less,
    letters,
    notices,
    preferences,
    sources,
    stay,
    subscribe,
    texts,
    topics,
    why,
)


def mount(app: FastAPI, rt: Runtime) -> None:
    """Add pages and their files to `app`; to be called after the application's own middleware is added."""
    app.state.rt = rt
    app.state.assets = Assets(TEMPLATES / "static")
    for pages in (
        notices, subscribe, confirmation, held, why, ledger, preferences, less, letters, sources, stay, texts,
        topics, endpoints, endpoint_log, endpoint, health,
    ):  # fmt: skip
        app.include_router(pages.router, include_in_schema=False)
    app.add_api_route("/static/{name}", _asset, include_in_schema=False)
    app.add_middleware(PagesOfTrouble)


def _asset(request: Request, name: str) -> Response:
    assets: Assets = request.app.state.assets
    answer = assets.answer(request, name)
    if answer is None:
        raise NotFound("There is no such file.")
    return answer
