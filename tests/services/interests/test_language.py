"""What people type is read as they mean it, or refused at its place, with what to type instead."""

import pytest

from services.errors import QueryError
from services.interests.language import MAX_DEPTH, MAX_LEAVES, MAX_LENGTH, canonical, parse


def read(text: str) -> str:
    return canonical(parse(text))


def refused(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value


def test_the_example_of_the_interface_is_read() -> None:
    asked = 'topic:funding (place:torun OR place:0403) "sztuczna inteligencja" innowacj* -kind:tender'
    assert read(f"{asked} deadline<30d") == (
        '"sztuczna inteligencja" deadline<30d innowacj* '
        "(place:0403 OR place:0463011) topic:funding -kind:tender"
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("b a", "a b"),
        ("a AND b", "a b"),
        ("a OR b c", "a OR b c"),
        ("(a OR b) c", "(a OR b) c"),
        ("a NOT b", "a -b"),
        ("a -(b OR c)", "a -b -c"),
        ("a --b", "a b"),
        ("topic:(health OR funding)", "topic:funding OR topic:health"),
        ("topic:(health funding)", "topic:funding topic:health"),
        ("a -topic:(health OR food)", "a -topic:food -topic:health"),
        ("title:(=dom OR zielony)", "title:=dom OR title:zielony"),
        ('title:"zielony ład"', 'title:"zielony ład"'),
        ("„sztuczna inteligencja”", '"sztuczna inteligencja"'),
        ("polsko-niemiecki", '"polsko niemiecki"'),
        ('"robotyka"', "robotyka"),
        ('"OR"', '"OR"'),
        ("=Roboty", "=roboty"),
        ("NCBR-u", "NCBR"),
        ("Innowacj*", "innowacj*"),
        ("topic: health", "topic:health"),
    ],
)
def test_a_query_is_read_as_it_is_meant(typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("topic:zdrowie", "topic:health"),
        ("topic:Żywność", "topic:food"),
        ("topic:zywnosc", "topic:food"),
        ("topic:narzedzia-tworzywa", "topic:tools-plastics"),
        ('topic:"Sztuczna inteligencja"', "topic:ict-ai"),
        ("topic:ict-ai/robotics", "topic:ict-ai/robotics"),
        ("kind:przetarg", "kind:tender"),
        ("kind:good-practice", "kind:good_practice"),
        ("audience:firmy", "audience:company"),
        ("lang:PL", "lang:pl"),
        ("institution:UMK", "institution:umk"),
        ("place:torun", "place:0463011"),
        ("place:Toruń", "place:0463011"),
        ("place:0463", "place:0463"),
        ("place:04", "place:04"),
        ("place:046301", "place:0463011"),
        ('place:"Nowa Wieś Wielka"', "place:0403052"),
        ('place:"powiat bydgoski"', "place:0403"),
        ("place:chelmza", "place:0415011 OR place:0415022"),
        ("place:chelmza-gmina", "place:0415022"),
    ],
)
def test_values_are_known_by_their_names_with_or_without_diacritics(typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deadline<30d", "deadline<30d"),
        ("deadline<=30d", "deadline<31d"),
        ("deadline > 30d", "deadline>=31d"),
        ("deadline>=2026-12-01", "deadline>=2026-12-01"),
        ("deadline>2026-12-31", "deadline>=2027-01-01"),
        ("deadline<=2026-12-01", "deadline<2026-12-02"),
    ],
)
def test_relations_of_deadlines_have_one_form(typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "column", "length", "message"),
    [
        ("", 1, 1, "empty"),
        ("   ", 1, 1, "empty"),
        ("a (b", 3, 1, "never closed"),
        ("a b)", 4, 1, "no parenthesis is open"),
        ("a ()", 4, 1, "parentheses are empty"),
        ('a "b c', 3, 4, "never closed"),
        ("OR a", 1, 2, "before"),
        ("a OR", 5, 1, "behind"),
        ("a OR OR b", 6, 2, "before"),
        ("a NOT", 6, 1, "behind"),
        ("a - b", 3, 1, "dash"),
        ("a topic:", 9, 1, "no value"),
        ("a topic:xyzzy", 9, 5, "unknown topic"),
        ("kind:xyzzy", 6, 5, "unknown kind"),
        ("place:9999", 7, 4, "unknown place"),
        ("audience:xyzzy", 10, 5, "unknown audience"),
        ("lang:xyzzy", 6, 5, "unknown lang"),
        ("topic:(health OR kind:news)", 18, 5, "inside topic"),
        ("topic:=health", 7, 1, "not for topic"),
        ("a !!!", 3, 3, "no word"),
        ("in*cje", 1, 6, "end of a word"),
        ("i*", 1, 2, "letters"),
        ('"innow*"', 1, 8, "quotes"),
        ("= a", 3, 1, "directly before"),
        ('="a b"', 2, 5, "single word"),
        ("deadline<soon", 10, 4, "no time"),
        ("deadline<2026-02-30", 10, 10, "calendar"),
        ("deadline<0d", 10, 2, "less than 0"),
        ("deadline<99999d", 10, 6, "days ahead"),
        ("termin<30d", 1, 10, "only deadlines"),
        ("a\x00b", 2, 1, "cannot be part"),
        ("a\ud800b", 2, 1, "cannot be part"),
    ],
)
def test_a_fault_is_told_with_its_place(typed: str, column: int, length: int, message: str) -> None:
    error = refused(typed)
    assert message in error.message
    assert (error.column, error.length) == (column, length)
    assert error.expected


@pytest.mark.parametrize(
    ("typed", "said", "suggestion"),
    [
        ("a topc:funding", "did you mean topic:?", "a topic:funding"),
        ("temat:zdrowie b", "did you mean topic:?", "topic:zdrowie b"),
        ("topic:fundnig b", "did you mean topic:funding?", "topic:funding b"),
        ("kind:tendr", "did you mean kind:tender?", "kind:tender"),
        ("place:bydgosz", "did you mean place:bydgoszcz?", "place:bydgoszcz"),
        ("deadline:30d", "compared", "deadline<30d"),
        ('a "b c', "never closed", 'a "b c"'),
    ],
)
def test_what_was_meant_is_suggested_as_a_whole_query(typed: str, said: str, suggestion: str) -> None:
    error = refused(typed)
    assert said in error.message
    assert error.suggestion == suggestion


@pytest.mark.parametrize("typed", ["-a", "-topic:health -kind:news", "a OR -b", "NOT (a b)"])
def test_a_query_that_only_excludes_is_refused_with_the_reason(typed: str) -> None:
    assert "nearly everything would match" in refused(typed).message


def test_an_exclusion_inside_an_alternative_is_fine_where_something_is_wanted() -> None:
    assert read("a (b OR -c)") == "a (b OR -c)"


def test_limits_are_told_with_their_numbers() -> None:
    assert f"{MAX_LENGTH:,}" in refused("a" * (MAX_LENGTH + 1)).message
    assert str(MAX_DEPTH) in refused("(" * 500 + "a" + ")" * 500).message
    assert str(MAX_LEAVES) in refused(" ".join(f"w{i}" for i in range(MAX_LEAVES + 1))).message
    assert "alternatives" in refused(" ".join(f"(a{i} OR b{i} c{i})" for i in range(5))).message
    assert "longer than" in refused("a" * 61).message
    assert read("-" * 1_000 + "a") == "a"


def test_alternatives_of_single_conditions_are_no_blow_up() -> None:
    parse(" ".join(f"(a{i} OR b{i} OR c{i})" for i in range(30)))
