"""Where hubs of sources call us (W3C WebSub, the subscriber's side); each address is known to one alone."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from services.api.deps import RawBody, Rt
from services.api.described import told
from services.errors import BadInput, NotFound, TooLarge
from services.manage import source_hubs

router = APIRouter(tags=["providers"])
Uid = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]


@router.get(
    "/websub/{uid}",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **told(NotFound, BadInput),
    },
)
def hub_asks(rt: Rt, uid: Uid, request: Request) -> Response:
    """A hub asks whether we meant it: the challenge comes back only for what we asked."""
    challenge = source_hubs.answer(rt, uid, dict(request.query_params))
    return Response(challenge, media_type="text/plain; charset=utf-8")


@router.post(
    "/websub/{uid}",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "Taken; what is not signed with our secret is forgotten"},
        410: {"description": "Nobody listens here any more"},
        **told(NotFound, TooLarge, BadInput),
    },
    openapi_extra={"requestBody": {"content": {"*/*": {"schema": {"type": "string"}}}}},
)
def hub_sends(
    rt: Rt,
    uid: Uid,
    body: RawBody,
    content_type: Annotated[str, Header(max_length=1_000)] = "",
    x_hub_signature: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """A hub sends a source's news, signed with the secret that it got from us."""
    is_known = source_hubs.take(rt, uid, body=body, content_type=content_type, signature=x_hub_signature)
    return Response(status_code=202 if is_known else 410)
