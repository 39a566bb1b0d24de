"""The cases of names are understood, by a list that agrees with the dictionary it was made by."""

import pytest

from services.domain import declension, places
from services.interests.polish import dictionary


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Toruniu", "0463011"),
        ("w Bydgoszczy", "0461011"),
        ("Solcu Kujawskim", "0403083"),
        ("z Solca Kujawskiego", "0403083"),
        ("Białych Błotach", "0403012"),
        ("gminie Białe Błota", "0403012"),
        ("Nowej Wsi Wielkiej", "0403052"),
        ("Zławsi Wielkiej", "0415092"),
        ("Wielkiej Nieszawce", "0415082"),
        ("Nakle nad Notecią", "0410033"),
        ("gminy Chełmża", "0415022"),
        ("powiecie bydgoskim", "0403"),
        ("kujawsko-pomorskim", "04"),
    ],
)
def test_a_place_is_found_in_any_case(typed: str, meant: str) -> None:
    assert [place.code for place in places.find(typed)] == [meant]


@pytest.mark.parametrize("typed", ["Warszawie", "torunianin", "gmina", "w", "wielkiej", "-", "a-b-c-d-e-f-g"])
def test_what_is_no_name_in_any_case_is_none(typed: str) -> None:
    assert places.find(typed) == ()


def test_the_ways_to_read_a_name_are_few() -> None:
    assert len(list(declension.bases(" ".join(["wielkiej"] * declension.MAX_WORDS)))) <= declension.MOST


@pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")
def test_the_list_of_forms_is_what_the_dictionary_makes_of_the_names() -> None:
    from tests.services.domain import declining  # it needs the dictionary

    made = declining.declined(declining.names())
    assert made == {form: list(bases) for form, bases in declension.FORMS.items()}
