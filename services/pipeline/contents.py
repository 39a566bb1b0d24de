"""What an issue shows, apart from its reader: described as a value, rendered once for all who share it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.domain import places
from services.domain.notices import kind_label
from services.runtime import Runtime
from services.storage import issues as store
from services.storage.issues import ToldEvent

# Raised with every change of templates that should reach mails composed but not yet sent.
_VERSION = 1
Item = tuple[ToldEvent, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Two sheets with one hash are the same mail but for the slots. `items` are (event, told as)."""

    template: str
    locale: str
    zone: str
    items: tuple[Item, ...]
    more: int = 0
    period: tuple[datetime, datetime] | None = None

    @classmethod
    def alert(cls, locale: str, zone: str, item: Item) -> Self:
        return cls("alert", locale, zone, (item,))

    @classmethod
    def digest(
        cls, locale: str, zone: str, items: Sequence[Item], *, more: int, period: tuple[datetime, datetime]
    ) -> Self:
        return cls("digest", locale, zone, tuple(items), more, period)

    def hash(self, base_url: str) -> bytes:
        """SHA-256 of everything that the body depends on."""
        said = [
            _VERSION, base_url, self.template, self.locale, self.zone, self.more,
            [at.isoformat() for at in self.period or ()],
            [[e.event_id, told_as, *e.tellers] for e, told_as in self.items],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said).encode()).digest()


def render(rt: Runtime, sheets: Sequence[Sheet]) -> None:
    """Make sure that the body of every sheet is stored; what is there already is not rendered again."""
    wanted = {sheet.hash(rt.settings.base_url): sheet for sheet in sheets}
    with rt.begin() as session:
        known = store.known_contents(session, wanted)
    made = {
        digest: rt.renderer.email(sheet.template, sheet.locale, _context(rt, sheet))
        for digest, sheet in wanted.items()
        if digest not in known
    }
    with rt.begin() as session:
        for digest, body in made.items():
            store.add_content(
                session,
                hash=digest,
                salt=body.salt,
                subject=body.subject,
                text=body.text,
                html=body.html,
                now=rt.clock.now(),
            )


def _context(rt: Runtime, sheet: Sheet) -> dict[str, object]:
    items = [_item(rt, event, told_as, sheet.locale) for event, told_as in sheet.items]
    if sheet.period is None:
        return {"item": items[0], "zone": sheet.zone}
    start, end = sheet.period
    return {
        "items": items,
        "total": len(items) + sheet.more,
        "more_count": sheet.more,
        "more_url": rt.settings.base_url + "/",
        "period": {"start": start, "end": end},
        "zone": sheet.zone,
    }


def _item(rt: Runtime, event: ToldEvent, told_as: str, locale: str) -> dict[str, object]:
    shot = event.snapshot
    return {
        "title": shot["title"],
        "summary": shot["summary"],
        "url": shot["url"],
        "notice_url": f"{rt.settings.base_url}/notices/{event.notice_id}",
        "institution": shot["institution"]["name"],
        "tellers": list(event.tellers),
        "kind_label": kind_label(shot["kind"], locale),
        "published_at": _time(shot["published_at"]),
        "deadline_at": _time(shot["deadline_at"]),
        "places": [places.label(code) for code in shot["places"]],
        "event_type": told_as,
    }


def _time(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
