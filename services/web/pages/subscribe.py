"""Signing up: choosing, seeing how much would come, and the letter that asks for confirmation.

What is answered never depends on whether an address is known here.
"""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from services.errors import BadInput, QueryError
from services.manage import checks, subscribers, subscriptions
from services.manage.subscriptions import Wish
from services.web import cards, choices, faults
from services.web.faults import Fault
from services.web.guards import Form
from services.web.visits import HEADERS, OPEN, Here, Sent, Visit
from services.web.wishes import Rhythm, Wanted

router = APIRouter()

ZONE = "Europe/Warsaw"  # until a person says otherwise on their own page
TRAP = "website"  # a field that people do not see and machines fill in


@router.get("/subscribe")
def choose(here: Here) -> Response:
    """The form; an address may bring choices along."""
    return _form(here, Wanted.read(here.asked), Rhythm.read(here.asked))


@router.get("/subscribe/preview")
def preview(here: Here) -> Response:
    """How much of a choice there was lately: the piece of the form that follows one's typing."""
    wanted = Wanted.read(here.asked)
    html = here.part(
        "_preview", preview_of(here, wanted, faults.fault_in(wanted.query, whole=wanted.composed))
    )
    return HTMLResponse(html, headers={**HEADERS, **OPEN, "X-Robots-Tag": "noindex"})


@router.post("/subscribe")
def sign_up(here: Here, sent: Sent) -> Response:
    """Send the letter with the button, or show the form again with what is missing."""
    wanted, rhythm = Wanted.read(sent), Rhythm.read(sent)
    if sent.one("do") == "show":
        return _form(here, wanted, rhythm, sent)
    if sent.one(TRAP):
        return here.go("/subscribe/sent")
    errors = _errors(wanted, sent)
    if not errors:
        try:
            _sign_up(here, wanted, rhythm, sent)
            return here.go("/subscribe/sent")
        except QueryError:
            errors.add("query")
    return _form(here, wanted, rhythm, sent, errors)


@router.get("/subscribe/sent")
def sent_page(here: Here) -> Response:
    """The same answer for every address."""
    return here.show("subscribed")


def preview_of(here: Visit, wanted: Wanted, fault: Fault | None) -> dict[str, object]:
    """What the preview shows of a choice: a count with examples, a fault, or nothing yet."""
    if fault or wanted.is_empty:
        return {"preview": None, "samples": [], "fault": fault}
    try:
        found = subscriptions.preview(here.rt, wanted.composed)
    except QueryError as error:
        return {"preview": None, "samples": [], "fault": faults.fault(error, wanted.composed)}
    now = here.rt.clock.now()
    samples = [cards.card(form, locale=here.locale, now=now) for form in found.samples]
    return {"preview": found, "samples": samples, "fault": None}


def label_of(wanted: Wanted, locale: str) -> str:
    """A name for a choice in its reader's words; the query itself where it was written by hand."""
    names = [
        *(choices.topic_name(slug, locale) for slug in wanted.topics),
        *(choices.place_name(code) for code in wanted.places),
        *(choices.kind_name(kind, locale) for kind in wanted.kinds),
        *(word.strip() for word in wanted.words.split(",")),
        wanted.query,
    ]
    label = ", ".join(name for name in names if name)
    return label if len(label) <= subscriptions.MAX_LABEL else label[: subscriptions.MAX_LABEL - 1] + "…"


def _sign_up(here: Visit, wanted: Wanted, rhythm: Rhythm, sent: Form) -> None:
    wish = Wish(wanted.composed, label_of(wanted, here.locale), rhythm.cadence)
    subscribers.sign_up(
        here.rt,
        email=sent.one("email"),
        interests=[wish],
        locale=here.locale,
        timezone=ZONE,
        commercial=bool(sent.one("commercial")),
    )


def _errors(wanted: Wanted, sent: Form) -> set[str]:
    """What keeps a sign-up from being sent: email, nothing, query."""
    errors: set[str] = set()
    try:
        checks.email_address(sent.one("email"))
    except BadInput:
        errors.add("email")
    if wanted.is_empty:
        errors.add("nothing")
    if faults.fault_in(wanted.query, whole=wanted.composed):
        errors.add("query")
    return errors


def _form(
    here: Visit, wanted: Wanted, rhythm: Rhythm, sent: Form | None = None, errors: set[str] | None = None
) -> Response:
    fault = faults.fault_in(wanted.query, whole=wanted.composed)
    context = {
        "wanted": wanted,
        "rhythm": rhythm,
        "topics": choices.topic_groups(here.locale),
        "places": choices.place_groups(),
        "kinds": choices.kind_groups(here.locale),
        "email": sent.one("email") if sent else "",
        "commercial": bool(sent and sent.one("commercial")),
        "errors": errors or set(),
        **preview_of(here, wanted, fault),
        "fault": fault,
    }
    return here.show("subscribe", context, status=422 if errors else 200)
