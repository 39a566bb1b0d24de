"""Inflected forms meet their base form and look-alikes do not, counted over lists of words of this field."""

from pathlib import Path

import pytest

from services.domain.folding import fold
from services.interests.polish import dictionary
from services.interests.text import Analyser
from services.interests.tokens import tokenise

WORDS = Path(__file__).parent / "words"
ANALYSER = Analyser()
pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


def lines(name: str) -> list[str]:
    return (WORDS / name).read_text("utf-8").splitlines()


def meet(typed: str, written: str) -> bool:
    """Whether a query of one word finds it in the middle of a sentence."""
    keys = ANALYSER.query_keys(typed)
    return any(keys & ANALYSER.document_keys(token) for token in tokenise(f"mowa o {written} tutaj")[2:3])


def forms() -> list[tuple[str, str]]:
    groups = [line.partition(": ") for line in lines("forms.txt")]
    return [(base, form) for base, _, forms in groups for form in forms.split()]


def test_at_least_ninety_nine_of_a_hundred_forms_meet_their_base() -> None:
    pairs = forms()
    assert len(pairs) >= 500
    missed = [(base, form) for base, form in pairs if not meet(base, form)]
    assert len(missed) <= len(pairs) / 100, missed


def test_the_same_holds_for_a_base_typed_without_diacritics() -> None:
    pairs = [(fold(base), form) for base, form in forms() if base.islower()]
    missed = [(base, form) for base, form in pairs if not meet(base, form)]
    assert len(missed) <= len(pairs) / 100, missed


def test_at_most_one_of_a_hundred_look_alikes_is_taken_for_the_other() -> None:
    pairs = [tuple(line.split()) for line in lines("look_alikes.txt")]
    assert len(pairs) >= 150
    both_ways = [(one, other) for pair in pairs for one, other in (pair, pair[::-1])]
    # Typed without diacritics, a word means also what it may stand for: sad finds sąd, and never the reverse.
    told_apart = [(one, other) for one, other in both_ways if not (one.isascii() and one == fold(other))]
    merged = [(one, other) for one, other in told_apart if meet(one, other)]
    assert len(merged) <= len(told_apart) / 100, merged


def test_the_analyser_says_which_rules_and_dictionary_it_goes_by() -> None:
    assert ANALYSER.name != Analyser(with_dictionary=False).name
    assert ANALYSER.name.split()[0].isdigit()
