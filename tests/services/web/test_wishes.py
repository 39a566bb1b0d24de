"""What people tick and type becomes one query that means just that."""

import pytest

from services.web.guards import Form
from services.web.wishes import Rhythm, Wanted


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        ([("topic", "funding")], "topic:funding"),
        ([("topic", "funding"), ("topic", "health")], "topic:(funding OR health)"),
        ([("topic", "funding"), ("place", "0403")], "topic:funding place:0403"),
        ([("words", "wodór, sztuczna inteligencja")], '("wodór" OR "sztuczna inteligencja")'),
        ([("words", "innowacj*")], "innowacj*"),
        ([("q", "a OR b")], "a OR b"),
        ([("kind", "call"), ("q", "a OR b")], "kind:call (a OR b)"),
        ([("words", " , ,, ")], ""),
        ([], ""),
    ],
)
def test_choices_of_one_kind_are_alternatives_and_different_kinds_narrow(
    pairs: list[tuple[str, str]], query: str
) -> None:
    assert Wanted.read(Form(pairs)).composed == query


@pytest.mark.parametrize("evil", ["a OR kind:news", 'a"', "a) OR (b", "-x", "", "Ł" * 200])
def test_a_code_that_is_none_is_left_out(evil: str) -> None:
    assert Wanted.read(Form([("topic", evil)])).composed == ""


def test_words_cannot_become_signs_of_the_query_language() -> None:
    wanted = Wanted.read(Form([("words", 'kind:news OR, -"x", (y')]))
    assert wanted.composed == '("kind:news OR" OR "- x" OR "(y")'


@pytest.mark.parametrize(
    "cadence",
    ["instant", "hourly", "daily@06:30", "weekly:mon,thu@07:00", "monthly:1,15@09:00"],
)
def test_a_cadence_survives_the_form(cadence: str) -> None:
    rhythm = Rhythm.of(cadence)
    fields = [
        ("every", rhythm.every),
        ("weekday", rhythm.weekday),
        ("hour", rhythm.hour),
        ("monthday", rhythm.monthday),
    ]
    assert Rhythm.read(Form(fields)).cadence == cadence


def test_what_cannot_be_a_rhythm_becomes_the_usual_one() -> None:
    assert Rhythm.read(Form([("every", "never"), ("hour", "99:99")])).cadence == "daily@07:00"
