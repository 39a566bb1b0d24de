"""Areas: named, dated sets of units that may overlap, such as a functional area; and the country.

A unit belongs to an area on a day. Who asks for an area means what lies in it on the day of each notice, so
that a change of its bounds changes no stored query.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from services.domain.folding import slug


@dataclass(frozen=True, slots=True)
class Area:
    """`units` are beginnings of TERYT codes; the area stands from `since` until the day before `until`."""

    code: str
    pl: str
    en: str
    units: tuple[str, ...]
    since: date | None
    until: date | None

    def stands(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)

    def holds(self, code: str) -> bool:
        return code.startswith(self.units)


def _read() -> tuple[dict[str, Area], dict[str, str]]:
    text = files("services.domain").joinpath("data/areas.json").read_text(encoding="utf-8")
    found, names = {}, {}
    for one in json.loads(text):
        since, until = (date.fromisoformat(one[n]) if one[n] else None for n in ("since", "until"))
        area = Area(one["code"], one["pl"], one["en"], tuple(one["units"]), since, until)
        found[area.code] = area
        for name in (area.code, area.pl, area.en, *one["names"]):
            names[slug(name)] = area.code
    return found, names


_FOUND, _NAMES = _read()
AREAS: Mapping[str, Area] = MappingProxyType(_FOUND)
NAMES: Mapping[str, str] = MappingProxyType(_NAMES)
"""{any name in folded form: code of the area}"""


def find(name: str) -> Area | None:
    """The area of a name, Polish or English, with or without diacritics."""
    code = NAMES.get(slug(name))
    return AREAS[code] if code else None


@lru_cache(maxsize=4096)
def areas_of(place: str, day: date) -> tuple[str, ...]:
    """Codes of the areas in which a place (a TERYT code) lies on a day."""
    return tuple(area.code for area in AREAS.values() if area.stands(day) and area.holds(place))
