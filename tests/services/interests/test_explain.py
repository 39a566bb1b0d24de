"""Every clause says whether it holds, and by which words of which field."""

from services.interests.evaluate import Found
from services.interests.explain import Explanation, understood, why
from services.interests.language import parse
from services.interests.text import Analyser
from tests.services.interests.queries import NOW, document

ANALYSER = Analyser()
TOLD = document(
    title="Nabór dla firm", summary="Firmy i uczelnie", topics=("ict-ai/robotics",), places=("0463011",)
)


def explained(query: str) -> Explanation:
    return why(parse(query), TOLD, NOW, ANALYSER)


def test_a_match_names_the_words_found_and_their_fields() -> None:
    told = explained("firma (topic:ict-ai OR topic:health)")
    assert told.matched
    assert told.failing == ()
    assert [(clause.text, clause.found) for clause in told.clauses] == [
        ("firma", (Found("title", "firm"), Found("summary", "Firmy"))),
        ("topic:health OR topic:ict-ai", (Found("topic", "ict-ai/robotics"),)),
    ]


def test_a_miss_names_the_clauses_that_failed_and_what_stood_in_the_way() -> None:
    told = explained("firma place:0403 -uczelnia")
    assert not told.matched
    assert told.failing == ("place:0403", "-uczelnia")
    (barred,) = [clause for clause in told.clauses if clause.is_excluded]
    assert barred.found == (Found("summary", "uczelnie"),)


def test_words_that_were_read_as_others_are_told() -> None:
    assert understood(parse('wspolpraca firma -"zielonego ladu"'), ANALYSER)[:1] == (
        "wspolpraca: współpraca",
    )


def test_of_alternatives_only_those_that_hold_speak_and_nothing_that_is_excluded() -> None:
    told = explained("firma OR (nabór -uczelnia)")
    assert told.matched
    assert [clause.found for clause in told.clauses] == [(Found("title", "firm"), Found("summary", "Firmy"))]
