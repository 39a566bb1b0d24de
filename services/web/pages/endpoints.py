"""A consumer's endpoints: the way in by a key, the list, and a new one. A link is the right, for a week."""

from fastapi import APIRouter, Response

from services.errors import BadInput, Forbidden, QueryError, Unauthorized
from services.manage import consumers, endpoints, handshake
from services.web import faults
from services.web.consumers import Own, Wished
from services.web.faults import Fault
from services.web.pages.subscribe import preview_of
from services.web.visits import Here, Sent
from services.web.wishes import Wanted

router = APIRouter()


@router.get("/endpoints")
def door(here: Here) -> Response:
    """Where a key is typed."""
    return here.show("endpoints_door", {"is_wrong": False}, private=True)


@router.post("/endpoints")
def enter(here: Here, sent: Sent) -> Response:
    """From a key to the pages that it opens; the key itself goes into no address."""
    try:
        link = consumers.link_by_typed_key(here.rt, sent.one("key"))
    except (Unauthorized, Forbidden):
        return here.show("endpoints_door", {"is_wrong": True}, status=422, private=True)
    return here.go(f"/endpoints/{link.token}")


@router.get("/endpoints/{token}")
def list_own(here: Here, token: str) -> Response:
    """All endpoints of the consumer, with how each one is."""
    own = Own.of(here, token)
    found = endpoints.list_for(here.rt, own.who)
    told = here.asked.one("told")
    return here.show("endpoints", own.frame(endpoints=found, told=told), private=True)


@router.get("/endpoints/{token}/new")
def new(here: Here, token: str) -> Response:
    """The form of a new one."""
    own = Own.of(here, token)
    return _form(own, Wished(query=here.asked.one("q")), fault=None)


@router.post("/endpoints/{token}/new")
def add(here: Here, sent: Sent, token: str) -> Response:
    """Show how much would come, or add it and show its secret, once."""
    own, wished = Own.of(here, token), Wished.read(sent)
    if sent.one("do") == "show":
        return _form(own, wished, fault=None)
    try:
        made = endpoints.add(
            here.rt, own.who, url=wished.url, query=wished.query, label=wished.label or None,
            format=wished.format, content=wished.content, cadence=wished.cadence,
            signatures=wished.signatures,
        )  # fmt: skip
    except QueryError as error:
        return _form(own, wished, fault=faults.fault(error, wished.query))
    except BadInput as error:
        return _form(own, wished, fault=faults.refusal(error))
    view = handshake.ask(here.rt, own.who, made.endpoint.uid)
    made = endpoints.CreatedEndpoint(view, made.secret)
    return here.show("endpoint_secret", own.frame(made=made, is_new=True), status=201, private=True)


def _form(own: Own, wished: Wished, *, fault: Fault | None) -> Response:
    of_query = faults.fault_in(wished.query)
    shown = preview_of(own.here, Wanted(query=wished.query), of_query)
    context = own.frame(**shown, wished=wished)
    context["fault"] = fault or of_query
    return own.here.show("endpoint_new", context, status=422 if fault else 200, private=True)
