"""Inflected forms meet their base form and look-alikes do not, counted over lists of words of this field.

The lists whose names begin with `held_out` were written before a look at the rules or at the other lists; no
rule was made for a word of theirs alone.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from services.domain.folding import fold
from services.interests import language
from services.interests.evaluate import meets
from services.interests.polish import dictionary
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.interests.tokens import tokenise
from tests.services.interests.queries import NOW, document

WORDS = Path(__file__).parent / "words"
FORMS = [("forms.txt",), ("more_forms.txt",), ("held_out_forms.txt", "held_out_more_forms.txt")]
LOOK_ALIKES = [
    ("look_alikes.txt",),
    ("more_look_alikes.txt",),
    ("held_out_look_alikes.txt", "held_out_more_look_alikes.txt"),
]
ANALYSER = Analyser()
pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


def lines(name: str) -> list[str]:
    return (WORDS / name).read_text("utf-8").splitlines()


def meet(typed: str, written: str) -> bool:
    """Whether a query finds a word in the middle of a sentence."""
    return meets(language.parse(typed), sentence(written), NOW)


@lru_cache(10_000)
def sentence(written: str) -> Reading:
    return Reading(document(body=f"Tutaj mowa o {written} i o niczym innym."), ANALYSER)


def groups(*names: str) -> list[tuple[str, list[str]]]:
    """[(word, its other forms)]"""
    found = [line.partition(": ") for name in names for line in lines(name)]
    return [(base, forms.split()) for base, _, forms in found]


def pairs_of(*names: str) -> list[tuple[str, str]]:
    return [(base, form) for base, forms in groups(*names) for form in forms]


@pytest.mark.parametrize("names", FORMS)
def test_at_least_ninety_nine_of_a_hundred_forms_meet_their_base(names: tuple[str, ...]) -> None:
    pairs = pairs_of(*names)
    assert len(pairs) >= 500
    missed = [(base, form) for base, form in pairs if not meet(base, form)]
    assert len(missed) <= len(pairs) / 100, missed


@pytest.mark.parametrize("names", FORMS)
def test_the_same_holds_for_a_base_typed_without_diacritics(names: tuple[str, ...]) -> None:
    pairs = [(fold(base), form) for base, form in pairs_of(*names) if base.islower()]
    missed = [(base, form) for base, form in pairs if not meet(base, form)]
    assert len(missed) <= len(pairs) / 100, missed


def test_names_and_words_of_no_dictionary_meet_their_forms_with_and_without_marks() -> None:
    pairs = pairs_of("rare.txt")
    assert len(pairs) >= 240
    for missed in (
        [(base, form) for base, form in pairs if not meet(base, form)],
        [(base, form) for base, form in pairs if not meet(fold(base), form)],
    ):
        assert len(missed) <= len(pairs) / 50, missed


def test_spelling_and_dictionary_find_what_was_never_seen_before() -> None:
    """docs/adr/0009: found without a vocabulary, and found by one in which every second form was seen."""
    marked = [one for one in groups("rare.txt", "more_forms.txt", "forms.txt") if not one[0].isascii()]
    typed = [(fold(one), form) for base, forms in marked for one in (base, *forms) for form in forms]
    assert len({one for one, _ in typed}) >= 300
    seen: dict[str, set[str]] = {}
    for form in [form for base, forms in marked for form in (base, *forms)][::2]:
        seen.setdefault(fold(form), set()).add(form)

    without = sum(meet(one, form) for one, form in typed)
    by_seen = sum(
        any(keys_in_text(known) & keys_in_text(form) for known in seen.get(one, ())) for one, form in typed
    )

    assert without >= 0.98 * len(typed)
    assert by_seen <= 0.6 * len(typed)


def keys_in_text(form: str) -> frozenset[str]:
    (token,) = tokenise(f"mowa o {form} tutaj")[2:3]
    return ANALYSER.document_keys(token)


# Made-up stems with the ends that Polish gives to new words: nothing can know them but the rules.
STEMS = ("grobel", "werti", "kamo", "plinte", "dransy")
ENDS = (
    ("ing", "ingu ingowi ingiem ingi ingów ingom ingami ingach"),
    ("bot", "botu botowi botem bocie boty botów botom botami botach"),
    ("lab", "labu labowi labem labie laby labów labom labami labach"),
    ("gram", "gramu gramowi gramem gramie gramy gramów gramom gramach"),
    ("ster", "steru sterowi sterem sterze stery sterów sterom sterach"),
    ("rad", "radu radowi radem radzie rady radów radom radach"),
    ("moduł", "modułu modułowi modułem module moduły modułów modułach"),
    ("pak", "paku pakowi pakiem paki paków pakom pakami pakach"),
    ("log", "loga logowi logiem logu lodzy logów logom logami"),
    ("graf", "grafa grafowi grafem grafie grafowie grafów grafom"),
    ("er", "era erowi erem erze erzy erów erom erami"),
    ("ysta", "ysty yście ystę ystą yści ystów ystom ystami"),
    ("ant", "anta antowi antem ancie anci antów antom"),
    ("owiec", "owca owcowi owcem owcu owcy owców owcom"),
    ("nik", "nika nikowi nikiem niku nicy ników nikom"),
    ("nika", "niki nice nikę niką nik nikom nikami"),
    ("ówka", "ówki ówce ówkę ówką ówek ówkom ówkami"),
    ("grafia", "grafii grafię grafią grafie grafiom grafiami"),
    ("acja", "acji ację acją acje acjom acjami acjach"),
    ("ość", "ości ością ościom ościami ościach"),
    ("fera", "fery ferze ferę ferą fer ferom ferami"),
    ("droga", "drogi drodze drogę drogą dróg drogom drogami"),
    ("szkoła", "szkoły szkole szkołę szkołą szkół szkołom"),
    ("stwo", "stwa stwu stwem stwie stw stwom stwami"),
    ("anie", "ania aniu aniem ań aniom aniami aniach"),
    ("centrum", "centra centrów centrom centrami centrach"),
    ("owy", "owego owemu owym owa owej ową owe owych owymi owi"),
    ("ski", "skiego skiej skim ską skie skich scy ska"),
    ("ewicz", "ewicza ewiczowi ewiczem ewiczu ewiczowie ewiczów"),
)


@pytest.mark.parametrize("typed", [str, fold])
def test_new_words_meet_their_cases_by_the_rules_of_declension_alone(typed: Callable[[str], str]) -> None:
    pairs = [
        (typed(stem + base), stem + form) for stem in STEMS for base, forms in ENDS for form in forms.split()
    ]
    missed = [pair for pair in pairs if not meet(*pair)]
    assert len(missed) <= len(pairs) / 100, missed


def test_english_words_meet_their_plurals_inside_polish_text() -> None:
    pairs = [(one, other) for one, other in map(str.split, lines("english.txt"))]
    both_ways = [(one, other) for pair in pairs for one, other in (pair, pair[::-1])]
    assert [pair for pair in both_ways if not meet(*pair)] == []


@pytest.mark.parametrize("names", LOOK_ALIKES)
def test_at_most_one_of_a_hundred_look_alikes_is_taken_for_the_other(names: tuple[str, ...]) -> None:
    pairs = [tuple(line.split()) for name in names for line in lines(name)]
    assert len(pairs) >= 150
    both_ways = [(one, other) for pair in pairs for one, other in (pair, pair[::-1])]
    merged = [(one, other) for one, other in both_ways if meet(one, other)]
    assert len(merged) <= len(both_ways) / 100, merged


def test_the_analyser_says_which_rules_and_dictionary_it_goes_by() -> None:
    assert ANALYSER.name != Analyser(with_dictionary=False).name
    assert ANALYSER.name.split()[0].isdigit()
