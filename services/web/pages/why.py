"""Why a notice came to a person, or did not: the rows of its way, read back in the person's own language.

Tells the holder of a private link about themselves alone. GET changes nothing.
"""

import re

from fastapi import APIRouter, Response

from services.errors import NotFound
from services.manage import notices
from services.manage import why as explaining
from services.web import cards
from services.web.pages.preferences import owner
from services.web.visits import Here, Visit

router = APIRouter()
_NUMBER = re.compile(r"(?:.*/notices/)?([0-9]{1,18})(?:[?#].*)?", re.ASCII)


@router.get("/manage/{token}/why")
def explain(here: Here, token: str) -> Response:
    """The whole way of one notice to this person; without one, the question which."""
    person = owner(here, token)
    asked = here.asked.one("notice")
    context: dict[str, object] = {
        "manage_url": f"/manage/{token}", "asked": asked, "zone": person.timezone, "why": None, "card": None,
        "is_unknown": False,
    }  # fmt: skip
    if not asked:
        return here.show("why", context, private=True)
    try:
        found = explaining.why(here.rt, notice_id=_notice(asked), recipient=person.email)
        context |= {"why": found, "card": _card(here, found.notice_id), "times": _times(found)}
    except NotFound:
        return here.show("why", context | {"is_unknown": True}, status=404, private=True)
    return here.show("why", context, private=True)


def _notice(asked: str) -> int:
    """The number of a notice, or its page's address as it was copied."""
    found = _NUMBER.fullmatch(asked)
    if found is None:
        raise NotFound("There is no such notice.")
    return int(found.group(1))


def _card(here: Visit, notice_id: int) -> cards.Card:
    return cards.card(notices.get(here.rt, notice_id), locale=here.locale, now=here.rt.clock.now())


def _times(found: explaining.Why) -> dict[str, object]:
    """The times that steps carry as text."""
    texts = {step.data.get(name) for step in found.steps for name in ("due_at", "paused_until")}
    return {text: cards.time_of(text) for text in texts if text}
