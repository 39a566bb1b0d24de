"""What a feed's categories say in our words: a category that names a kind, a topic, a place or an audience."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.domain import places, topics
from services.domain.folding import fold
from services.domain.notices import AUDIENCES, kind_named
from services.errors import BadInput

MAX_READ = 50


@dataclass(frozen=True, slots=True)
class Words:
    kind: str | None
    topics: tuple[str, ...]
    places: tuple[str, ...]
    audience: tuple[str, ...]


def read(categories: Iterable[str]) -> Words:
    """The first kind, and every topic, place and audience that a category names; the rest is passed over.

    A name that means several places names none of them.
    """
    kind: str | None = None
    found_topics: list[str] = []
    found_places: list[str] = []
    audience: list[str] = []
    for category in list(categories)[:MAX_READ]:
        kind = kind or kind_named(category)
        if topic := topics.named(category):
            found_topics.append(topic)
        elif place := _place(category):
            found_places.append(place)
        elif fold(category) in AUDIENCES:
            audience.append(fold(category))
    return Words(kind, *(tuple(dict.fromkeys(each)) for each in (found_topics, found_places, audience)))


def _place(category: str) -> str | None:
    if fold(category) in ("bof", "tof", "btof") or places.is_code(category):
        return None
    try:
        return places.find(category).code
    except BadInput:
        return None
