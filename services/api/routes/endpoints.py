"""Webhook endpoints of a consumer. To everybody else they do not exist."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path

from services.api.answers import (
    Asked,
    Deliveries,
    Endpoint,
    Endpoints,
    EndpointWithSecret,
    SigningKeys,
    Tested,
)
from services.api.deps import AfterRow, Consumer, Json, Limit, Rt
from services.api.described import leads_to, told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import ContactIn, EndpointIn, EndpointPatch, RotateIn
from services.domain import signing
from services.errors import BadInput, Forbidden, NotFound, TooLarge, Unauthorized
from services.manage import calls, contacts, endpoints, handshake
from services.manage.endpoints import CreatedEndpoint, EndpointView

router = APIRouter(tags=["endpoints"])
KEYED = (Unauthorized, Forbidden)
BODY = (Malformed, TooLarge, UnsupportedMediaType, BadInput)
ONE = told(*KEYED, NotFound, BadInput)
CHANGED = told(*BODY, *KEYED, NotFound)
Uid = Annotated[UUID, Path(alias="endpoint", description="The endpoint's id.")]


@router.post(
    "/v1/endpoints",
    status_code=201,
    response_model=EndpointWithSecret,
    dependencies=[Json],
    responses={
        **leads_to(
            "endpoint",
            show_endpoint="id",
            change_endpoint="id",
            remove_endpoint="id",
            test_endpoint="id",
            rotate_secret="id",
            list_deliveries="id",
            start_replay="id",
            list_replays="id",
            ask_consent="id",
            set_contact="id",
            remove_contact="id",
        ),
        **told(*BODY, *KEYED),
    },
)
def add_endpoint(rt: Rt, consumer: Consumer, wanted: EndpointIn) -> Any:
    """A new endpoint for what meets a query. Its secret is told here, and never again."""
    made = endpoints.add(
        rt,
        consumer,
        url=wanted.url,
        query=wanted.query,
        label=wanted.label,
        format=wanted.format,
        content=wanted.content,
        cadence=wanted.cadence,
        timezone=wanted.timezone,
        signatures=wanted.signatures,
    )
    return _with_secret(CreatedEndpoint(handshake.ask(rt, consumer, made.endpoint.uid), made.secret))


@router.get("/v1/endpoints", response_model=Endpoints, responses=told(*KEYED))
def list_endpoints(rt: Rt, consumer: Consumer) -> Any:
    """One's own endpoints, oldest first."""
    return {"items": endpoints.list_for(rt, consumer)}


@router.get("/v1/endpoints/{endpoint}", response_model=Endpoint, responses=ONE)
def show_endpoint(rt: Rt, consumer: Consumer, uid: Uid) -> EndpointView:
    """One endpoint, with its state and how often it failed in a row."""
    return endpoints.show(rt, consumer, str(uid))


@router.patch("/v1/endpoints/{endpoint}", response_model=Endpoint, dependencies=[Json], responses=CHANGED)
def change_endpoint(rt: Rt, consumer: Consumer, uid: Uid, patch: EndpointPatch) -> EndpointView:
    """Change what is given. `active` also wakes an endpoint that was disabled."""
    view = endpoints.patch(rt, consumer, str(uid), **patch.model_dump())
    return handshake.after_change(rt, consumer, view, was_moved=patch.url is not None)


@router.post("/v1/endpoints/{endpoint}/consent", response_model=Endpoint, responses=ONE)
def ask_consent(rt: Rt, consumer: Consumer, uid: Uid) -> EndpointView:
    """Ask the receiver once more whether it may be called, and how often (CloudEvents' OPTIONS handshake)."""
    return handshake.ask(rt, consumer, str(uid))


@router.api_route("/v1/consents/{token}", methods=["GET", "POST"], status_code=204, include_in_schema=False)
def consent_later(
    rt: Rt, token: str, webhook_allowed_rate: Annotated[str | None, Header(max_length=20)] = None
) -> None:
    """A receiver consents by the link of the handshake. By GET too, as its standard demands (section 4.1.4):
    the link was told to the receiver alone, and what it does can be done twice."""
    handshake.consented(rt, token, rate=webhook_allowed_rate)


@router.delete("/v1/endpoints/{endpoint}", status_code=204, responses=ONE)
def remove_endpoint(rt: Rt, consumer: Consumer, uid: Uid) -> None:
    """Take out an endpoint; what was on its way to it is dropped."""
    endpoints.delete(rt, consumer, str(uid))


@router.post("/v1/endpoints/{endpoint}/test", response_model=Tested, responses=ONE)
def test_endpoint(rt: Rt, consumer: Consumer, uid: Uid) -> Any:
    """Send one signed event of the type `pl.goniec.test.v1` at once, and tell what was answered."""
    return calls.test(rt, consumer, str(uid))


@router.post(
    "/v1/endpoints/{endpoint}/rotate",
    response_model=EndpointWithSecret,
    dependencies=[Json],
    responses=CHANGED,
)
def rotate_secret(rt: Rt, consumer: Consumer, uid: Uid, wanted: RotateIn) -> Any:
    """A new secret; for a while the old one signs as well, so that nothing is refused meanwhile."""
    made = endpoints.rotate(
        rt, consumer, str(uid), overlap_hours=wanted.overlap_hours, signatures=wanted.signatures
    )
    return _with_secret(made)


@router.put(
    "/v1/endpoints/{endpoint}/contact",
    status_code=202,
    response_model=Asked,
    dependencies=[Json],
    responses=CHANGED,
)
def set_contact(rt: Rt, consumer: Consumer, uid: Uid, wanted: ContactIn) -> Asked:
    """Whom to tell by letter when the endpoint fails; they confirm by the letter that comes to them."""
    contacts.set_contact(rt, consumer, str(uid), email=wanted.email, locale=wanted.locale)
    return Asked(
        detail="If mail may be sent to this address, a letter that asks for confirmation is on its way."
    )


@router.delete("/v1/endpoints/{endpoint}/contact", status_code=204, responses=ONE)
def remove_contact(rt: Rt, consumer: Consumer, uid: Uid) -> None:
    """Nobody is told any more."""
    contacts.remove_contact(rt, consumer, str(uid))


@router.get("/.well-known/webhook-keys/{endpoint}", response_model=SigningKeys, responses=told(BadInput))
def signing_keys(rt: Rt, uid: Uid) -> Any:
    """The public keys by which `v1a` signatures to an endpoint are checked, as a JWK set (RFC 7517); no key
    is needed to ask. An endpoint without any, or that there is not, has an empty set."""
    keys = endpoints.public_keys(rt, str(uid))
    return {"keys": [{"x": signing.jwk_x(one), "whpk": one} for one in keys]}


@router.get("/v1/endpoints/{endpoint}/deliveries", response_model=Deliveries, responses=ONE)
def list_deliveries(rt: Rt, consumer: Consumer, uid: Uid, after: AfterRow = None, limit: Limit = 50) -> Any:
    """What went to an endpoint, the newest first, with every attempt."""
    return calls.deliveries(rt, consumer, str(uid), after=after, limit=limit)


def _with_secret(made: CreatedEndpoint) -> dict[str, Any]:
    return {**endpoints.as_dict(made.endpoint), "secret": made.secret}
