"""The topics of the region: sixteen on the first level, any number below them, written `ict-ai/robotics`.

Only the first level is fixed here; whoever assigns topics may refine them. Never asks people for codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.domain.folding import slug


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with its labels; `parent` is the slug above it, None on the first level."""

    slug: str
    pl: str
    en: str
    parent: str | None = None

    def label(self, locale: str) -> str:
        return self.pl if locale.startswith("pl") else self.en


_FIRST_LEVEL = (
    Topic("food", "żywność", "food"),
    Topic("health", "zdrowie", "health"),
    Topic("tools-plastics", "narzędzia i tworzywa", "tools and plastics"),
    Topic("transport-mobility", "transport i mobilność", "transport and mobility"),
    Topic("logistics", "logistyka", "logistics"),
    Topic("ict-ai", "ICT i sztuczna inteligencja", "ICT and artificial intelligence"),
    Topic("energy-climate", "energia i klimat", "energy and climate"),
    Topic("heritage-creative", "dziedzictwo i branże kreatywne", "heritage and creative industries"),
    Topic("circular-economy", "gospodarka o obiegu zamkniętym", "circular economy"),
    Topic("funding", "fundusze i dofinansowania", "funding"),
    Topic("education-skills", "edukacja i kompetencje", "education and skills"),
    Topic("local-government-planning", "samorząd i planowanie", "local government and planning"),
    Topic("entrepreneurship", "przedsiębiorczość", "entrepreneurship"),
    Topic("social", "sprawy społeczne", "social affairs"),
    Topic("science", "nauka", "science"),
    Topic("work", "praca", "work"),
)

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.slug: topic for topic in _FIRST_LEVEL})

_ALIASES = {
    "food": ("rolnictwo", "agriculture"),
    "health": ("medycyna", "ochrona-zdrowia", "medicine"),
    "heritage-creative": ("dziedzictwo-kreatywne", "dziedzictwo", "kultura", "kultura-i-sztuka", "turystyka",
                          "culture", "heritage"),
    "education-skills": ("edukacja-kompetencje", "edukacja", "oswiata", "szkolenia", "education"),
    "energy-climate": ("energia-klimat", "energia", "klimat", "energy", "climate", "ekologia", "srodowisko",
                       "ochrona-srodowiska", "environment"),
    "funding": ("fundusze", "dofinansowania", "dotacje", "fundusze-europejskie", "fundusze-unijne", "granty",
                "grants"),
    "circular-economy": ("gospodarka-obiegu", "goz", "odpady", "recykling", "recycling"),
    "ict-ai": ("ict", "ai", "sztuczna-inteligencja", "cyfryzacja", "informatyka", "artificial-intelligence"),
    "tools-plastics": ("narzedzia-tworzywa", "narzedzia", "tworzywa"),
    "local-government-planning": ("samorzad-planowanie", "samorzad", "planowanie", "local-government",
                                  "planowanie-przestrzenne"),
    "entrepreneurship": ("biznes", "dla-przedsiebiorcow", "gospodarka", "business"),
    "social": ("spoleczne", "pomoc-spoleczna", "polityka-spoleczna", "seniorzy"),
    "transport-mobility": ("transport-mobilnosc", "transport", "mobilnosc", "mobility", "komunikacja-miejska",
                           "transport-publiczny", "public-transport"),
    "work": ("rynek-pracy", "zatrudnienie", "jobs", "employment"),
}  # fmt: skip

NAMES: Mapping[str, str] = MappingProxyType(
    {slug(name): topic.slug for topic in _FIRST_LEVEL for name in (topic.slug, topic.pl, topic.en)}
    | {alias: topic for topic, aliases in _ALIASES.items() for alias in aliases}
)
"""{any name in folded form: slug of the topic}"""

_CHILD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*){0,4}")
_MAX_LENGTH = 100


def resolve(name: str) -> str | None:
    """The slug for a slug or a label, Polish or English, with or without diacritics; None when unknown.

    What stands below a known topic is known: `zdrowie/szpitale` → `health/szpitale`.
    """
    head, divided, rest = name.partition("/")
    top = NAMES.get(slug(head))
    if top is None or not divided:
        return top
    child = "/".join(slug(part) for part in rest.split("/"))
    is_readable = len(child) <= _MAX_LENGTH and _CHILD.fullmatch(child)
    return f"{top}/{child}" if is_readable else None


def ancestors(topic: str) -> tuple[str, ...]:
    """The topic with all that it lies in, the widest first."""
    parts = topic.split("/")
    return tuple("/".join(parts[: count + 1]) for count in range(len(parts)))


def label(topic: str, locale: str) -> str:
    """For people: the first level by its label, what lies below by its slug."""
    head, divided, rest = topic.partition("/")
    known = TOPICS.get(head)
    return (known.label(locale) if known else head) + (f" / {rest}" if divided else "")
