"""The outbox: letters that were not sent, because no mail server is set. Other settings have no such page.

A letter holds text from outside: it is shown in a frame of its own that may run and load nothing.
"""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from services.manage import outbox
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
    html = outbox.open_letter(here.rt, key).html
    headers = {**PRIVATE, "Content-Security-Policy": LETTER_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(html.replace("<head>", f"<head>{NEW_TAB}", 1), headers=headers)
