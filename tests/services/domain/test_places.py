"""Places are found by code and by every name people use; a name that means several is never guessed."""

import pytest

from services.domain import places
from services.errors import BadInput


def codes(text: str) -> tuple[str, ...]:
    return tuple(place.code for place in places.find(text))


@pytest.mark.parametrize("text", ["Toruń", "torun", "TORUN", " miasto Toruń ", "0463011", "046301"])
def test_a_town_is_found_by_its_names_and_codes(text: str) -> None:
    assert codes(text) == ("0463011",)


def test_the_two_of_one_name_are_both_meant_and_told_apart() -> None:
    assert codes("Chełmża") == ("0415011", "0415022")
    assert codes("miasto Chełmża") == ("0415011",)
    assert codes("Chełmża (gmina)") == ("0415022",)
    with pytest.raises(BadInput, match=r"0415011 Chełmża \(miasto\), 0415022 Chełmża \(gmina\)"):
        places.get("chelmza")


def test_a_county_is_a_place_and_so_is_the_region() -> None:
    assert codes("powiat toruński") == ("0415",)
    assert codes("0415") == ("0415",)
    assert codes("kujawsko-pomorskie") == ("04",)
    assert codes("0410") == ("0410",)


def test_the_other_counties_of_the_region_have_names_and_the_region_has_several() -> None:
    assert codes("powiat nakielski") == codes("w powiecie nakielskim") == ("0410",)
    assert places.label("0419") == "powiat żniński"
    assert places.label("0461") == "Bydgoszcz"
    for name in ("Kujawy i Pomorze", "na Kujawach i Pomorzu", "Kuyavian-Pomeranian Voivodeship"):
        assert codes(name) == ("04",)


def test_a_code_stays_when_the_type_of_its_unit_changes() -> None:
    assert codes("0403013") == ("0403012",)
    assert places.label("0403013") == "Białe Błota"


@pytest.mark.parametrize("text", ["", "Atlantyda", "9999", "04030", "1465011", "٠٤"])
def test_what_is_no_place_of_the_area_is_not_found(text: str) -> None:
    assert codes(text) == ()
    with pytest.raises(BadInput, match="no place"):
        places.get(text)


def test_a_place_lies_in_its_county_and_region() -> None:
    assert places.ancestors("0403012") == ("04", "0403", "040301")
    assert places.ancestors("0403") == ("04", "0403")


def test_all_units_of_the_area_have_names() -> None:
    assert len(places.PLACES) == 26
    assert places.label("0461011") == "Bydgoszcz"
    assert places.label("1465011") == "1465011"
