"""What an issue shows, apart from its reader: described as a value, rendered once for all who share it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from services.domain import changes, places
from services.domain.notices import kind_label
from services.rendering import Rendered
from services.runtime import Runtime
from services.storage import bodies as store
from services.storage.issues import ToldEvent

# Raised with every change of templates that should reach mails composed but not yet sent.
_VERSION = 3
MOST_SUMMARY = 420  # characters of a summary in a digest; the whole is behind the link
CLOSING_WITHIN = timedelta(days=14)
CHANGES, CLOSING, NEW = "changes", "closing", "new"


@dataclass(frozen=True, slots=True)
class Item:
    """An event as one reader meets it: told as news or as a change of what they had (`before`)."""

    event: ToldEvent
    told_as: str
    before: Mapping[str, Any] | None = None

    def section(self, now: datetime) -> str:
        """Where it stands in a digest: what no longer holds, what closes soon, all else."""
        deadline = _time(self.event.snapshot["deadline_at"])
        if self.told_as in ("revised", "withdrawn"):
            return CHANGES
        is_near = deadline is not None and now <= deadline <= now + CLOSING_WITHIN
        return CLOSING if is_near or self.told_as == "reminder" else NEW


@dataclass(frozen=True, slots=True)
class Sheet:
    """Two sheets with one hash are the same mail but for the slots. `sections` are those of the items."""

    template: str
    locale: str
    zone: str
    items: tuple[Item, ...]
    more: int = 0
    period: tuple[datetime, datetime] | None = None
    sections: tuple[str, ...] = ()
    cached: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def alert(cls, locale: str, zone: str, item: Item) -> Self:
        return cls("alert", locale, zone, (item,))

    @classmethod
    def digest(
        cls, locale: str, zone: str, items: Sequence[tuple[Item, str]], *, more: int,
        period: tuple[datetime, datetime],
    ) -> Self:  # fmt: skip
        """A digest of (item, section), in the order in which they are shown."""
        shown, sections = tuple(i for i, _ in items), tuple(s for _, s in items)
        return cls("digest", locale, zone, shown, more, period, sections)

    def first(self, number: int) -> "Sheet":
        """The same digest with so many items; the others are more to come."""
        left = len(self.items) - number
        return replace(self, items=self.items[:number], sections=self.sections[:number],
                       more=self.more + left, cached={})  # fmt: skip

    def hash(self, base_url: str) -> bytes:
        """SHA-256 of everything that the body depends on."""
        if base_url not in self.cached:
            said = [
                _VERSION, base_url, self.template, self.locale, self.zone, self.more,
                [at.isoformat() for at in self.period or ()], self.sections,
                [[i.event.event_id, i.told_as, i.before and i.before["revision"], *i.event.tellers]
                 for i in self.items],
            ]  # fmt: skip
            self.cached[base_url] = hashlib.sha256(json.dumps(said).encode()).digest()
        return self.cached[base_url]


def draw(rt: Runtime, sheet: Sheet) -> Rendered:
    """The body of a sheet, with its slots open."""
    return rt.renderer.email(sheet.template, sheet.locale, _context(rt, sheet))


def render(rt: Runtime, sheets: Sequence[Sheet]) -> None:
    """Make sure that the body of every sheet is stored; what is there already is not rendered again."""
    wanted = {sheet.hash(rt.settings.base_url): sheet for sheet in sheets}
    with rt.begin() as session:
        known = store.known_contents(session, wanted)
    made = {digest: draw(rt, sheet) for digest, sheet in wanted.items() if digest not in known}
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
    items = [_item(rt, item, sheet.locale) for item in sheet.items]
    if sheet.period is None:
        return {"item": items[0], "zone": sheet.zone}
    for item, section in zip(items, sheet.sections, strict=True):
        item |= {"section": section, "summary": _shortened(str(item["summary"]))}
    start, end = sheet.period
    return {
        "items": items,
        "total": len(items) + sheet.more,
        "more_count": sheet.more,
        "period": {"start": start, "end": end},
        "zone": sheet.zone,
    }


def _item(rt: Runtime, item: Item, locale: str) -> dict[str, object]:
    event, shot = item.event, item.event.snapshot
    page = f"{rt.settings.base_url}/notices/{event.notice_id}"
    return {
        "title": shot["title"],
        "summary": shot["summary"],
        "language": shot["language"],
        "url": shot["url"],
        "notice_url": page,
        "calendar_url": f"{page}.ics",
        "institution": shot["institution"]["name"],
        "tellers": list(event.tellers),
        "kind_label": kind_label(shot["kind"], locale),
        "published_at": _time(shot["published_at"]),
        "deadline_at": _time(shot["deadline_at"]),
        "starts_at": _time(shot["starts_at"]),
        "places": [places.label(code) for code in shot["places"]],
        "event_type": item.told_as,
        "changes": _changes(item),
    }


def _shortened(summary: str) -> str:
    """Cut at a word, with a mark that there is more."""
    if len(summary) <= MOST_SUMMARY:
        return summary
    return summary[: MOST_SUMMARY - 1].rpartition(" ")[0].rstrip(",;:–- ") + "…"


def _changes(item: Item) -> list[changes.Difference]:
    """What differs from what this reader had; nothing where that is not known."""
    if item.told_as != "revised" or item.before is None:
        return []
    return list(changes.differences(item.before, item.event.snapshot))


def _time(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
