"""“Less of this” in a letter: one page, one button, and the next letter is without it. GET changes nothing.

Its link says which item of which interest it was; it lets its holder mute for that person, nothing more.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from services.domain import links, tokens
from services.domain.mutes import MuteKind
from services.errors import BadInput, NotFound, QueryError
from services.manage import mutes, notices, silence, subscribers
from services.manage.mutes import Unwanted
from services.manage.subscribers import SubscriberView
from services.web import days, faults
from services.web.guards import Form
from services.web.visits import Here, Sent, Visit

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Item:
    """What a link is about: a person, the interest's subscription (None when it is gone) and the notice."""

    person: SubscriberView
    subscription: int
    label: str | None
    notice: dict[str, Any] | None

    def value(self, kind: MuteKind, sent: Form) -> str:
        """What a button mutes."""
        if kind is MuteKind.WORD:
            return sent.one("word")
        if kind is MuteKind.INTEREST:
            return str(self.subscription)
        if self.notice is None:
            raise NotFound("There is no such notice.")
        return (
            str(self.notice["story"]) if kind is MuteKind.STORY else str(self.notice["institution"]["slug"])
        )


@router.get("/less/{token}")
def ask(here: Here, token: str) -> Response:
    """What of it there could be less of; after a button, what was muted, with a way back."""
    item = _item(here, token)
    done = here.asked.one("done")
    standing = [one for one in mutes.list_for(here.rt, item.person.id) if str(one.id) == done]
    return _shown(here, item, muted=standing[0] if standing else None, lifted=done == "lifted")


@router.post("/less/{token}")
def mute(here: Here, sent: Sent, token: str) -> Response:
    """Mute what the button names, or take it back."""
    item = _item(here, token)
    silence.heard(here.rt, item.person.id)
    if sent.one("do") == "lift":
        with contextlib.suppress(NotFound):  # a button pressed twice
            mutes.lift(here.rt, item.person.id, days.number(sent.one("mute")))
        return here.go(f"/less/{token}?done=lifted")
    try:
        kind = MuteKind(sent.one("do"))
    except ValueError as error:
        raise BadInput("There is no such button.") from error
    word = sent.one("word")
    try:
        if kind is MuteKind.WORD and not word:
            raise BadInput("The word to be muted is missing.", field="word")
        until = _until(here, item.person, sent)
        made = mutes.add(here.rt, item.person.id, Unwanted(kind, item.value(kind, sent), until))
    except QueryError as error:
        return _shown(here, item, fault=faults.fault(error, word), word=word, status=422)
    except BadInput as error:
        return _shown(here, item, fault=faults.refusal(error), word=word, status=422)
    return here.go(f"/less/{token}?done={made.id}")


def _item(here: Visit, token: str) -> Item:
    """Raises BadInput for a false link, NotFound for a person who was erased."""
    named = tokens.read(here.rt.settings.secret_key, links.LESS, token, here.rt.clock.now())
    person = subscribers.show_by_id(here.rt, int(named["s"]))
    subscription = int(named["p"])
    label = next((one.label for one in person.subscriptions if one.id == subscription), None)
    try:
        notice = notices.get(here.rt, int(named["n"]))
    except NotFound:
        notice = None
    return Item(person, subscription, label, notice)


def _until(here: Visit, person: SubscriberView, sent: Form) -> datetime | None:
    span = sent.one("span")
    if span in days.SPANS:
        return here.rt.clock.now() + days.SPANS[span]
    return days.ahead(person.timezone, sent.one("until"), now=here.rt.clock.now())


def _shown(here: Visit, item: Item, *, status: int = 200, **said: object) -> Response:
    usual = {"muted": None, "lifted": False, "fault": None, "word": ""}
    context = {
        **usual,
        "label": item.label,
        "notice": item.notice,
        "today": days.today(here.rt.clock.now(), item.person.timezone),
        "zone": item.person.timezone,
        "manage_url": f"/manage/{links.manage_token(here.rt.settings.secret_key, item.person.id)}",
        **said,
    }
    return here.show("less", context, status=status, private=True)
