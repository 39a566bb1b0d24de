"""What a feed's categories say in our words: one may name a kind, a topic, a place or an audience."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.domain import places, topics
from services.domain.notices import AUDIENCES, KINDS, kind_label

MAX_READ = 50
MAX_LENGTH = 100
_KINDS = {name: kind for kind in KINDS for name in (kind, kind_label(kind, "pl"), kind_label(kind, "en"))}


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
        name = " ".join(category[:MAX_LENGTH].split()).lower()
        if name in _KINDS:
            kind = kind or _KINDS[name]
        elif topic := topics.resolve(name):
            found_topics.append(topic)
        elif name in AUDIENCES:
            audience.append(name)
        elif not name.isdigit() and len(found := places.find(name)) == 1:
            found_places.append(found[0].code)
    return Words(kind, *(tuple(dict.fromkeys(each)) for each in (found_topics, found_places, audience)))
