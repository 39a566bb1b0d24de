"""One endpoint of a consumer: how it is, what can be done with it, and what came of that.

Another's endpoint is not there. GET changes nothing; a secret is in the answer to one POST alone.
"""

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Response

from services.errors import BadInput, Conflict, QueryError
from services.manage import call_log, calls, conformance, contacts, endpoints, handshake, replays
from services.web import days, faults
from services.web.consumers import ZONE, Own, Wished
from services.web.guards import Form
from services.web.visits import Here, Sent

router = APIRouter()
TOLD = ("changed", "paused", "resumed", "replaying", "cancelled", "asked", "nobody")
HOURS = {"0", "1", "24", "168"}
Action = Callable[[Own, str, Form], str]


@router.get("/endpoints/{token}/{uid}")
def show(here: Here, token: str, uid: str) -> Response:
    """Everything about one endpoint but its deliveries."""
    told = here.asked.one("told")
    return _shown(Own.of(here, token), uid, told=told if told in TOLD else "")


@router.post("/endpoints/{token}/{uid}")
def act(here: Here, sent: Sent, token: str, uid: str) -> Response:
    """Do what the pressed button says."""
    own, do = Own.of(here, token), sent.one("do")
    if do in RESULTS:
        return RESULTS[do](own, uid, sent)
    action = ACTIONS.get(do)
    if action is None:
        raise BadInput("There is no such button.")
    try:
        told = action(own, uid, sent)
    except QueryError as error:
        return _shown(own, uid, wished=Wished.read(sent), fault=faults.fault(error, sent.one("q")))
    except (BadInput, Conflict) as error:
        wished = Wished.read(sent) if do == "settings" else None
        return _shown(own, uid, wished=wished, fault=faults.refusal(error))
    return here.go(f"{own.base}?told=removed" if told == "removed" else f"{own.base}/{uid}?told={told}")


def _shown(own: Own, uid: str, *, wished: Wished | None = None, **said: object) -> Response:
    rt = own.here.rt
    view = endpoints.show(rt, own.who, uid)
    context = own.frame(
        endpoint=view, wished=wished or Wished.of(view), counts=call_log.counts(rt, own.who, uid),
        replays=replays.list_for(rt, own.who, uid)[:5], today=days.today(rt.clock.now(), ZONE),
        **{"told": "", "fault": None, "tested": None} | said,
    )  # fmt: skip
    return own.here.show("endpoint", context, status=422 if context["fault"] else 200, private=True)


def _settings(own: Own, uid: str, sent: Form) -> str:
    was = endpoints.show(own.here.rt, own.who, uid)
    view = endpoints.patch(own.here.rt, own.who, uid, **Wished.read(sent).settings())
    handshake.after_change(own.here.rt, own.who, view, was_moved=view.url != was.url)
    return "changed"


def _pause(own: Own, uid: str, _: Form) -> str:
    endpoints.patch(own.here.rt, own.who, uid, state="paused")
    return "paused"


def _resume(own: Own, uid: str, _: Form) -> str:
    view = endpoints.patch(own.here.rt, own.who, uid, state="active")
    view = handshake.after_change(own.here.rt, own.who, view, was_moved=False)
    return "resumed" if view.state == "active" else "refused"


def _replay(own: Own, uid: str, sent: Form) -> str:
    rt = own.here.rt
    oldest = rt.clock.now() - replays.MAX_REPLAY
    since = days.beginning(ZONE, sent.one("since")) or oldest
    if oldest - timedelta(days=1) < since < oldest:  # the day on which the thirtieth began
        since = oldest
    until = days.beginning(ZONE, sent.one("until"))
    replays.start(
        rt, own.who, uid, since=since, until=until + timedelta(days=1) if until else None,
        what=sent.one("what"),
    )  # fmt: skip
    return "replaying"


def _cancel(own: Own, uid: str, sent: Form) -> str:
    replays.cancel(own.here.rt, own.who, uid, sent.one("replay"))
    return "cancelled"


def _contact(own: Own, uid: str, sent: Form) -> str:
    if not sent.one("email"):
        contacts.remove_contact(own.here.rt, own.who, uid)
        return "nobody"
    contacts.set_contact(own.here.rt, own.who, uid, email=sent.one("email"), locale=own.here.locale)
    return "asked"


def _remove(own: Own, uid: str, _: Form) -> str:
    endpoints.delete(own.here.rt, own.who, uid)
    return "removed"


def _tested(own: Own, uid: str, _: Form) -> Response:
    return _shown(own, uid, tested=calls.test(own.here.rt, own.who, uid))


def _checked(own: Own, uid: str, _: Form) -> Response:
    report = conformance.check(own.here.rt, own.who, uid)
    view = endpoints.show(own.here.rt, own.who, uid)
    return own.here.show("endpoint_check", own.frame(report=report, endpoint=view), private=True)


def _rotated(own: Own, uid: str, sent: Form) -> Response:
    hours = sent.one("overlap")
    if hours not in HOURS:
        raise BadInput("Choose one of the spans of this page.")
    made = endpoints.rotate(own.here.rt, own.who, uid, overlap_hours=int(hours))
    return own.here.show("endpoint_secret", own.frame(made=made, is_new=False), private=True)


ACTIONS: dict[str, Action] = {
    "settings": _settings, "pause": _pause, "resume": _resume, "replay": _replay, "cancel": _cancel,
    "contact": _contact, "remove": _remove,
}  # fmt: skip
RESULTS: dict[str, Callable[[Own, str, Form], Response]] = {
    "test": _tested, "check": _checked, "rotate": _rotated,
}  # fmt: skip
