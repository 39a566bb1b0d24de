"""One's own page, by a signed link: see, change, pause, leave, take one's data along, erase it.

Whoever holds the link acts for the person: these pages tell no referrer and are kept nowhere. GET
changes nothing.
"""

import json
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response

from services.domain import links, tokens
from services.domain.mutes import MuteKind
from services.errors import BadInput, Conflict, NotFound, QueryError
from services.manage import mutes, privacy, silence, subscribers, subscriptions
from services.manage.mutes import Unwanted
from services.manage.subscribers import SubscriberView
from services.manage.subscriptions import Wish
from services.web import days, faults
from services.web.guards import Form
from services.web.own import context_of
from services.web.pages.subscribe import label_of, preview_of
from services.web.visits import HEADERS, PRIVATE, Here, Sent, Visit
from services.web.wishes import Rhythm, Wanted

router = APIRouter()

TOLD = ("changed", "added", "removed", "paused", "resumed", "muted", "lifted", "stays")
Action = Callable[[Visit, SubscriberView, Form], str]


@router.get("/manage/{token}")
def own_page(here: Here, token: str) -> Response:
    """What a person gets, with everything they can change."""
    told = here.asked.one("told")
    return _shown(here, owner(here, token), told=told if told in TOLD else "")


@router.post("/manage/{token}")
def change(here: Here, sent: Sent, token: str) -> Response:
    """Do what the pressed button says; then the page is shown anew, or the form again with its fault."""
    person = owner(here, token)
    if sent.one("do") == "try":
        return _tried(here, person, sent)
    action = ACTIONS.get(sent.one("do"))
    if action is None:
        raise BadInput("There is no such button.")
    try:
        told = action(here, person, sent)
    except QueryError as error:
        typed = sent.one("word") if sent.one("do") == "mute" else Wanted.read(sent).composed
        return _refused(here, person, sent, faults.fault(error, typed))
    except (Conflict, BadInput) as error:
        return _refused(here, person, sent, faults.refusal(error))
    silence.heard(here.rt, person.id)
    return here.go(f"/manage/{token}?told={told}")


@router.get("/manage/{token}/export")
def export(here: Here, token: str) -> Response:
    """Everything kept about the person, as a file (GDPR, art. 20)."""
    kept = privacy.export(here.rt, owner(here, token).id)
    return Response(
        json.dumps(kept, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={**HEADERS, **PRIVATE, "Content-Disposition": 'attachment; filename="goniec.json"'},
    )


@router.get("/manage/{token}/{way}")
def ask(here: Here, token: str, way: str) -> Response:
    """The question before leaving or erasing."""
    owner(here, token)
    _known(way)
    return here.show("farewell", {"way": way, "manage_url": f"/manage/{token}"}, private=True)


@router.post("/manage/{token}/{way}")
def part(here: Here, sent: Sent, token: str, way: str) -> Response:
    """Leave, or have everything erased, once the question was answered by its button."""
    person = owner(here, token)
    if sent.one("do") != _known(way):
        raise BadInput("There is no such button.")
    if way == "erase":
        privacy.erase(here.rt, person.id)
    else:
        subscribers.leave(here.rt, person.id)
    return here.show("gone", {"way": way}, private=True)


def owner(here: Visit, token: str) -> SubscriberView:
    """The person whose link this is. Raises BadInput for a false link, NotFound for one who was erased."""
    named = tokens.read(here.rt.settings.secret_key, links.MANAGE, token, here.rt.clock.now())
    return subscribers.show_by_id(here.rt, int(named["s"]))


def _known(way: str) -> str:
    if way not in ("leave", "erase"):
        raise NotFound("There is no such page.")
    return way


def _add(here: Visit, person: SubscriberView, sent: Form) -> str:
    wanted = Wanted.read(sent)
    _readable(wanted)
    label = sent.one("label") or label_of(wanted, here.locale)
    subscriptions.add(here.rt, person.id, Wish(wanted.composed, label, Rhythm.read(sent).cadence))
    return "added"


def _change(here: Visit, person: SubscriberView, sent: Form) -> str:
    wanted = Wanted.read(sent)
    _readable(wanted)
    subscriptions.change(
        here.rt,
        person.id,
        _subscription(sent),
        label=sent.one("label") or label_of(wanted, here.locale),
        query=wanted.composed,
        cadence=Rhythm.read(sent).cadence,
        paused_until=_day(person, sent.one("until")),
    )
    return "changed"


def _remove(here: Visit, person: SubscriberView, sent: Form) -> str:
    subscriptions.remove(here.rt, person.id, _subscription(sent))
    return "removed"


def _settings(here: Visit, person: SubscriberView, sent: Form) -> str:
    subscribers.set_locale(here.rt, person.id, sent.one("locale"))
    if sent.one("timezone") != person.timezone:
        subscribers.set_timezone(here.rt, person.id, sent.one("timezone"))
    subscribers.set_commercial(here.rt, person.id, bool(sent.one("commercial")))
    return "changed"


def _times(here: Visit, person: SubscriberView, sent: Form) -> str:
    """When letters come, and when not."""
    limit = sent.one("budget")
    if limit and not (limit.isascii() and limit.isdecimal() and len(limit) < 5):
        raise BadInput("The daily limit is a number.", field="daily_budget")
    subscribers.set_reach(
        here.rt, person.id, quiet_from=sent.one("quiet_from"), quiet_until=sent.one("quiet_until"),
        daily_budget=int(limit) if limit else None,
    )  # fmt: skip
    subscribers.set_cadence(here.rt, person.id, Rhythm.read(sent).cadence)
    return "changed"


def _pause(here: Visit, person: SubscriberView, sent: Form) -> str:
    until = _day(person, sent.one("until"))
    if until is None:
        raise BadInput("The day to which the pause lasts is missing.", field="until")
    subscribers.pause(here.rt, person.id, until)
    return "paused"


def _resume(here: Visit, person: SubscriberView, _: Form) -> str:
    subscribers.resume(here.rt, person.id)
    return "resumed"


def _mute(here: Visit, person: SubscriberView, sent: Form) -> str:
    word = sent.one("word")
    if not word:
        raise BadInput("The word to be muted is missing.", field="word")
    until = days.ahead(person.timezone, sent.one("until"), now=here.rt.clock.now())
    mutes.add(here.rt, person.id, Unwanted(MuteKind.WORD, word, until))
    return "muted"


def _lift(here: Visit, person: SubscriberView, sent: Form) -> str:
    mutes.lift(here.rt, person.id, days.number(sent.one("mute")))
    return "lifted"


def _stay(here: Visit, person: SubscriberView, _: Form) -> str:
    silence.stay(here.rt, links.stay_token(here.rt.settings.secret_key, person.id))
    return "stays"


ACTIONS: dict[str, Action] = {
    "add": _add,
    "change": _change,
    "remove": _remove,
    "settings": _settings,
    "times": _times,
    "pause": _pause,
    "resume": _resume,
    "mute": _mute,
    "lift": _lift,
    "stay": _stay,
}


def _tried(here: Visit, person: SubscriberView, sent: Form) -> Response:
    """How much a new interest would bring, before it is added."""
    wanted = Wanted.read(sent)
    found = preview_of(here, wanted, faults.fault_in(wanted.query, whole=wanted.composed))
    if found["fault"]:
        return _shown(here, person, sent=sent, fault_at="add", fault=found["fault"])
    return _shown(here, person, sent=sent, fault_at="add", preview=found["preview"])


def _refused(here: Visit, person: SubscriberView, sent: Form, fault: faults.Fault) -> Response:
    at = _subscription(sent) if sent.one("do") == "change" else sent.one("do")
    return _shown(here, person, sent=sent, fault_at=at, fault=fault, status=422)


def _shown(here: Visit, person: SubscriberView, *, status: int = 200, sent: Form | None = None,
           **said: object) -> Response:  # fmt: skip
    return here.show("manage", context_of(here, person, sent=sent, **said), status=status, private=True)


def _readable(wanted: Wanted) -> None:
    """Let a fault be told by its place in what was typed, not in what was made of it."""
    if wanted.is_empty:
        raise BadInput("An interest needs a word, a topic, a place or a kind.", field="empty")
    faults.check(wanted.query, whole=wanted.composed)


def _subscription(sent: Form) -> int:
    return days.number(sent.one("subscription"))


def _day(person: SubscriberView, text: str) -> datetime | None:
    return days.beginning(person.timezone, text)
