"""The log of events, to be pulled: page by page, waiting for the next, as a stream, and as feeds."""

import json
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from anyio import current_time, to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from services.api.answers import Events
from services.api.deps import AfterEvent, Asked, Limit, LogReader, Rt
from services.api.described import told
from services.api.routes.feeds import OPEN, KnownTag, answer, responses_of
from services.api.texts import LogCursor
from services.api.waiting import EndingStream, Waiting
from services.errors import BadInput, Forbidden, GoniecError, Unauthorized
from services.manage import event_feeds, event_log
from services.manage.accounts import Principal
from services.runtime import Runtime
from services.syndication.forms import ATOM, JSON, Format

router = APIRouter(tags=["events"])
STREAM = "text/event-stream"
MAX_WAIT_S = 60
STREAM_FOR_S = 600.0  # then the reader comes again, with its Last-Event-ID and its key
CUT_AFTER_S = 30.0  # who takes nothing would hold a place for ever
BEAT_EVERY_S = 15.0
COME_AGAIN_MS = 2_000
A_PAGE = 100

Wait = Annotated[
    int, Query(ge=0, le=MAX_WAIT_S, description="How many seconds to wait where nothing is new.")
]
# A reader of a stream sends what it got as `id`; described in words, as `null` is no header.
LastId = Annotated[LogCursor | None, Header(alias="Last-Event-ID", include_in_schema=False)]


@router.get(
    "/v1/events",
    response_model=Events,
    responses={
        200: {"content": {STREAM: {"schema": {"type": "string"}}}},
        **told(Unauthorized, Forbidden, BadInput),
    },
)
async def read_events(
    rt: Rt, principal: LogReader, request: Request, q: Asked = "", after: AfterEvent = None,
    limit: Limit = 50, wait: Wait = 0, last_event_id: LastId = None,
) -> Any:  # fmt: skip
    """Events after a cursor, in the order of the log, none skipped; without `after`, from the beginning.

    With `wait` an empty page is held back until something comes or the time is over. Who accepts
    `text/event-stream` gets events as they happen, each with its cursor as `id`; `Last-Event-ID` goes on.
    """
    waiting: Waiting = request.app.state.waiting
    read = partial(event_log.page, rt, q=q, limit=limit)
    if STREAM in request.headers.get("accept", ""):
        begin = last_event_id or after
        await to_thread.run_sync(partial(read, after=begin))  # what is wrong is told before the stream begins
        waiting.require_room(_name(principal))
        return EndingStream(
            _stream(rt, waiting, _name(principal), q, begin), within_s=STREAM_FOR_S + CUT_AFTER_S,
            media_type=STREAM,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )  # fmt: skip
    page = await to_thread.run_sync(partial(read, after=after))
    if page.items or not wait:
        return page
    with waiting.place(_name(principal)):
        until = current_time() + wait
        while not page.items and current_time() < until and await waiting.grown(page.next or "", until=until):
            page = await to_thread.run_sync(partial(read, after=page.next))
    return page


async def _stream(rt: Runtime, waiting: Waiting, who: str, q: str, begin: str | None) -> AsyncGenerator[str]:
    """Server-sent events (WHATWG HTML, 9.2): a reader that was cut off goes on where it was."""
    read = partial(event_log.read, rt, q=q, limit=A_PAGE)
    try:
        with waiting.place(who):
            yield f"retry: {COME_AGAIN_MS}\n\n"
            cursor, end = begin or "", current_time() + STREAM_FOR_S
            while current_time() < end and not rt.stopping.is_set():
                page = await to_thread.run_sync(partial(read, after=cursor or None))
                for place, event in page.items:
                    data = json.dumps(event, ensure_ascii=False)
                    yield f"id: {place}\nevent: {event['type']}\ndata: {data}\n\n"
                if page.next != cursor and not page.items:
                    yield f"id: {page.next}\n\n"  # what was passed over needs not be looked at again
                moved, cursor = page.next != cursor, page.next or ""
                if moved:
                    continue
                if not await waiting.grown(cursor, until=min(end, current_time() + BEAT_EVERY_S)):
                    yield ": nothing new\n\n"
    except GoniecError:
        return  # it has begun, so there is no other answer: the reader comes again


def _serve(form: Format) -> None:
    def feed(rt: Rt, q: Asked = "", if_none_match: KnownTag = None) -> Response:
        return answer(form, event_feeds.channel(rt, form, q), if_none_match, OPEN)

    feed.__doc__ = f"The newest events that meet a query, withdrawals too, as {form.name.upper()}."
    responses = {**responses_of(form), **told(BadInput)}
    if form is JSON:
        responses[200]["content"][form.media_type]["schema"] = {"type": "object"}
    router.add_api_route(
        f"/feeds/events.{form.name}",
        feed,
        name=f"events_{form.name}",
        response_class=Response,
        responses=responses,
    )


for _form in (ATOM, JSON):
    _serve(_form)


def _name(principal: Principal) -> str:
    return f"{principal.scope}:{principal.consumer_id or principal.actor}"
