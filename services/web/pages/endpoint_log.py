"""An endpoint's deliveries: looked through, one of them in full, and sent again. Bodies are only shown."""

from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from services.errors import BadInput, Conflict
from services.manage import call_log, endpoints, replays
from services.web import days
from services.web.consumers import ZONE, Own
from services.web.visits import Here, Sent

router = APIRouter()
FILTERS = ("state", "type", "since", "until", "q")


@router.get("/endpoints/{token}/{uid}/deliveries")
def look(here: Here, token: str, uid: str) -> Response:
    """What went there, newest first, as far as it fits what was asked."""
    own = Own.of(here, token)
    view = endpoints.show(here.rt, own.who, uid)
    asked = {name: here.asked.one(name) for name in FILTERS}
    until = days.beginning(ZONE, asked["until"])
    found = call_log.find(
        here.rt, own.who, uid, state=asked["state"] or None, type=asked["type"] or None,
        since=days.beginning(ZONE, asked["since"]), until=until + timedelta(days=1) if until else None,
        words=asked["q"] or None, after=here.asked.one("after") or None,
    )  # fmt: skip
    kept = {name: value for name, value in asked.items() if value}
    onward = urlencode({**kept, "after": found.next}) if found.next else None
    context = own.frame(
        endpoint=view, asked=asked, found=found.items, onward=onward,
        states=call_log.STATES, types=call_log.TYPES,
    )  # fmt: skip
    return here.show("endpoint_log", context, private=True)


@router.get("/endpoints/{token}/{uid}/deliveries/{delivery}")
def show(here: Here, token: str, uid: str, delivery: str) -> Response:
    """One delivery: what was sent, and what came back at each attempt."""
    own = Own.of(here, token)
    told = here.asked.one("told")
    context = own.frame(
        endpoint=endpoints.show(here.rt, own.who, uid),
        whole=call_log.show(here.rt, own.who, uid, delivery),
        told=told if told in ("resent", "busy") else "",
    )  # fmt: skip
    return here.show("endpoint_delivery", context, private=True)


@router.post("/endpoints/{token}/{uid}/deliveries/{delivery}")
def send_again(here: Here, sent: Sent, token: str, uid: str, delivery: str) -> Response:
    """Send it again, under the id that it had."""
    own = Own.of(here, token)
    if sent.one("do") != "resend":
        raise BadInput("There is no such button.")
    try:
        replays.resend(here.rt, own.who, uid, delivery)
        told = "resent"
    except Conflict:
        told = "busy"
    return here.go(f"{own.base}/{uid}/deliveries/{delivery}?told={told}")
