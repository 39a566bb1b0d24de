"""Every query is a feed and a calendar, read again and again: cheap when nothing changed (ETag, 304).

Each query feed names the hub that tells of its changes, in its head and in its Link header (WebSub).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response

from services.api.deps import Asked, Rt
from services.api.described import told
from services.api.texts import MAX_ID
from services.domain.websub import Links
from services.errors import BadInput, NotFound
from services.manage import notices, private_feed, query_feeds
from services.syndication.channel import Channel, etag_of, is_same, item_of
from services.syndication.forms import ATOM, FORMATS, ICS, JSON, Format

router = APIRouter(tags=["feeds"])
OPEN = "public, max-age=60"
PRIVATE = "private, max-age=60"
KnownTag = Annotated[str | None, Header(alias="If-None-Match", max_length=1_000)]


def responses_of(form: Format) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {form.media_type: {"schema": {"type": "string"}}}},
        304: {"description": "Nothing changed since this ETag"},
    }


def _serve(form: Format) -> None:
    """One route for one format: each has its own Content-Type in OpenAPI."""

    def feed(rt: Rt, q: Asked = "", if_none_match: KnownTag = None) -> Response:
        topic = query_feeds.topic(form, q)
        links = query_feeds.links(rt, topic) if rt.settings.websub else None
        return answer(form, query_feeds.channel(rt, topic, title=q.strip()), if_none_match, OPEN, links)

    feed.__doc__ = f"The newest notices that meet a query, as {form.name.upper()}."
    responses = {**responses_of(form), **told(BadInput)}
    if form is JSON:
        responses[200]["content"][form.media_type]["schema"] = {"type": "object"}
    router.add_api_route(
        f"/feeds/notices.{form.name}",
        feed,
        name=f"notices_{form.name}",
        response_class=Response,
        responses=responses,
    )


for _form in FORMATS.values():
    _serve(_form)


@router.get(
    "/feeds/private/{token}.atom",
    response_class=Response,
    responses={**responses_of(ATOM), **told(NotFound, BadInput)},
)
def private_feed_of(
    rt: Rt, token: Annotated[str, Path(max_length=2_048)], if_none_match: KnownTag = None
) -> Response:
    """A person's own interests as a feed. Who knows the address may read it, so it names nobody."""
    try:
        found = private_feed.read(rt, token, limit=query_feeds.ITEMS)
    except BadInput as exc:
        raise NotFound("There is no such feed. Copy its address whole.") from exc
    base = rt.settings.base_url
    items = tuple(item_of(one, base) for one in found)
    at = f"{base}/feeds/private/{token}.atom"
    return answer(ATOM, Channel(rt.settings.operator_name, at, f"{base}/", items), if_none_match, PRIVATE)


@router.get(
    "/notices/{notice}.ics",
    response_class=Response,
    responses={**responses_of(ICS), **told(NotFound, BadInput)},
)
def calendar_of_notice(
    rt: Rt, notice: Annotated[int, Path(ge=1, le=MAX_ID)], if_none_match: KnownTag = None
) -> Response:
    """The deadline and the days of one notice, for a calendar; without any, an empty calendar."""
    found = notices.get(rt, notice)
    base = rt.settings.base_url
    item = item_of(found, base)
    return answer(ICS, Channel(item.title, f"{base}/notices/{notice}.ics", item.uid, (item,)),
                   if_none_match, OPEN)  # fmt: skip


def answer(
    form: Format, channel: Channel, known: str | None, keep: str, links: Links | None = None
) -> Response:
    """A channel in a format; nothing but a word where the reader has it already."""
    body = form.write(channel)
    headers = {"ETag": etag_of(body), "Cache-Control": keep}
    if links is not None:
        headers["Link"] = links.header
    if is_same(known, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=form.content_type, headers=headers)
