"""What people type is read as they mean it, or refused at its place, with what to type instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests.language import MAX_DEPTH, MAX_LEAVES, MAX_LENGTH, canonical, parse, recall
from tests.measure import cpu_s


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
        ("a ()", 3, 2, "parentheses are empty"),
        ('a "b c', 3, 4, "never closed"),
        ("OR a", 1, 2, "before"),
        ("a OR", 3, 2, "behind"),
        ("a OR OR b", 6, 2, "before"),
        ("a NOT", 3, 3, "behind"),
        ("a - b", 3, 1, "dash"),
        ("a topic:", 3, 6, "no value"),
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
        ("e\u0301*", 1, 3, "letters"),
        ('"innow*"', 1, 8, "quotes"),
        ("= a", 1, 1, "directly before"),
        ('="a b"', 2, 5, "single word"),
        ("deadline<soon", 10, 4, "no time"),
        ("deadline<2026-02-30", 10, 10, "calendar"),
        ("deadline<0d", 10, 2, "less than 0"),
        ("deadline<99999d", 10, 6, "days ahead"),
        ("kwota<30d", 1, 9, "only deadlines"),
        ("source:umk", 8, 3, "by its number"),
        ("institution:***", 13, 3, "an institution"),
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
        ("topc:fundnig", "did you mean topic:?", "topic:funding"),
        ("place:solec", "did you mean place:solec-kujawski?", "place:solec-kujawski"),
        ("site:umk.pl", "unknown field", '"site umk.pl"'),
        ("Uwaga: konkurs", "unknown field", "Uwaga konkurs"),
        ("place:bydgosz", "did you mean place:bydgoszcz?", "place:bydgoszcz"),
        ("deadline:30d", "compared", "deadline<30d"),
        ('a "b c', "never closed", 'a "b c"'),
    ],
)
def test_what_was_meant_is_suggested_as_a_whole_query(typed: str, said: str, suggestion: str) -> None:
    error = refused(typed)
    assert said in error.message
    assert error.suggestion == suggestion


@pytest.mark.parametrize(
    ("typed", "said", "suggestion"),
    [
        ("deadline~3", "~ compares no deadline", "deadline<3d"),
        ("deadline=30d", "= compares no deadline", "deadline<30d"),
        ("deadline = 30d", "= compares no deadline", "deadline<30d"),
        ("deadline 30d", "is compared", "deadline<30d"),
        ("termin<30d", "did you mean deadline<?", "deadline<30d"),
        ("deadline<30", "no time", "deadline<30d"),
        ("a deadline<2 tygodnie b", "no time", "a deadline<14d b"),
        ("deadline<31.12.2026", "no time", "deadline<2026-12-31"),
        ("deadline<2026/3/1", "no time", "deadline<2026-03-01"),
        ("deadline<1 października 2026 r. a", "no time", "deadline<2026-10-01 a"),
        ("deadline:[2026-01-01 TO 2026-02-01]", "compared", "deadline>=2026-01-01 deadline<=2026-02-01"),
        ("topic=health", "takes a colon", "topic:health"),
        ("topic :health", "right behind its field", "topic:health"),
        ("topic:health:food", "a colon inside", "topic:(health OR food)"),
        ("topic:ict-ai:robotics", "a colon inside", "topic:ict-ai/robotics"),
        ("topic:health,food", "in parentheses", "topic:(health OR food)"),
        ("topic:health, food", "in parentheses", "topic:(health OR food)"),
        ("place:Solec Kujawski", "several words", 'place:"Solec Kujawski"'),
        ("a http://umk.pl/a?b=(c) b", "address of a page", "a b"),
        ("szkoła lub przedszkole", "written OR", "szkoła OR przedszkole"),
        ("szkoła i przedszkole", "written AND", "szkoła AND przedszkole"),
        ("szkoła nie przedszkole", "written NOT", "szkoła NOT przedszkole"),
        ("a or b and c", "written OR", "a OR b AND c"),
        ("topic:(health or food)", "written OR", "topic:(health OR food)"),
        ("a NEAR b", "no operator NEAR", "a b"),
        ("a && b || c", "written AND", "a AND b OR c"),
        ("a !b", "a dash does", "a -b"),
        ("[a OR b] c", "parentheses do", "(a OR b) c"),
        ("'sztuczna inteligencja' a", "double quotes", '"sztuczna inteligencja" a'),
        ('sztuczna inteligencja"', "none has opened", '"sztuczna inteligencja"'),
        ("„sztuczna inteligencja", "never closed", '„sztuczna inteligencja"'),
        ("(a OR b", "never closed", "(a OR b)"),
        ("a)", "no parenthesis is open", "a"),
        ("robot~2", "means nothing", "robot"),
        ("inn?wacja", "means nothing", "inn*"),
        ("inn*wacja", "end of a word", "inn*"),
        ('a ""', "quotes are empty", "a"),
        ("a — b", "dash", "a b"),
        ("a OR", "behind", "a"),
        ('deadline<"30d" a', "without quotes", "deadline<30d a"),
        ("deadline<2026", "no time", "deadline<2026-01-01"),
        ("deadline<12.2026", "no time", "deadline<2026-12-01"),
        ("deadline<2026–12–01", "no time", "deadline<2026-12-01"),
        ("deadline<2026-12-01T12:00", "no time", "deadline<2026-12-01"),
        ("deadline<December 31, 2026 a", "no time", "deadline<2026-12-31 a"),
        ("deadline<12/31/2026", "no time", "deadline<2026-12-31"),
        ("deadline<miesiąc", "no time", "deadline<30d"),
        ("deadline<30d, a", "no time", "deadline<30d a"),
        ("deadline:>2026-12-01", "compared", "deadline>2026-12-01"),
        ("deadline:2026-01-01..2026-02-01", "compared", "deadline>=2026-01-01 deadline<=2026-02-01"),
        ("dedline<30d", "did you mean deadline<?", "deadline<30d"),
        ("a >2026-12-01", "only deadlines", "a deadline>2026-12-01"),
        ("=innowac*", "opposite", "innowac*"),
        ("polsko-niem*", "a single word", "polsko niem*"),
        ("a +topic:health", "begins a piece", "a topic:health"),
        ("a,topic:health", "begins a piece", "a topic:health"),
        ("topic:health,place:torun", "begins a piece", "topic:health place:torun"),
        ('"topic":health', "right behind its field", "topic:health"),
        ("topic:health:", "not behind its value", "topic:health"),
        ("a topic:-health", "before a field", "a -topic:health"),
        ("a title:NOT b", "before a field", "a -title:b"),
        ("a topic!=health", "takes a colon", "a -topic:health"),
        ("tpoic=health", "takes a colon", "topic:health"),
        ("topic:'ict ai'", "double quotes", 'topic:"ict ai"'),
        ("topic:[health OR food]", "parentheses do", "topic:(health OR food)"),
        ("topic:(health, food)", "in parentheses", "topic:(health OR food)"),
        ("topic:zdrowie lub praca", "in parentheses", "topic:(zdrowie OR praca)"),
        ("topic:energia i klimat", "one value", 'topic:"energia i klimat"'),
        ("institution:umk, pbs a", "in parentheses", "institution:(umk OR pbs) a"),
        ("source:1,2", "in parentheses", "source:(1 OR 2)"),
        ("place:nowa wies a", "did you mean place:nowa-wies-wielka?", "place:nowa-wies-wielka a"),
        ("kind:konkurs", "did you mean kind:call?", "kind:call"),
        ("wodór|amoniak", "written OR", "(wodór OR amoniak)"),
        ("wodór&&amoniak", "written AND", "(wodór AND amoniak)"),
        ("a -wodór,amoniak", "written OR", "a -(wodór OR amoniak)"),
        (",,zielony ład''", "double quotes", '"zielony ład"'),
        ("a !(b OR c)", "a dash does", "a -(b OR c)"),
        ("a-(b)", "a space before", "a -(b)"),
        ("a\x07b\x08c", "cannot be part", "a b c"),
        ("a\ufffeb", "cannot be part", "a b"),
    ],
)
def test_habits_of_other_search_boxes_are_told_with_what_to_type_here(
    typed: str, said: str, suggestion: str
) -> None:
    error = refused(typed)
    assert said in error.message
    assert error.suggestion == suggestion
    assert error.reason
    assert error.column + error.length - 1 <= len(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("place:Toruniu", "place:0463011"),
        ('place:"w Solcu Kujawskim"', "place:0403083"),
        ('place:"gminie Chełmża"', "place:0415022"),
        ("kind:przetargi", "kind:tender"),
        ("topic:zdrowiu", "topic:health"),
        ("audience:studentów", "audience:student"),
        ("title：przetarg", "title:przetarg"),
        ("（a　OR b）", "a OR b"),
        ("﻿a​ b", "a b"),
        ("a —konkurs", "a -konkurs"),
        ("«zielony ład»", '"zielony ład"'),
        ("deadline ≤ 30d", "deadline<31d"),
        ('szkoła "lub" przedszkole', '"lub" przedszkole szkoła'),
        ("i", '"i"'),
        ("umk.pl", '"umk pl"'),
        ("lang:pl-PL", "lang:pl"),
        ("source:012", "source:12"),
        ("\u2066topic:health\u2069", "topic:health"),
        ("\u200dto\u00adpic:he\u00adalth", "topic:health"),
        ("topic∶health", "topic:health"),
        ("współ\u00adpraca", "współpraca"),
        ("″zielony ład″", '"zielony ład"'),
        ("b AND-a", "b -a"),
        ("CO2,5", '"CO2 5"'),
        ("spotkanie 12:30?", '"12 30" spotkanie'),
    ],
)
def test_what_can_mean_one_thing_alone_is_understood(typed: str, meant: str) -> None:
    assert read(typed) == meant
    assert read(meant) == meant


def test_a_canonical_form_of_an_earlier_version_is_still_read() -> None:
    assert canonical(recall("lub szkoła")) == '"lub" szkoła'


_HABITS = (
    *("deadline", "topic", "title", "place", "health", "Toruniu", "i", "lub", "nie", "OR", "NOT", "30d"),
    *("31.12.2026", "<", ">", "=", "~", ":", "-", "—", "(", ")", "[", '"', "„", "'", "*", "?", "!", "&&"),
    *("topic:", "place:(", "deadline<", "dedline<", "source:", "title:", "|", "||", ";", ",,", "''", "!("),
    *("2026–12", "in 30 days", "miesiąc", "\u2066", "\u00ad", "\u0301", "∶", "\x07", "-(", "=a*", "energia"),
    *(",", "http://", "www.a.pl", "：", "\\", "1", "a", "żółw", "\u00a0", "\u200b", *[" "] * 12),
)


def fault_of(typed: str) -> QueryError | None:
    try:
        parse(typed)
    except QueryError as error:
        return error
    return None


@given(st.lists(st.sampled_from(_HABITS), max_size=12).map("".join) | st.text(max_size=60))
def test_any_text_is_a_query_or_has_one_fault_inside_it(typed: str) -> None:
    if fault := fault_of(typed):
        assert 1 <= fault.column <= max(1, len(typed))
        assert 1 <= fault.length <= max(1, len(typed) - fault.column + 1)
        assert fault.message
        assert fault.expected
        assert fault.reason
        assert fault.suggestion is None or parse(fault.suggestion)
    else:
        written = canonical(parse(typed))
        assert parse(written) == recall(written) == parse(typed)
        assert canonical(recall(written)) == written


@pytest.mark.parametrize("typed", ["-a", "-topic:health -kind:news", "a OR -b", "NOT (a b)"])
def test_a_query_that_only_excludes_is_refused_with_the_reason(typed: str) -> None:
    assert "nearly everything would match" in refused(typed).message


@pytest.mark.parametrize(
    ("typed", "column", "length"),
    [
        ("-a", 1, 2),
        ("a OR -b", 6, 2),
        ("-a OR b", 1, 2),
        ("b OR (a OR -c) OR d", 6, 9),
        ("a OR NOT (b c) OR d", 6, 9),
        ("(a OR -b) -c", 1, 12),
    ],
)
def test_the_side_that_only_excludes_is_pointed_at(typed: str, column: int, length: int) -> None:
    fault = refused(typed)
    assert (fault.reason, fault.column, fault.length) == ("only_excluded", column, length)


def test_an_exclusion_inside_an_alternative_is_fine_where_something_is_wanted() -> None:
    assert read("a (b OR -c)") == "a (b OR -c)"


def test_limits_are_told_with_their_numbers() -> None:
    assert f"{MAX_LENGTH:,}" in refused("a" * (MAX_LENGTH + 1)).message
    assert str(MAX_DEPTH) in refused("(" * 500 + "a" + ")" * 500).message
    assert str(MAX_LEAVES) in refused(" ".join(f"w{i}" for i in range(MAX_LEAVES + 1))).message
    assert "alternatives" in refused(" ".join(f"(a{i} OR b{i} c{i})" for i in range(5))).message
    assert "longer than" in refused("a" * 61).message
    assert read("-" * 1_000 + "a") == "a"


@pytest.mark.parametrize(
    "typed",
    [
        "ab " * 660 + '(x"',
        '"' * 1_999,
        "=" * 2_000,
        "'a " * 660,
        "a^2 " * 500,
        "x:a " * 500,
        "place:zzzz " * 180,
        "topic:" + ",".join(["ai"] * 600) + ",zzz",
        "deadline:(a" + " " * 1_980,
        "x -(" + " ".join(f"(a{i} OR b{i} c{i})" for i in range(80)) + ")",
        " OR ".join(f"(a{i} OR b{i}) (c{i} OR d{i} e{i})" for i in range(24)),
        "-(" * 20 + "a" + ")" * 20 + " b",
        "a " * 1_000_000,
    ],
    ids=lambda typed: typed[:12],
)
def test_no_query_takes_long_to_be_read_or_refused(typed: str) -> None:
    assert cpu_s(lambda: fault_of(typed)) < 0.2


def test_alternatives_of_single_conditions_are_no_blow_up() -> None:
    parse(" ".join(f"(a{i} OR b{i} OR c{i})" for i in range(30)))
