"""Who says nothing of topics and places gets those that the text tells; who does is believed."""

import pytest

from services.errors import QueryError
from services.interests.polish import dictionary
from services.manage import sources, topics
from services.pipeline import accept
from services.runtime import Runtime
from tests.factories import draft, institution, publish, rows

pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


def told(rt: Runtime, key: str) -> tuple[set[str], list[str]]:
    [row] = rows(rt, "SELECT topics, places FROM notices WHERE key = :key", key=key)
    return set(row["topics"]), row["places"]


def test_a_notice_gets_the_topics_and_the_place_that_its_text_tells(rt: Runtime) -> None:
    publish(rt, draft("a", title="Nabór: dotacje na fotowoltaikę w gminie Chełmża"))
    assert told(rt, "a") == ({"funding", "energy-climate", "local-government-planning"}, ["0415022"])


def test_what_is_said_is_believed(rt: Runtime) -> None:
    publish(rt, draft("a", title="Dotacje w Toruniu", topics=("social",), places=("0461011",)))
    assert told(rt, "a") == ({"social"}, ["0461011"])


def test_the_sources_topics_are_added_and_its_place_is_the_last_resort(rt: Runtime) -> None:
    slug = institution(rt, "Urząd")
    source = sources.add(
        rt, "http://127.0.0.1:9/feed", institution=slug, check=False, topics=["work"], places=["0463011"]
    )
    given = [draft("a", title="Fotowoltaika"), draft("b", title="Fotowoltaika w Bydgoszczy")]
    accept.accept(rt, source.id, given)
    assert told(rt, "a") == ({"energy-climate", "work"}, ["0463011"])
    assert told(rt, "b")[1] == ["0461011"]


def test_what_stands_far_down_in_a_long_body_makes_no_topic(rt: Runtime) -> None:
    aside = "<p>Zebranie odbędzie się w środę.</p>" * 60
    publish(
        rt,
        draft("a", title="Zebranie", body_html=f"<p>Szpital zaprasza.</p>{aside}<p>Dojazd tramwajem.</p>"),
        draft("b", title="Zebranie", body_html=f"{aside}<p>Szpital i tramwaj.</p>"),
    )
    assert (told(rt, "a")[0], told(rt, "b")[0]) == ({"health"}, set())
    change = topics.preview(rt, "work", "szpital OR tramwaj")
    assert (change.after, change.gained_ids) == (1, change.gained_ids[:1])


@pytest.mark.parametrize(
    "query", ["topic:funding", "miód OR place:torun", "miód -Source:3", "(miód institution:a)"]
)
def test_a_topic_is_not_defined_by_topics_or_by_who_tells_it_where(rt: Runtime, query: str) -> None:
    for way in (topics.preview, topics.define):
        with pytest.raises(QueryError, match="is not defined by") as refused:
            way(rt, "food", query)
        assert query[refused.value.column - 1 :][: refused.value.length].endswith(":")
    assert not topics.show(rt, "food").is_changed


def test_a_preview_counts_what_then_gets_the_topic(rt: Runtime) -> None:
    said = ["Miód z pasieki", "Ule na dachu", "Koncert", "Ul i miód", "Dotacje na ule"]
    publish(rt, *(draft(f"a{n}", title=title) for n, title in enumerate(said)))
    query = "ul OR (miód kind:call)"
    change = topics.preview(rt, "science", query)
    topics.define(rt, "science", query)
    publish(rt, *(draft(f"b{n}", title=title) for n, title in enumerate(said)))
    got = rows(rt, "SELECT key FROM notices WHERE key LIKE 'b%' AND 'science' = ANY(topics)")
    assert change.after == len(got) == 4


def test_another_definition_revises_nothing_and_holds_for_what_comes(rt: Runtime) -> None:
    publish(rt, draft("a", title="Pszczoły wracają do miasta"))
    assert told(rt, "a")[0] == set()
    change = topics.preview(rt, "food", "pszczoła OR miód")
    assert (change.before, change.after, change.gained_samples) == (0, 1, ("Pszczoły wracają do miasta",))
    topics.define(rt, "żywność", "pszczoła OR miód")
    [again] = publish(rt, draft("a", title="Pszczoły wracają do miasta"))
    assert again.outcome == "unchanged"
    publish(rt, draft("b", title="Miód z miejskiej pasieki"))
    assert told(rt, "b")[0] == {"food"}
    assert topics.show(rt, "food").is_changed
    topics.reset(rt, "food")
    assert not topics.show(rt, "food").is_changed
