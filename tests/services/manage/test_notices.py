from datetime import timedelta
from typing import Any

import pytest

from services.clock import FrozenClock
from services.errors import BadInput, NotFound, QueryError
from services.manage import event_log, institutions, notices
from services.manage.pages import Page
from services.pipeline import accept
from services.runtime import Runtime
from tests import factories


def keys(page: Page[dict[str, Any]]) -> list[object]:
    return [item["key"] for item in page.items]


def test_pages_follow_each_other_without_gap_or_repetition(rt: Runtime, clock: FrozenClock) -> None:
    at = [clock.now() - timedelta(hours=n // 2) for n in range(7)]  # two of each time
    factories.publish(rt, *(factories.draft(f"n-{n}", published_at=at[n]) for n in range(7)))
    seen: list[object] = []
    cursor = None
    for _ in range(4):
        page = notices.search(rt, after=cursor, limit=2)
        seen += keys(page)
        cursor = page.next
        if cursor is None:
            break
    assert sorted(map(str, seen)) == [f"n-{n}" for n in range(7)]
    assert cursor is None


def test_a_query_narrows_the_list(rt: Runtime) -> None:
    factories.publish(rt, factories.draft("a"), factories.draft("b", kind="job", title="Praca w urzędzie"))
    assert keys(notices.search(rt, q="kind:job")) == ["b"]
    assert keys(notices.search(rt, q="title:urząd")) == ["b"]
    assert keys(notices.search(rt, q="dotacja -kind:job")) == ["a"]


def test_a_query_reaches_beyond_one_batch(rt: Runtime, clock: FrozenClock) -> None:
    old = factories.draft("old", kind="job", published_at=clock.now() - timedelta(days=9))
    factories.publish(rt, old, *(factories.draft(f"n-{n}") for n in range(250)))
    page = notices.search(rt, q="kind:job", limit=5)
    assert (keys(page), page.next) == (["old"], None)


def test_withdrawn_notices_are_not_listed_but_can_be_opened(rt: Runtime) -> None:
    [published] = factories.publish(rt)
    factories.withdraw(rt)
    assert notices.search(rt).items == []
    assert published.notice_id is not None
    assert notices.get(rt, published.notice_id)["withdrawn_at"] is not None


def test_a_notice_is_shown_with_its_body_and_revisions(rt: Runtime) -> None:
    [published] = factories.publish(rt, factories.draft(body_html="<p>Raz<script>x</script></p>"))
    factories.publish(rt, factories.draft(body_html="<p>Dwa</p>"))
    assert published.notice_id is not None
    found = notices.get(rt, published.notice_id)
    assert (found["body_html"], found["body_text"], found["revisions"]) == ("<p>Dwa</p>", "Dwa", 2)
    with pytest.raises(NotFound):
        notices.get(rt, published.notice_id + 1)


def test_other_tellers_of_a_story_are_named(rt: Runtime) -> None:
    told = factories.draft(url="https://news.example/one")
    [first] = factories.publish(rt, told, name="Gmina A")
    [second] = factories.publish(rt, told, name="Gmina B")
    assert first.notice_id is not None
    [other] = notices.get(rt, first.notice_id)["tellers"]
    assert (other["notice"], other["name"]) == (second.notice_id, "Gmina B")


def test_a_faculty_is_found_by_its_university(rt: Runtime) -> None:
    institutions.add(rt, name="Uniwersytet", kind="university")
    institutions.add(rt, name="Wydział", kind="university", parent="uniwersytet")
    factories.publish(rt, name="Wydział")
    assert len(notices.search(rt, q="institution:uniwersytet").items) == 1


@pytest.mark.parametrize("cursor", ["x", "bm90IGEgY3Vyc29y", "\x00", "é", "MjAyNi0wMS0wMXwx"])
def test_a_cursor_that_is_not_ours_is_refused(rt: Runtime, cursor: str) -> None:
    with pytest.raises(BadInput):
        notices.search(rt, after=cursor)
    with pytest.raises(BadInput):
        event_log.page(rt, after=cursor)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_its_limits(rt: Runtime, limit: int) -> None:
    with pytest.raises(BadInput):
        notices.search(rt, limit=limit)


def test_a_wrong_query_is_told(rt: Runtime) -> None:
    with pytest.raises(QueryError):
        notices.search(rt, q="topic:")


def test_the_log_goes_on_from_its_cursor(rt: Runtime) -> None:
    factories.publish(rt, factories.draft("a"), factories.draft("b"))
    first = event_log.page(rt, limit=1)
    second = event_log.page(rt, after=first.next, limit=10)
    third = event_log.page(rt, after=second.next)
    assert [e["data"]["key"] for e in (*first.items, *second.items)] == ["a", "b"]
    assert (third.items, third.next) == ([], second.next)


def test_the_log_narrowed_by_a_query_keeps_withdrawals(rt: Runtime) -> None:
    factories.publish(rt, factories.draft("a"), factories.draft("b", kind="job"))
    factories.withdraw(rt, "a")
    found = event_log.page(rt, q="kind:job").items
    assert [(e["data"]["key"], e["type"].split(".")[-2]) for e in found] == [
        ("b", "published"),
        ("a", "withdrawn"),
    ]


def test_the_log_tells_each_revision_as_it_was(rt: Runtime) -> None:
    factories.publish(rt, factories.draft(title="Pierwszy"))
    factories.publish(rt, factories.draft(title="Drugi"))
    assert [e["data"]["title"] for e in event_log.page(rt).items] == ["Pierwszy", "Drugi"]


def test_statistics_count_what_stands(rt: Runtime, clock: FrozenClock) -> None:
    old = factories.draft("old", published_at=clock.now() - timedelta(days=40))
    factories.publish(rt, old, factories.draft("new"), factories.draft("gone"))
    accept.withdraw(rt, factories.door(rt), ["gone"])
    factories.reader(rt)
    found = notices.stats(rt)
    assert (found.institutions, found.subscribers, found.notices, found.recent_notices) == (1, 1, 2, 1)
