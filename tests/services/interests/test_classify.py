"""The definitions that come with Goniec are such as an operator may type."""

import pytest

from services.domain import topics
from services.interests import classify, language
from services.interests.classify import DEFAULTS


def test_every_topic_has_a_definition_and_nothing_else_has() -> None:
    assert list(DEFAULTS) == list(topics.TOPICS)


@pytest.mark.parametrize("topic", DEFAULTS)
def test_a_definition_can_be_read_and_edited(topic: str) -> None:
    classify.check(DEFAULTS[topic])
    assert language.canonical(language.parse(DEFAULTS[topic]))
    assert DEFAULTS[topic] == " ".join(DEFAULTS[topic].split())
