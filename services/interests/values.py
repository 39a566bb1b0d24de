"""What may stand behind a field: one spelling for each value, and the nearest one for what is unknown."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from services.domain import areas, declension, places, topics
from services.domain.folding import slug
from services.domain.notices import AUDIENCES, KINDS, OPERATION, audience_label, kind_label
from services.interests.tree import FacetField

# ISO 639-1 codes of the languages of Europe and of its largest neighbours.
LANGUAGES = re.findall(
    "[a-z]+",
    "ar be bg bs ca cs cy da de el en eo es et eu fi fr ga gl he hi hr hu hy is it ja ka ko la lb lt lv "
    "mk mt nb nl nn no pl pt ro ru sk sl sq sr sv tr uk vi zh",
)
MAX_VALUE = 100
_REGION = re.compile(r"(?<=^[a-zA-Z]{2})[-_][a-zA-Z]{2}$")  # pl-PL
_CODE = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")


class UnknownValue(ValueError):
    """A value that its field does not know; `suggestion` is the nearest that it knows."""

    def __init__(self, message: str, *, expected: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.suggestion = suggestion


def resolve(field: FacetField, text: str) -> tuple[str, ...]:
    """The values that are meant, in their one spelling; several only where a place's name means several.

    Raises UnknownValue.
    """
    match field:
        case FacetField.TOPIC:
            return (_topic(text),)
        case FacetField.PLACE:
            return _places(text)
        case FacetField.KIND:
            return (_listed("kind", text, _KIND_NAMES, (*KINDS, OPERATION)),)
        case FacetField.AUDIENCE:
            return (_listed("audience", text, _AUDIENCE_NAMES, AUDIENCES),)
        case FacetField.LANG:
            name = _REGION.sub("", text)
            return (_listed("lang", name, _LANGUAGE_NAMES, ("pl", "en", "de", "uk", "…")),)
        case FacetField.SOURCE | FacetField.INSTITUTION:
            return (_code(field, text),)


# What is no value, and what its writer is likely to mean; only suggested.
_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "kind konkurs": "call", "kind konkursy": "call", "kind grant": "call", "kind granty": "call",
        "kind dotacja": "call", "kind dotacje": "call", "kind wydarzenie": "meeting",
        "kind wydarzenia": "meeting", "kind event": "meeting", "kind events": "meeting",
        "kind konferencja": "meeting", "kind szkolenie": "meeting", "kind webinar": "meeting",
        "kind warsztaty": "meeting", "kind wiadomosc": "news", "kind wiadomosci": "news",
        "kind informacja": "news", "kind zamowienie": "tender", "kind zamowienia": "tender",
        "kind staz": "job", "kind vacancy": "job", "kind job-offer": "job", "kind oferta-pracy": "job",
        "kind partner": "consortium", "topic rolnictwo": "food", "topic agriculture": "food",
        "topic szkolnictwo": "education-skills", "topic szkoly": "education-skills",
        "topic medycyna": "health", "topic informatyka": "ict-ai", "topic it": "ict-ai",
        "topic energetyka": "energy-climate", "topic biznes": "entrepreneurship",
        "topic firmy": "entrepreneurship", "topic granty": "funding", "topic grants": "funding",
        "topic badania": "science", "topic research": "science", "audience przedsiebiorca": "company",
        "audience przedsiebiorcy": "company", "audience msp": "company", "audience sme": "company",
        "audience business": "company", "audience badacze": "researcher", "audience uczniowie": "school",
        "audience nauczyciele": "school", "audience jst": "local_government",
        "audience gmina": "local_government", "audience gminy": "local_government",
        "audience iob": "business_support", "audience obywatele": "citizen", "audience seniorzy": "citizen",
        "audience dziennikarze": "media",
    }
)  # fmt: skip


def _topic(text: str) -> str:
    head, divided, rest = text.partition("/")
    if found := topics.resolve(text):
        return found
    if rest.strip("/ ") and (above := _declined(head, topics.NAMES)):
        head = above
        if found := topics.resolve(f"{head}/{rest}"):
            return found
    elif not divided and (found := _declined(text, topics.NAMES)):
        return found
    raise _unknown("topic", text, near=_nearest(head, topics.NAMES), expected=topics.TOPICS)


def _places(text: str) -> tuple[str, ...]:
    if found := places.find(text):
        return tuple(place.code for place in found)
    if area := areas.find(text):
        return (area.code,)
    names = [*places.NAMES, *areas.NAMES]
    near = _nearest(text, places.PLACES) if text.isdigit() else begun(text) or _nearest(text, names)
    raise UnknownValue(
        f"unknown place {text[:40]!r}",
        expected="a municipality or county of the area by its name or TERYT code (torun, 0403, 0461011), "
        "or an area (btof)",
        suggestion=near,
    )


def _names(values: Iterable[str], label: Callable[[str, str], str]) -> dict[str, str]:
    return {slug(name): value for value in values for name in (value, label(value, "pl"), label(value, "en"))}


_KIND_NAMES = MappingProxyType(_names((*KINDS, OPERATION), kind_label))
_AUDIENCE_NAMES = MappingProxyType(_names(AUDIENCES, audience_label))
_LANGUAGE_NAMES = MappingProxyType(
    {code: code for code in LANGUAGES}
    | {
        "polski": "pl", "polish": "pl", "angielski": "en", "english": "en", "niemiecki": "de", "german": "de",
        "ukrainski": "uk", "ukrainian": "uk", "francuski": "fr", "french": "fr", "czeski": "cs",
        "czech": "cs", "hiszpanski": "es", "spanish": "es", "wloski": "it", "italian": "it", "litewski": "lt",
        "lithuanian": "lt",
    }
)  # fmt: skip


def _listed(field: str, text: str, names: MappingProxyType[str, str], told: Iterable[str]) -> str:
    if found := names.get(slug(text)) or _declined(text, names):
        return found
    raise _unknown(field, text, near=_nearest(text, names), expected=told)


def _declined(text: str, names: Mapping[str, str]) -> str | None:
    """What a name in another case (`zdrowiu`, `przetargi`) stands for, where that is one value alone."""
    meant = {names[name] for name in declension.bases(text) if name in names}
    return meant.pop() if len(meant) == 1 else None


def _code(field: FacetField, text: str) -> str:
    """A source's number or an institution's slug: whether it exists is not known here."""
    code = text.lower() if _CODE.fullmatch(text.lower()) else slug(text)
    if field is FacetField.SOURCE and code.isdecimal():
        code = code.lstrip("0") or "0"
    if not _CODE.fullmatch(code) or len(code) > MAX_VALUE:
        named = "an institution" if field is FacetField.INSTITUTION else f"a {field}"
        raise UnknownValue(
            f"{text[:40]!r} cannot be the short name of {named}",
            expected=f"the {field}'s short name, of letters and digits",
        )
    return code


def _unknown(field: str, text: str, *, near: str | None, expected: Iterable[str]) -> UnknownValue:
    meant = _MEANT.get(f"{field} {slug(text[:MAX_VALUE])}", near)
    return UnknownValue(
        f"unknown {field} {text[:40]!r}", expected=f"one of {', '.join(expected)}", suggestion=meant
    )


def _nearest(text: str, names: Iterable[str]) -> str | None:
    found = get_close_matches(slug(text[:MAX_VALUE]), list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def begun(text: str) -> str | None:
    """The one place whose name begins with these words: `solec` → `solec-kujawski`.

    Of several words the last may be cut short or misspelt: `solec kujawsk`, `nowa wies wilka`.
    """
    start, names = slug(text[:MAX_VALUE]), [*places.NAMES, *areas.NAMES]
    found = [name for name in names if name.startswith(f"{start}-")]
    if not found and "-" in start:
        found = get_close_matches(start, names, n=1, cutoff=0.85)
    return found[0] if len(found) == 1 else None
