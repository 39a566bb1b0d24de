"""Letters about a subscription itself: please confirm; welcome; do you stay; goodbye. They wait in rows like
every issue.

The body is shared by all who asked for the same labels; the personal link is a slot, so that what is stored
for everybody lets nobody in.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from services.domain import links, slots
from services.rendering import Rendered
from services.runtime import Runtime
from services.storage import bodies
from services.storage import issues as store
from services.storage.tables import Subscriber

_VERSION = 4
_LINKS = {
    "confirm": "confirm_url", "welcome": "manage_url", "goodbye": "export_url", "reconsent": "stay_url",
    "reconsent_last": "stay_url",
}  # fmt: skip
Why = Literal["left", "silence"]


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's body, ready to be kept; `link` is the slot that waits for the personal address."""

    kind: str
    hash: bytes
    body: Rendered
    link: str


def write(
    rt: Runtime, kind: str, *, locale: str, labels: Sequence[str] = (),
    best: Sequence[Mapping[str, Any]] = (), why: Why | None = None, zone: str = "Europe/Warsaw",
    until: datetime | None = None, months: int = 0,
) -> Written:  # fmt: skip
    """Render a letter of this kind: `best` is for a welcome, `why` for a goodbye, `until` and `months` for
    the question to the silent. Touches no database."""
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
    told = {"why": why, "zone": zone, "until": until, "months": months}
    drawn = rt.renderer.email(
        kind, locale, {link: stand_in, "interests": list(labels), "best": shown, **told}
    )
    body = Rendered(
        subject=drawn.subject,
        text=drawn.text.replace(stand_in, slots.text_marker(link, drawn.salt)),
        html=drawn.html.replace(stand_in, slots.html_marker(link, drawn.salt)),
        salt=drawn.salt,
    )
    day = until.astimezone(ZoneInfo(zone)).date().isoformat() if until else None
    said = json.dumps([_VERSION, rt.settings.base_url, kind, locale, list(labels), shown, why, day, months])
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


def say_goodbye(rt: Runtime, session: Session, person: Subscriber, *, why: Why) -> None:
    """The last letter: it says that nothing more comes, and where one's data can be taken along."""
    letter = write(rt, "goodbye", locale=person.locale, why=why)
    came = (person.confirmed_at or person.created_at).isoformat()
    page = links.manage_url(rt.settings.base_url, rt.settings.secret_key, person.id)
    put(rt, session, letter, subscriber_id=person.id, window_key=f"goodbye:{came}", url=f"{page}/export")
