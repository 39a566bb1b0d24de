"""Letters about a subscription itself: please confirm; welcome; goodbye. They wait in rows like every issue.

The body is shared by all who asked for the same labels; the personal link is a slot, so that what is stored
for everybody lets nobody in.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from services.domain import slots
from services.rendering import Rendered
from services.runtime import Runtime
from services.storage import bodies
from services.storage import issues as store

_VERSION = 2
_LINKS = {"confirm": "confirm_url", "welcome": "manage_url", "goodbye": "export_url"}


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's body, ready to be kept; `link` is the slot that waits for the personal address."""

    kind: str
    hash: bytes
    body: Rendered
    link: str


def write(
    rt: Runtime, kind: str, *, locale: str, labels: Sequence[str] = (), best: Sequence[Mapping[str, Any]] = ()
) -> Written:
    """Render the letter `confirm`, `welcome` (with the best notices of late) or `goodbye`. Touches no
    database."""
    link = _LINKS[kind]
    # The template takes an address; a word that nobody can guess stands for it until it is a slot.
    stand_in = f"{rt.settings.base_url}/{secrets.token_hex(16)}"
    shown = [
        {
            "title": one["title"],
            "institution": one["institution"]["name"],
            "url": f"{rt.settings.base_url}/notices/{one['id']}",
        }
        for one in best
    ]
    drawn = rt.renderer.email(kind, locale, {link: stand_in, "interests": list(labels), "best": shown})
    body = Rendered(
        subject=drawn.subject,
        text=drawn.text.replace(stand_in, slots.text_marker(link, drawn.salt)),
        html=drawn.html.replace(stand_in, slots.html_marker(link, drawn.salt)),
        salt=drawn.salt,
    )
    said = json.dumps([_VERSION, rt.settings.base_url, kind, locale, list(labels), shown])
    return Written(kind, hashlib.sha256(said.encode()).digest(), body, link)


def put(
    rt: Runtime, session: Session, letter: Written, *, subscriber_id: int, window_key: str, url: str,
    kept: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Let a letter go out with this commit; ring the bell after. `kept` is what its confirmation needs."""
    now = rt.clock.now()
    bodies.add_content(
        session, hash=letter.hash, salt=letter.body.salt, subject=letter.body.subject,
        text=letter.body.text, html=letter.body.html, now=now,
    )  # fmt: skip
    issue = store.NewIssue(
        subscriber_id=subscriber_id, kind=letter.kind, window_key=window_key, content_hash=letter.hash,
        slots={letter.link: url, **(kept or {})}, events=(), candidates=(),
    )  # fmt: skip
    store.add_issues(session, [issue], now=now)
