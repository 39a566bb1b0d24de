"""The municipalities and counties of the area by TERYT code and by name; the region's other counties too.

Names are not keys: there are two Chełmżas. Six digits identify a unit; the seventh is its type and changes
when a village becomes a town, so a code is found by its first six.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from services.domain import areas, declension
from services.domain.folding import slug
from services.errors import BadInput

REGION = "04"
_REGION_NAMES = (
    "kujawsko-pomorskie", "wojewodztwo-kujawsko-pomorskie", "kujawsko-pomorskie-region", "kujawy-i-pomorze",
    "kujawy-and-pomerania", "kuyavian-pomeranian", "kuyavian-pomeranian-voivodeship", "kuyavia-pomerania",
)  # fmt: skip
_QUALIFIED = re.compile(r"(.+?) \((.+)\)")


@dataclass(frozen=True, slots=True)
class Place:
    """A unit of the area. `code` is TERYT: 2 digits a region, 4 a county, 7 a municipality."""

    code: str
    name: str
    kind: str


def _read() -> dict[str, Place]:
    text = files("services.domain").joinpath("data/btof_units.json").read_text(encoding="utf-8")
    region = Place(REGION, "województwo kujawsko-pomorskie", "województwo")
    units = [Place(unit["teryt"], unit["name"], unit["type"]) for unit in json.loads(text)]
    return {place.code: place for place in (region, *units)}


PLACES: Mapping[str, Place] = MappingProxyType(_read())
_COUNTIES = (
    "0401 aleksandrowski", "0402 brodnicki", "0404 chełmiński", "0405 golubsko-dobrzyński",
    "0406 grudziądzki", "0407 inowrocławski", "0408 lipnowski", "0409 mogileński", "0410 nakielski",
    "0411 radziejowski", "0412 rypiński", "0413 sępoleński", "0414 świecki", "0416 tucholski",
    "0417 wąbrzeski", "0418 włocławski", "0419 żniński",
)  # fmt: skip
AROUND: Mapping[str, Place] = MappingProxyType(
    {code: Place(code, f"powiat {name}", "powiat") for code, name in map(str.split, _COUNTIES)}
)
"""The counties of the region that are no units of the area: known by name, offered to nobody."""
_BY_STEM: Mapping[str, Place] = MappingProxyType({code[:6]: place for code, place in PLACES.items()})


def _names(place: Place) -> set[str]:
    """All that people may call a place: `Chełmża (miasto)` is also `Chełmża` and `miasto Chełmża`."""
    if place.code == REGION:
        return set(_REGION_NAMES)
    names = {place.name}
    if qualified := _QUALIFIED.fullmatch(place.name):
        names |= {qualified[1], f"{qualified[2]} {qualified[1]}"}
    elif "miejska" in place.kind or "miejsko" in place.kind:
        names |= {f"miasto {place.name}", f"gmina {place.name}"}
    elif "wiejska" in place.kind:
        names |= {f"gmina {place.name}"}
    return {slug(name) for name in names}


def _index() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for place in (*PLACES.values(), *AROUND.values()):
        for name in _names(place):
            found.setdefault(name, []).append(place.code)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(_index())
"""{any name in folded form: codes of all places called so}"""


def find(name_or_code: str) -> tuple[Place, ...]:
    """Every place that is meant, in order of code; empty when there is none.

    Names come in any case, with or without diacritics: `Toruniu`, `gminie Chełmża`. A code of 2, 4, 6 or 7
    digits means one unit; the 4 digits of a city that is a county are known by the city.
    """
    text = name_or_code.strip()
    if text.isascii() and text.isdigit():
        place = _by_code(text)
        return (place,) if place else ()
    return tuple(PLACES.get(code) or AROUND[code] for code in _called(text))


def _called(text: str) -> tuple[str, ...]:
    """As it is, or else what it is another case of, where that is one name alone."""
    if found := NAMES.get(slug(text)):
        return found
    meant = {codes for name in declension.bases(text) if (codes := NAMES.get(name))}
    return meant.pop() if len(meant) == 1 else ()


def _by_code(code: str) -> Place | None:
    if len(code) in (6, 7):
        return _BY_STEM.get(code[:6])
    if len(code) in (2, 4) and any(known.startswith(code) for known in PLACES):
        return PLACES.get(code) or AROUND.get(code) or Place(code, _city(code), "powiat")
    return AROUND.get(code)


def _city(county: str) -> str:
    return next(place.name for place in PLACES.values() if place.code.startswith(county))


def get(name_or_code: str) -> Place:
    """The one place that is meant. Raises BadInput when there is none, or several of the name."""
    found = find(name_or_code)
    if not found:
        raise BadInput(f"no place of the area is called, or has the code, {name_or_code!r}")
    if len(found) > 1:
        told = ", ".join(f"{place.code} {place.name}" for place in found)
        raise BadInput(f"{name_or_code!r} may mean several places, give the code of one: {told}")
    return found[0]


def stem(code: str) -> str:
    """The part of a code that stays: without the digit of the type."""
    return code[:6]


def ancestors(code: str) -> tuple[str, ...]:
    """Stems of the place and of all that it lies in, the widest first: region, county, municipality."""
    return tuple(code[:digits] for digits in (2, 4, 6) if len(code) >= digits)


def label(code: str) -> str:
    """The name for people; a place outside the area is shown by its code."""
    if area := areas.AREAS.get(code):
        return area.pl
    place = PLACES.get(code) or (_by_code(code) if code.isascii() and code.isdigit() else None)
    return place.name if place else code
