"""What routes need before they begin: the runtime, who asks, a body of the right kind.

A key and a person's token are told apart here; neither ever comes near a log line.
"""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api import texts
from services.api.errors import UnsupportedMediaType
from services.domain import links, tokens
from services.errors import BadInput, Forbidden, NotFound, Unauthorized
from services.manage import accounts, silence, sources, subscribers
from services.manage.accounts import Principal
from services.manage.subscribers import SubscriberView
from services.runtime import Runtime

Credentials = HTTPAuthorizationCredentials | None


def runtime(request: Request) -> Runtime:
    rt: Runtime = request.app.state.rt
    return rt


Rt = Annotated[Runtime, Depends(runtime)]


def _bearer(name: str, description: str) -> HTTPBearer:
    return HTTPBearer(scheme_name=name, description=description, auto_error=False)


_institution = _bearer("institutionKey", "`goniec key create --institution SLUG`")
_consumer = _bearer("consumerKey", "`goniec key create --consumer NAME`")
_operator = _bearer("operatorKey", "`goniec key create --operator`")
_anyone = _bearer("anyKey", "Any key; or the token of one's own preferences' link.")
_subscriber = _bearer("subscriberToken", "The last part of the link to one's own preferences.")


def _principal(rt: Runtime, credentials: Credentials) -> Principal:
    if credentials is None:
        raise Unauthorized("Send a key as `Authorization: Bearer gon_…`.")
    return accounts.authenticate(rt, credentials.credentials)


def institution(rt: Rt, credentials: Annotated[Credentials, Depends(_institution)]) -> Principal:
    """An institution, by its key."""
    principal = _principal(rt, credentials)
    if principal.institution_id is None:
        raise Forbidden("Notices come from institutions: use an institution's key.")
    return principal


def consumer(rt: Rt, credentials: Annotated[Credentials, Depends(_consumer)]) -> Principal:
    """A consumer, by its key."""
    principal = _principal(rt, credentials)
    if principal.consumer_id is None:
        raise Forbidden("This is for consumers: use a consumer's key.")
    return principal


def asker(rt: Rt, credentials: Annotated[Credentials, Depends(_anyone)]) -> Principal | SubscriberView:
    """Whoever holds a key, or a person by the token of their own page."""
    if credentials is None or credentials.credentials.startswith(accounts.PREFIX):
        return _principal(rt, credentials)
    return _person(rt, credentials)


def reader_of_log(rt: Rt, credentials: Annotated[Credentials, Depends(_consumer)]) -> Principal:
    """A consumer, or the operator."""
    principal = _principal(rt, credentials)
    if principal.scope == "institution":
        raise Forbidden("The log is for consumers: use a consumer's key.")
    return principal


def operator(rt: Rt, credentials: Annotated[Credentials, Depends(_operator)]) -> Principal:
    """The operator, by their key."""
    principal = _principal(rt, credentials)
    if principal.scope != "operator":
        raise Forbidden("This is for the operator: use an operator's key.")
    return principal


def subscriber(request: Request, rt: Rt, credentials: Annotated[Credentials, Depends(_subscriber)]) -> int:
    """A person's id, by the token of their own page. Who changes something is not silent."""
    person = _person(rt, credentials)
    if person.state != "active":
        raise Forbidden("You have left. Sign up again, and confirm by the letter that comes.")
    if request.method not in ("GET", "HEAD"):
        silence.heard(rt, person.id)
    return person.id


def _person(rt: Runtime, credentials: Credentials) -> SubscriberView:
    if credentials is None:
        raise Unauthorized("Send the token of your preferences' link as `Authorization: Bearer …`.")
    try:
        named = tokens.read(rt.settings.secret_key, links.MANAGE, credentials.credentials, rt.clock.now())
        return subscribers.show_by_id(rt, int(named["s"]))
    except (BadInput, NotFound) as exc:
        raise Unauthorized("This token is not valid. Copy it whole from your preferences' link.") from exc


def push_source(rt: Rt, principal: Annotated[Principal, Depends(institution)]) -> int:
    """The door of what this institution pushes."""
    assert principal.institution_id is not None, "checked with the key"
    return sources.push_source(rt, principal.institution_id)


def json_body(request: Request) -> None:
    """Refuse a body that is not called JSON: a slip, or another site's form."""
    if media_type_of(request) != "application/json":
        raise UnsupportedMediaType("Send JSON, with `Content-Type: application/json`.")


def media_type_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def raw_body(request: Request) -> bytes:
    """The bytes of a body, read before the synchronous route begins; how many is limited already."""
    return await request.body()


Institution = Annotated[Principal, Depends(institution)]
Consumer = Annotated[Principal, Depends(consumer)]
Operator = Annotated[Principal, Depends(operator)]
LogReader = Annotated[Principal, Depends(reader_of_log)]
Asker = Annotated[Principal | SubscriberView, Depends(asker)]
Person = Annotated[int, Depends(subscriber)]
PushSource = Annotated[int, Depends(push_source)]
RawBody = Annotated[bytes, Depends(raw_body)]
Json = Depends(json_body)

Asked = Annotated[texts.Query, Query(description="A query; empty means everything.")]
_NEXT = Query(description="The `next` of the page before.")
AfterPlace = Annotated[texts.PlaceCursor | None, _NEXT]
AfterEvent = Annotated[texts.LogCursor | None, _NEXT]
AfterRow = Annotated[texts.RowCursor | None, _NEXT]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
