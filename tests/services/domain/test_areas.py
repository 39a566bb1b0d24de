"""Areas are named, dated and may overlap; who asks for one means what lies in it on the day."""

from datetime import UTC, date, datetime

import pytest

from services.domain import areas
from services.interests.atoms import atoms_of_reading, leaf_atoms
from services.interests.documents import Document
from services.interests.evaluate import meets
from services.interests.language import canonical, parse
from services.interests.reading import Reading
from services.interests.text import Analyser

ANALYSER = Analyser(with_dictionary=False)
BEFORE, AFTER = date(2020, 12, 31), date(2021, 1, 1)


def test_an_area_holds_from_its_first_day() -> None:
    assert areas.areas_of("0463011", BEFORE) == ("pl", "btof")
    assert areas.areas_of("0463011", AFTER) == ("pl", "btof", "tof")
    assert areas.areas_of("0461011", AFTER) == ("pl", "btof", "bof")
    assert areas.areas_of("1465011", AFTER) == ("pl",)


def test_every_unit_lies_in_one_of_both_smaller_areas() -> None:
    whole = set(areas.AREAS["btof"].units)
    bof, tof = set(areas.AREAS["bof"].units), set(areas.AREAS["tof"].units)
    assert (len(whole), bof | tof, bof & tof) == (23, whole, set())


@pytest.mark.parametrize("name", ["btof", "BTOF", "Bydgosko-Toruński Obszar Funkcjonalny"])
def test_an_area_has_names(name: str) -> None:
    assert canonical(parse(f'place:"{name}"')) == "place:btof"


@pytest.mark.parametrize(
    ("query", "place", "day", "is_met"),
    [
        ("place:tof", "0463011", AFTER, True),
        ("place:tof", "0463011", BEFORE, False),
        ("place:tof", "0461011", AFTER, False),
        ("place:btof", "0415072", BEFORE, True),
        ("place:polska", "1465011", AFTER, True),
        ("place:polska", "", AFTER, False),
        ("place:tof -place:torun", "0415072", AFTER, True),
        ("place:tof -place:torun", "0463011", AFTER, False),
    ],
)
def test_the_matcher_and_the_plain_reading_agree_on_areas(
    query: str, place: str, day: date, is_met: bool
) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    document = Document(1, "news", "x", "", "", "pl", (), (place,) if place else (), "1", (), (), None, at)
    reading, tree = Reading(document, ANALYSER), parse(query)
    assert meets(tree, reading, at) is is_met
    told = atoms_of_reading(reading, at).plain["place"]
    positive = parse(query.split()[0])
    assert bool(leaf_atoms(positive, ANALYSER) & told) or not is_met  # type: ignore[arg-type]
