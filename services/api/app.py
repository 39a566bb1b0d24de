"""The application: every route, every refusal and every page in one place. Opens nothing by itself."""

from fastapi import FastAPI

from services.api import described, errors
from services.api.headers import HeadAsGet, SafeHeaders
from services.api.limits import BodyLimit, Limits, RateLimit
from services.api.routes import (
    conformance,
    deliveries,
    endpoints,
    events,
    feeds,
    held,
    hooks,
    hub,
    interests,
    ledger,
    log,
    machines,
    mutes,
    notices,
    replays,
    schemas,
    subscribers,
    subscriptions,
    suppressions,
    topics,
    unsubscribe,
    websub,
)
from services.api.waiting import Waiting
from services.runtime import VERSION, Runtime
from services.web import app as web

ABOUT = """\
What a region's institutions publish, told to the people and systems that asked for it.

Lists answer `{"items": […], "next": cursor or null}`. Errors are problem+json (RFC 9457)
with a stable `code`.
Keys go in `Authorization: Bearer …`.
"""
ROUTES = (
    held, notices, events, log, interests, subscribers, subscriptions, mutes, endpoints, replays,
    conformance, deliveries, feeds, machines, suppressions, topics, ledger, hooks, hub, websub, unsubscribe,
    schemas,
)  # fmt: skip


def make_app(rt: Runtime, *, limits: Limits | None = None) -> FastAPI:
    """The API and the pages over one runtime, which stays its owner's to close."""
    limits = limits or Limits()
    app = FastAPI(
        title="Goniec",
        version=VERSION,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        servers=[{"url": rt.settings.base_url}],
    )
    app.state.rt = rt
    app.state.waiting = Waiting(rt)
    errors.install(app)
    for part in ROUTES:
        app.include_router(part.router)
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(RateLimit, rt=rt, limits=limits)
    web.mount(app, rt)
    app.add_middleware(HeadAsGet)
    app.add_middleware(SafeHeaders, is_https=rt.settings.base_url.startswith("https:"))
    described.complete(app)
    return app
