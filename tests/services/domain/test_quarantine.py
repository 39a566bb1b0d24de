from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.quarantine import Batch, Reason, judge, learned_skew_s, usual_number
from services.domain.tongues import spoken

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
USUAL = Batch(entries=20, new=2, new_dated=2, new_ahead=0, known=100, usual=2.0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"new": 11}, Reason.FLOOD),
        ({"new": 11, "usual": 3.0}, Reason.CHURN),
        ({"new": 11, "usual": 6.0}, None),  # as much as always, after a long silence of ours
        ({"new": 10}, None),
        ({"new": 12, "known": 4}, None),  # its habits are not known yet
        ({"new": 60, "entries": 500}, Reason.FLOOD),
        ({"entries": 0, "new": 0}, Reason.EMPTY),
        ({"entries": 0, "new": 0, "known": 0}, None),
        ({"new_ahead": 2}, Reason.FUTURE),
        ({"new_ahead": 1}, None),
        ({"new_ahead": 2, "known": 0}, Reason.FUTURE),
        ({"new_language": "en", "usual_language": "pl"}, Reason.LANGUAGE),
        ({"new_language": "en"}, None),
    ],
)
def test_a_reading_is_held_when_it_is_unlike_its_source(
    changed: dict[str, object], reason: Reason | None
) -> None:
    assert judge(replace(USUAL, **changed)) == reason  # type: ignore[arg-type]


def test_what_is_usual_follows_the_dates_of_the_last_entries() -> None:
    daily = [NOW - timedelta(days=n) for n in range(10)]
    assert usual_number(daily, since=NOW - timedelta(days=9), now=NOW) == pytest.approx(10)
    assert usual_number([], since=NOW - timedelta(days=9), now=NOW) == 0


@pytest.mark.parametrize(
    ("ahead_s", "skew_s"),
    [([3_500, 3_300, 0], 3_600), ([7_000, 6_900, 6_800], 7_200), ([3_500], 0), ([3_500, 86_400], 0), ([], 0)],
)
def test_a_clock_that_is_ahead_is_learned_in_half_hours(ahead_s: list[int], skew_s: int) -> None:
    assert learned_skew_s(ahead_s) == skew_s


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "Gmina ogłasza nabór na dotacje dla firm. Wnioski są do pobrania na stronie oraz w urzędzie.",
            "pl",
        ),
        (
            "The call for grants is open to all of the companies in the region, and it is for you.",
            "en",
        ),
        (
            "Die Stadt und das Land haben mit der Förderung für die Firmen nicht gewartet.",
            "de",
        ),
        ("Interreg Baltic Sea Region 2026", None),
        ("", None),
    ],
)
def test_the_language_of_a_few_sentences_is_told_by_their_small_words(text: str, code: str | None) -> None:
    assert spoken(text) == code
