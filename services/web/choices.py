"""What a person may pick from: topics, places and kinds, named in their language.

Places stand in alphabetical order; no city comes first for any other reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.domain import places, topics
from services.domain.notices import KINDS, audience_label, kind_label

_POLISH = {letter: f"{base}~" for letter, base in zip("ąćęłńóśż", "acelnosz", strict=True)} | {"ź": "z}"}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Choices that stand together; `code` names the group (empty: no name)."""

    code: str
    choices: tuple[Choice, ...]

    def has_any(self, values: tuple[str, ...]) -> bool:
        return any(choice.value in values for choice in self.choices)


def topic_groups(locale: str) -> list[Group]:
    """The first level of topics, by name."""
    first = (Choice(t.slug, topic_name(t.slug, locale)) for t in topics.TOPICS.values() if not t.parent)
    return [Group("", _by_name(first))]


def topic_name(slug: str, locale: str) -> str:
    """The name of a topic; what stands below the first level keeps its own words."""
    head, _, rest = slug.partition("/")
    topic = topics.TOPICS.get(head)
    label = _capital(topic.label(locale)) if topic else slug
    return f"{label}: {rest.replace('-', ' ')}" if topic and rest else label


def kind_groups(locale: str) -> list[Group]:
    return [Group("", _by_name(Choice(kind, kind_name(kind, locale)) for kind in KINDS))]


def kind_name(kind: str, locale: str) -> str:
    return _capital(kind_label(kind, locale))


def audience_name(audience: str, locale: str) -> str:
    return audience_label(audience, locale)


def place_groups() -> list[Group]:
    """Cities, then counties, then their municipalities."""
    groups: dict[str, list[Choice]] = {"cities": [], "counties": [], "municipalities": []}
    for code in places.PLACES:
        if code == places.REGION:
            continue  # the whole region is what no choice means
        groups[_rank(code)].append(Choice(code, place_name(code)))
    return [Group(code, _by_name(choices)) for code, choices in groups.items() if choices]


def place_name(code: str) -> str:
    return places.label(code)


def polish_order(text: str) -> str:
    """A key by which Polish words stand as in a dictionary."""
    return "".join(_POLISH.get(letter, letter) for letter in text.lower())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rank(code: str) -> str:
    if len(code) == 4:
        return "counties"
    return "cities" if code[2:4] >= "61" else "municipalities"  # a city with county rights


def _by_name(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(choices, key=lambda choice: polish_order(choice.label)))
