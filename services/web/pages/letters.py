"""Letters in a browser: one's own by its link, and the outbox where no mail server is set.

A letter holds text from outside: it is shown as a document of its own that may run and load nothing.
"""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from services.manage import issues, outbox
from services.web.visits import PRIVATE, Here

router = APIRouter()

SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
LETTER_POLICY = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
NEW_TAB = '<base target="_blank">'  # a link out of the frame opens beside it


@router.get("/outbox")
def letters(here: Here) -> Response:
    """Every letter, newest first."""
    return here.show("outbox", {"letters": outbox.list_letters(here.rt)}, private=True)


@router.get("/outbox/{key}")
def letter(here: Here, key: str) -> Response:
    """One letter: as most people see it, as plain text, and its headers."""
    message = outbox.open_letter(here.rt, key)
    context = {
        "letter": message.entry,
        "has_html": bool(message.html),
        "text": message.text,
        "headers": message.headers,
        "sandbox": SANDBOX,
    }
    return here.show("letter", context, private=True)


@router.get("/outbox/{key}/html")
def letter_html(here: Here, key: str) -> Response:
    """A letter's own document, for the frame alone."""
    return _document(outbox.open_letter(here.rt, key).html.replace("<head>", f"<head>{NEW_TAB}", 1))


@router.get("/issues/{token}")
def issue(here: Here, token: str) -> Response:
    """What “view in a browser” shows: the letter as it was sent, without its personal links."""
    return _document(issues.show(here.rt, token).html)


def _document(html: str) -> Response:
    headers = {**PRIVATE, "Content-Security-Policy": LETTER_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(html, headers=headers)
