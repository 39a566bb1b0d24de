"""The order of a digest: what fits best, closes soon and is new; institutions and cities take turns."""

from datetime import UTC, datetime, timedelta

from services.domain.ranking import Ranked, rank

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def story(key: int, **given: object) -> Ranked:
    values = {
        "match": 1.0, "deadline_at": None, "told_at": NOW, "institution": f"i-{key}", "city": None,
        "words": frozenset({f"w-{key}"}), **given,
    }  # fmt: skip
    return Ranked(key=key, **values)  # type: ignore[arg-type]


def order(*stories: Ranked) -> list[int]:
    return [place.key for place in rank(stories, NOW)]


def test_what_meets_more_comes_first() -> None:
    assert order(story(1, match=1.0), story(2, match=3.0), story(3, match=2.0)) == [2, 3, 1]


def test_time_enough_to_act_goes_before_too_late_and_before_some_day() -> None:
    days = {1: -1, 2: 1, 3: 7, 4: 20, 5: 90}
    assert order(*(story(key, deadline_at=NOW + n * DAY) for key, n in days.items())) == [3, 2, 4, 5, 1]


def test_what_is_new_goes_before_what_waited() -> None:
    assert order(story(1, told_at=NOW - 4 * DAY), story(2, told_at=NOW - DAY), story(3)) == [3, 2, 1]


def test_one_institution_does_not_fill_the_top() -> None:
    loud = [story(n, match=2.0, institution="loud") for n in (1, 2, 3)]
    assert order(*loud, story(4, match=1.3, institution="quiet"))[1] == 4


def test_cities_take_turns() -> None:
    assert order(
        story(1, match=2.0, city="0461"), story(2, match=1.9, city="0461"), story(3, match=1.8, city="0463")
    ) == [1, 3, 2]


def test_what_says_the_same_as_the_first_steps_back() -> None:
    same = frozenset({"dotacja", "firma", "nabór"})
    assert order(story(1, match=2.0, words=same), story(2, match=1.9, words=same), story(3, match=1.7)) == [
        1,
        3,
        2,
    ]


def test_every_place_is_explained_by_factors_that_make_its_score() -> None:
    first, second = rank(
        [story(1, match=2.0, institution="a"), story(2, deadline_at=NOW + 5 * DAY, institution="a")], NOW
    )
    for place in (first, second):
        told = place.told()
        made = told["match"] * told["deadline"] * told["novelty"] * told["variety"]
        assert abs(told["score"] - made) < 0.01
    assert (first.place, second.place) == (1, 2)
    assert second.variety == 0.6


def test_nothing_is_lost_however_much_there_is_and_the_order_never_depends_on_the_input() -> None:
    many = [story(n, match=(n * 7) % 13 + 1.0, institution=f"i-{n % 5}") for n in range(150)]
    places = [place.key for place in rank(many, NOW)]
    assert sorted(places) == list(range(150))
    assert [place.key for place in rank(many[::-1], NOW)] == places
