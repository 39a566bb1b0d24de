"""Topics are known by slug and by label, in Polish and English; what lies below a topic belongs to it."""

import pytest

from services.domain import labels, topics

POLISH_SLUGS = {
    "heritage-creative": "dziedzictwo-kreatywne",
    "education-skills": "edukacja-kompetencje",
    "energy-climate": "energia-klimat",
    "funding": "fundusze",
    "circular-economy": "gospodarka-obiegu",
    "ict-ai": "ict-ai",
    "logistics": "logistyka",
    "tools-plastics": "narzedzia-tworzywa",
    "entrepreneurship": "przedsiebiorczosc",
    "local-government-planning": "samorzad-planowanie",
    "social": "spoleczne",
    "transport-mobility": "transport-mobilnosc",
    "health": "zdrowie",
    "food": "zywnosc",
}


def test_there_are_sixteen_topics_and_all_their_names_lead_to_them() -> None:
    assert len(topics.TOPICS) == 16
    for topic in topics.TOPICS.values():
        assert {topics.resolve(name) for name in (topic.slug, topic.pl, topic.en)} == {topic.slug}


@pytest.mark.parametrize(("topic", "polish"), POLISH_SLUGS.items())
def test_polish_slugs_are_accepted(topic: str, polish: str) -> None:
    assert topics.resolve(polish) == topic


def test_names_come_in_any_case_with_or_without_diacritics() -> None:
    assert topics.resolve("ŻYWNOŚĆ") == topics.resolve("zywnosc") == "food"
    assert topics.resolve("Energia i klimat") == "energy-climate"


@pytest.mark.parametrize(
    ("category", "topic"),
    [
        ("Fundusze Europejskie", "funding"), ("Ochrona środowiska", "energy-climate"),
        ("Biznes", "entrepreneurship"),
        ("Kultura i sztuka", "heritage-creative"), ("Oświata", "education-skills"), ("Seniorzy", "social"),
        ("Komunikacja miejska", "transport-mobility"), ("Rolnictwo", "food"), ("Rynek pracy", "work"),
        ("Culture", "heritage-creative"), ("Odpady", "circular-economy"),
    ],
)  # fmt: skip
def test_feeds_name_topics_in_their_own_words(category: str, topic: str) -> None:
    assert labels.read([category]).topics == (topic,)


def test_what_lies_below_a_topic_is_known() -> None:
    assert topics.resolve("ICT-AI/Robotyka") == "ict-ai/robotyka"
    assert topics.resolve("zdrowie/szpitale") == "health/szpitale"
    assert topics.ancestors("ict-ai/robotics/arms") == ("ict-ai", "ict-ai/robotics", "ict-ai/robotics/arms")
    assert topics.label("health/szpitale", "pl") == "zdrowie / szpitale"


@pytest.mark.parametrize("name", ["", "xyzzy", "ict-ai/", "ict-ai//a", "/health", "health/" + "a" * 200])
def test_what_is_no_topic_is_not_known(name: str) -> None:
    assert topics.resolve(name) is None
