"""Words meet in all their forms, with or without diacritics, and words that only look alike do not."""

import pytest

from services.interests.polish import MAX_RESTORED, dictionary, restored
from services.interests.text import Analyser
from services.interests.tokens import tokenise, words

ANALYSER = Analyser()
needs_dictionary = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


def meet(typed: str, written: str, *, is_english: bool = False, analyser: Analyser = ANALYSER) -> bool:
    keys = analyser.query_keys(typed)
    tokens = tokenise(written)
    return any(keys & analyser.document_keys(token, is_english=is_english) for token in tokens)


@needs_dictionary
@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("innowacja", "o innowacjach"),
        ("innowacji", "Innowacja"),
        ("przedsiębiorca", "dla przedsiębiorców"),
        ("wspolpraca", "współpracę"),
        ("wspolprace", "o współpracy"),
        ("przedsiebiorczosci", "przedsiębiorczość"),
        ("kolo", "koło naukowe"),
        ("mlodziez", "MŁODZIEŻY"),
        ("dzialki", "działka"),
        ("wojcik", "prof. Wójcika"),
        ("toruń", "w Toruniu"),
        ("torun", "TORUŃ: nabór"),
        ("Toruniu", "TORUŃ: nabór"),
        ("Świecie", "przetarg w Świeciu"),
        ("świecie", "na świecie"),
        ("NABÓR", "wyniki naboru"),
        ("nabór", "NABÓR WNIOSKÓW NA DOTACJE"),
        ("OZE", "instalacje OZE"),
        ("oze", "instalacje OZE"),
        ("NCBR", "konkurs NCBR-u"),
        ("ncbr", "konkurs NCBR-u"),
        ("b+r", "prace B+R"),
        ("2026", "rok 2026"),
        ("5G", "sieć 5g"),
        ("niemiecki", "program polsko-niemiecki"),
        ("startup", "dla startupów"),
        ("startups", "dla startupów"),
        ("msp", "dla MŚP"),
        ("społeczny", "rozwój społeczno-gospodarczy"),
        ("polski", "program polsko-niemiecki"),
        ("naukowy", "park naukowo-technologiczny"),
        ("kujawski", "województwo Kujawsko-Pomorskie"),
        ("gospodarczy", "SPOŁECZNO-GOSPODARCZY"),
        ("grants", "granty i grant"),
        ("badanie", "badań"),
        ("ARiMR", "wnioski do ARiMR-u"),
        ("zus", "składki do ZUSu"),
        ("sme", "support for SMEs"),
        ("NGO", "dla NGO-sów"),
        ("Joe", "koncert Joe'go"),
        ("google", "konto Google’a"),
        ("Kościuszko", "przy ul. Kościuszki"),
        ("Rypina", "miasto Rypin"),
        ("sepolno", "w Sępólnie"),
        ("osielsko", "w Osielsku"),
        ("kujawach", "na Kujawy"),
        ("GOLUB", "do Golubia"),
        ("DĄB", "pod dębem"),
        ("hub", "dla hubów"),
        ("startupow", "nowy startup"),
        ("CO2", "mniej CO₂"),
        ("m2", "lokal o 120 m²"),
    ],
)
def test_forms_of_one_word_meet(typed: str, written: str) -> None:
    is_english = typed == "grants"
    assert meet(typed, written, is_english=is_english)


@needs_dictionary
@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("żądanie", "zadanie"),
        ("sąd", "sad"),
        ("sąd", "sady"),
        ("Świecie", "na świecie"),
        ("świat", "przetarg w Świeciu"),
        ("badanie", "badać"),
        ("moc", "można i może"),
        ("PO", "po południu"),
        ("wiec", "więc"),
        ("sad", "wyrok sądu"),
        ("zadanie", "żądanie zapłaty"),
        ("metr", "m.in. szkoły"),
        ("rak", "podanie rąk"),
        ("Polska", "sekretariat@umk.pl"),
    ],
)
def test_words_that_only_look_alike_do_not_meet(typed: str, written: str) -> None:
    assert not meet(typed, written)


@needs_dictionary
def test_small_words_of_a_phrase_typed_without_diacritics_are_found() -> None:
    wanted = ANALYSER.phrase_keys(("ucza", "sie"))
    tokens = tokenise("uczą się")
    assert all(keys & ANALYSER.document_keys(token) for keys, token in zip(wanted, tokens, strict=True))


@needs_dictionary
def test_a_phrase_typed_without_diacritics_is_found_even_where_its_words_are_others_without() -> None:
    wanted = ANALYSER.phrase_keys(("sad", "rejonowy"))
    tokens = tokenise("sądu rejonowego")
    assert all(keys & ANALYSER.document_keys(token) for keys, token in zip(wanted, tokens, strict=True))


@needs_dictionary
def test_a_word_typed_without_diacritics_says_what_it_stands_for() -> None:
    assert ANALYSER.understood("wspolpraca") == ("współpraca",)
    assert ANALYSER.understood("zadan") == ("zadanie", "żądanie")
    assert ANALYSER.understood("zadanie") == ("zadanie",)
    assert ANALYSER.understood("NCBR") == ("NCBR",)


def test_english_words_meet_in_their_forms() -> None:
    assert meet("policies", "a new policy", is_english=True)
    assert meet("robots", "robot", is_english=True)


def test_restoring_diacritics_is_bounded_and_knows_the_word() -> None:
    assert "zrównoważonego" in restored("zrownowazonego")
    assert len(list(restored("zcz" * 20))) <= MAX_RESTORED


def test_an_endless_word_is_no_burden() -> None:
    (token,) = tokenise("ż" * 100_000)
    assert ANALYSER.document_keys(token)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("innowacja", "innowacje"),
        ("robotyka", "robotyki"),
        ("wspolpraca", "współpraca"),
        ("NCBR", "NCBR-u"),
        ("policies", "policy"),
    ],
)
def test_without_a_dictionary_stems_do_what_they_can_and_say_so(typed: str, written: str) -> None:
    analyser = Analyser(with_dictionary=False)
    assert analyser.notice is not None
    assert meet(typed, written, analyser=analyser)
    assert not meet("żądanie", "zadanie", analyser=analyser)


def test_tokens_are_words_numbers_acronyms_and_parts_of_compounds() -> None:
    text = "Polsko-niemiecki konkurs NCBR-u: B+R, C++, R&D, e-mail, 3D; in\u00adnowacje_2026 (zdrowie+praca)"
    assert [token.surface for token in tokenise(text)] == [
        "Polsko", "niemiecki", "konkurs", "NCBR", "B+R", "C++", "R&D", "e", "mail", "3D", "innowacje",
        "2026", "zdrowie", "praca",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NCBR-u", "NCBR"),
        ("ncbr-u", "ncbr"),
        ("ARiMR-owi", "ARiMR"),
        ("UMK-iem", "UMK"),
        ("ZUSu", "ZUS"),
        ("PITów", "PIT"),
        ("SMEs", "SME"),
        ("Joe'go", "Joe"),
        ("Google’em", "Google"),
        ("company's", "company"),
        ("IIIa", "IIIa"),
        ("KSeF", "KSeF"),
        ("e-mail", "e mail"),
        ("start-up", "start up"),
        ("B2B", "B2B"),
    ],
)
def test_a_word_is_cut_from_an_ending_that_stands_apart(written: str, read: str) -> None:
    assert words(written) == read.split()
