"""What a revision changed is told by its facts; the topics that machines see are no news to people."""

from datetime import UTC, datetime
from typing import Any

from services.domain.changes import Difference, differences


def notice(**given: object) -> dict[str, Any]:
    return {
        "title": "Nabór", "summary": "Do 50 tys. zł.", "url": "https://a.example/1", "places": [],
        "deadline_at": None, "starts_at": None, "ends_at": None, "topics": [], **given,
    }  # fmt: skip


def test_a_moved_deadline_is_told_with_both_days() -> None:
    found = differences(
        notice(deadline_at="2026-11-30T11:00:00Z"), notice(deadline_at="2026-12-15T11:00:00Z")
    )
    assert found == (
        Difference(
            "deadline_at", datetime(2026, 11, 30, 11, tzinfo=UTC), datetime(2026, 12, 15, 11, tzinfo=UTC)
        ),
    )


def test_times_come_before_names_and_a_new_text_comes_last() -> None:
    found = differences(
        notice(), notice(title="Konkurs", summary="Inaczej.", starts_at="2026-12-01T09:00:00Z")
    )
    assert [one.field for one in found] == ["starts_at", "title", "text"]


def test_places_are_told_by_name_whatever_their_order() -> None:
    assert differences(notice(places=["0461011", "0463011"]), notice(places=["0463011", "0461011"])) == (
        Difference("text"),
    )
    (moved,) = differences(notice(places=["0461011"]), notice(places=["0463011"]))
    assert (moved.before, moved.after) == ("Bydgoszcz", "Toruń")


def test_a_revision_that_changes_no_fact_has_another_text() -> None:
    assert differences(notice(), notice(topics=["funding"])) == (Difference("text"),)
