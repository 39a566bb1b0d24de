"""One digest: which stories, in what order, under which heading, and as many as a mail may hold.

Corrections come first, then what ranks best (`services.domain.ranking`); what has no room waits for the next
letter, where it is ranked anew. No database here but for the scales.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from weakref import WeakKeyDictionary

from services.domain import ranking
from services.domain.ranking import Place
from services.pipeline.contents import CHANGES, CLOSING, MOST_SUMMARY, NEW, Item, Sheet, draw
from services.pipeline.strength import Scales
from services.rendering import MAX_HTML_BYTES, Renderer
from services.runtime import Runtime
from services.storage.issues import Waiting, Window

ITEMS_A_DIGEST = 30
_ORDER = {CHANGES: 0, CLOSING: 1, NEW: 2}
LINK_BYTES = 400  # a personal link, at most
_LINKS = 6  # personal links outside the items
_STEP = 2_048  # what personal slots take is counted in such steps, so that readers share one measuring
_FRAME_BYTES, _ITEM_BYTES = 12_000, 5_000  # the markup of a digest and of an item, more than they ever take
_MOST_ROOMS = 4_096

Group = list[Waiting]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A digest as one reader gets it: its sheet, the candidates of each item, and the place of each event."""

    sheet: Sheet
    groups: tuple[Group, ...]
    ranks: Mapping[int, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class _Story:
    item: Item
    group: Group
    place: Place | None

    def order(self, now: datetime) -> tuple[int, int, int]:
        return (
            _ORDER[self.item.section(now)],
            self.place.place if self.place else 0,
            -self.item.event.event_id,
        )


def compose(
    rt: Runtime, window: Window, stories: Sequence[tuple[Item, Group]], scales: Scales, *,
    until: datetime, most: int = ITEMS_A_DIGEST,
) -> Drawn:  # fmt: skip
    """The digest of a window that holds at least one story, with room for `most` of them."""
    ranked = _ranked(window, stories, scales, until)
    full = _Cut(window, ranked, until, scales.now)
    number = min(most, len(ranked))
    if full.bytes_at_most(number) > MAX_HTML_BYTES:
        number = _room(rt, full, number)
    chosen = full.chosen(number)
    ranks = {one.item.event.event_id: one.place.told() for one in chosen if one.place}
    return Drawn(full.sheet(number), tuple(one.group for one in chosen), ranks)


def why_line(group: Group) -> str:
    """The names of the interests that a story met; a person with very many sees the first five."""
    labels = list(dict.fromkeys(one.label for one in group))
    return ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")


def _ranked(
    window: Window, stories: Sequence[tuple[Item, Group]], scales: Scales, until: datetime
) -> list[_Story]:
    """Corrections, the newest first, and then the others by rank."""
    changed = [_Story(item, group, None) for item, group in stories if item.section(scales.now) == CHANGES]
    changed.sort(key=lambda one: -one.item.event.event_id)
    others = [(item, group) for item, group in stories if item.section(scales.now) != CHANGES]
    weighed = [scales.story(n, item.event, group) for n, (item, group) in enumerate(others)]
    half_life = max(ranking.HALF_LIFE, (until - window.since) / 2)
    places = ranking.rank(weighed, scales.now, half_life=half_life)
    return changed + [_Story(*others[place.key], place) for place in places]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A ranked window, to be cut at a number of items: the least in rank gives way, whatever its heading."""

    window: Window
    ranked: list[_Story]
    until: datetime
    now: datetime

    def chosen(self, number: int) -> list[_Story]:
        return sorted(self.ranked[:number], key=lambda one: one.order(self.now))

    def sheet(self, number: int) -> Sheet:
        chosen = self.chosen(number)
        return Sheet.digest(
            chosen[0].group[0].locale, self.window.timezone,
            [(one.item, one.item.section(self.now)) for one in chosen],
            more=len(self.ranked) - number, period=(self.window.since, self.until),
        )  # fmt: skip

    def bytes_at_most(self, number: int) -> int:
        """A bound that needs no rendering; most digests are far below it."""
        texts = sum(map(_text_bytes, (one.item for one in self.ranked[:number])))
        return _FRAME_BYTES + number * _ITEM_BYTES + texts + self.personal_bytes(number)

    def personal_bytes(self, number: int) -> int:
        """What the slots of so many items take once they are filled."""
        lines = sum(len(escape(why_line(one.group)).encode()) for one in self.ranked[:number])
        return lines + (number + _LINKS) * LINK_BYTES


def _text_bytes(item: Item) -> int:
    shot, changed = item.event.snapshot, 3 if item.before else 1
    said = [
        shot["title"],
        shot["summary"][:MOST_SUMMARY],
        *[shot["url"] or ""] * 2,
        shot["institution"]["name"],
    ]
    return changed * sum(len(escape(text).encode()) for text in (*said, *item.event.tellers, *shot["places"]))


def _room(rt: Runtime, cut: _Cut, number: int) -> int:
    """The largest number of items that a mail holds, slots filled; at least one. Measured by rendering,
    once for all readers of the same content."""
    rooms = _rooms.setdefault(rt.renderer, {})
    reserve = -(-cut.personal_bytes(number) // _STEP) * _STEP
    order = tuple(one.item.event.event_id for one in cut.ranked[:number])
    key = (cut.sheet(number).hash(rt.settings.base_url), order, reserve)
    if key not in rooms:
        if len(rooms) >= _MOST_ROOMS:
            rooms.clear()
        rooms[key] = _measured(rt, cut, number, reserve)
    return rooms[key]


def _measured(rt: Runtime, cut: _Cut, number: int, reserve: int) -> int:
    fits, fails = 1, number + 1
    middle = number
    while fails - fits > 1:
        size = len(draw(rt, cut.sheet(middle)).html.encode())
        fits, fails = (middle, fails) if size + reserve <= MAX_HTML_BYTES else (fits, middle)
        middle = (fits + fails) // 2
    return fits


# What was measured, by (content, order, reserve); it goes when the renderer goes.
_rooms: WeakKeyDictionary[Renderer, dict[tuple[bytes, tuple[int, ...], int], int]] = WeakKeyDictionary()
