"""Every query is a feed and a calendar, read again and again: cheap when nothing changed (ETag, 304)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Path, Response

from services.api.deps import Asked, Rt
from services.api.described import told
from services.api.syndication import calendar, jsonfeed, xml
from services.api.syndication.channel import Channel, etag_of, is_same, item_of
from services.api.texts import MAX_ID
from services.errors import BadInput, NotFound
from services.manage import notices, private_feed
from services.runtime import Runtime

router = APIRouter(tags=["feeds"])
ITEMS = 50
OPEN = "public, max-age=60"
PRIVATE = "private, max-age=60"
KnownTag = Annotated[str | None, Header(alias="If-None-Match", max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    media_type: str
    write: Callable[[Channel], bytes]

    @property
    def responses(self) -> dict[int | str, dict[str, Any]]:
        return {
            200: {"content": {self.media_type: {"schema": {"type": "string"}}}},
            304: {"description": "Nothing changed since this ETag"},
        }


RSS = Format("rss", "application/rss+xml", xml.rss)
ATOM = Format("atom", "application/atom+xml", xml.atom)
JSON = Format("json", "application/feed+json", jsonfeed.json_feed)
ICS = Format("ics", "text/calendar", calendar.ics)


def _serve(form: Format) -> None:
    """One route for one format: each has its own Content-Type in OpenAPI."""

    def feed(rt: Rt, q: Asked = "", if_none_match: KnownTag = None) -> Response:
        page = notices.search(rt, q=q, limit=ITEMS)
        channel = _channel(rt, q, f"/feeds/notices.{form.name}", page.items)
        return _answer(form, channel, if_none_match, OPEN)

    feed.__doc__ = f"The newest notices that meet a query, as {form.name.upper()}."
    responses = {**form.responses, **told(BadInput)}
    if form is JSON:
        responses[200]["content"][form.media_type]["schema"] = {"type": "object"}
    router.add_api_route(
        f"/feeds/notices.{form.name}",
        feed,
        name=f"notices_{form.name}",
        response_class=Response,
        responses=responses,
    )


for _form in (RSS, ATOM, JSON, ICS):
    _serve(_form)


@router.get(
    "/feeds/private/{token}.atom",
    response_class=Response,
    responses={**ATOM.responses, **told(NotFound, BadInput)},
)
def private_feed_of(
    rt: Rt, token: Annotated[str, Path(max_length=2_048)], if_none_match: KnownTag = None
) -> Response:
    """A person's own interests as a feed. Who knows the address may read it, so it names nobody."""
    try:
        found = private_feed.read(rt, token, limit=ITEMS)
    except BadInput as exc:
        raise NotFound("There is no such feed. Copy its address whole.") from exc
    channel = _channel(rt, "", f"/feeds/private/{token}.atom", found)
    return _answer(ATOM, channel, if_none_match, PRIVATE)


@router.get(
    "/notices/{notice}.ics",
    response_class=Response,
    responses={**ICS.responses, **told(NotFound, BadInput)},
)
def calendar_of_notice(
    rt: Rt, notice: Annotated[int, Path(ge=1, le=MAX_ID)], if_none_match: KnownTag = None
) -> Response:
    """The deadline and the days of one notice, for a calendar; without any, an empty calendar."""
    found = notices.get(rt, notice)
    base = rt.settings.base_url
    item = item_of(found, base)
    return _answer(ICS, Channel(item.title, f"{base}/notices/{notice}.ics", item.uid, (item,)),
                   if_none_match, OPEN)  # fmt: skip


def _channel(rt: Runtime, q: str, path: str, found: list[dict[str, Any]]) -> Channel:
    base, asked = rt.settings.base_url, f"?{urlencode({'q': q})}" if q else ""
    title = f"{rt.settings.operator_name}: {q}" if q else rt.settings.operator_name
    items = tuple(item_of(one, base) for one in found)
    return Channel(" ".join(title.split()), f"{base}{path}{asked}", f"{base}/{asked}", items)


def _answer(form: Format, channel: Channel, known: str | None, keep: str) -> Response:
    body = form.write(channel)
    headers = {"ETag": etag_of(body), "Cache-Control": keep}
    if is_same(known, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    media_type = form.media_type if form is JSON else f"{form.media_type}; charset=utf-8"
    return Response(body, media_type=media_type, headers=headers)
