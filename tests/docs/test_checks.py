"""The guide names every check of a receiver, and what passes it."""

from services.manage import conformance
from services.manage.conformance_words import WORDS
from tests.docs import guides


def test_the_checks_of_the_guide_are_those_of_the_code() -> None:
    named = [row[0].strip("`") for row in guides.rows("webhooks.md", "| check |")]
    assert named == list(WORDS)
    assert conformance.QUICK_S == 5
