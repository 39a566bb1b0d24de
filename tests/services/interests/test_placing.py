"""Places are recognised in any case, and only where no other can be meant."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain import places
from services.interests.documents import Document
from services.interests.placing import Gazetteer
from services.interests.polish import dictionary
from services.interests.reading import Reading
from services.interests.text import Analyser

ANALYSER = Analyser()
GAZETTEER = Gazetteer(ANALYSER)
pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


WORDS = Path(__file__).parent / "words"
SENTENCES = [line.split("\t") for line in (WORDS / "places.tsv").read_text("utf-8").splitlines()[1:]]
CASES = [line.split("\t") for line in (WORDS / "place_cases.tsv").read_text("utf-8").splitlines()]


def codes(text: str, language: str = "pl") -> tuple[str, ...]:
    document = Document(
        1, "news", text, "", "", language, (), (), "1", (), (), None, datetime(2026, 11, 23, tzinfo=UTC)
    )
    return GAZETTEER.codes(Reading(document, ANALYSER).title)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Spotkanie w Toruniu", ("0463011",)),
        ("TORUŃ: konsultacje", ("0463011",)),
        ("Z Bydgoszczy do Torunia", ("0461011", "0463011")),
        ("mieszkańcy gminy Białe Błota", ("0403012",)),
        ("w Białych Błotach otwarto szkołę", ("0403012",)),
        ("nabór w Solcu Kujawskim", ("0403083",)),
        ("targi w Nakle nad Notecią", ("0410033",)),
        ("w Nowej Wsi Wielkiej", ("0403052",)),
        ("gmina Chełmża ogłasza", ("0415022",)),
        ("w gminie Chełmża", ("0415022",)),
        ("Urząd Miasta Chełmży", ("0415011",)),
        ("Burmistrz Miasta Chełmży", ("0415011",)),
        ("w powiecie bydgoskim", ("0403",)),
        ("Starostwo: powiat toruński i Łysomice", ("0415062",)),
        ("województwo kujawsko-pomorskie", ("04",)),
        ("w Kujawsko-Pomorskiem", ("04",)),
        ("gmina Lubicz", ("0415042",)),
        ("do Osielska", ("0403062",)),
    ],
)
def test_a_place_is_known_in_any_case(text: str, meant: tuple[str, ...]) -> None:
    assert codes(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "w Chełmży",
        "Jan Lubicz wygrał konkurs",
        "łubianka truskawek",
        "Łubianka truskawek dla każdego",
        "ulica Toruńska i Bydgoska",
        "białe błota",
        "nowa wieś wielka",
        "toruńskie pierniki",
        "Solec nad Wisłą",
        "",
    ],
)
def test_what_may_be_something_else_is_no_place(text: str) -> None:
    assert codes(text) == ()


@pytest.mark.parametrize(("language", "meant", "sentence"), SENTENCES)
def test_a_sentence_names_these_places_and_no_others(language: str, meant: str, sentence: str) -> None:
    assert set(codes(sentence, language)) == set(meant.split())


@pytest.mark.parametrize("declined", CASES, ids=lambda row: row[1])
def test_every_unit_is_known_in_all_seven_cases(declined: list[str]) -> None:
    code, *forms = declined
    for form in forms:
        assert codes(f"Nowy park w gminie {form}") == codes(f"Zebranie, w {form}") == (code,), form
        assert [place.code for place in places.find(f"w gminie {form}")] == [code], form
