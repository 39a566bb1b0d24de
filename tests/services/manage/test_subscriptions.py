import threading
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.errors import BadInput, Conflict, NotFound, QueryError
from services.manage import subscriptions
from services.manage.subscriptions import Wish
from services.pipeline import match
from services.runtime import Runtime
from services.storage import subscriptions as store
from tests import factories
from tests.factories import draft, publish, withdraw


def rhythms(rt: Runtime) -> list[str]:
    return [row["cadence"] for row in factories.rows(rt, "SELECT cadence FROM rhythms ORDER BY cadence")]


def changes(rt: Runtime) -> int:
    return len(factories.rows(rt, "SELECT id FROM interest_changes"))


def test_an_interest_is_stored_once_and_told_to_matchers_once(rt: Runtime) -> None:
    factories.reader(rt, "anna@mail.example", "kind:call topic:funding")
    factories.reader(rt, "jan@mail.example", "topic:funding AND kind:call")
    assert len(factories.rows(rt, "SELECT id FROM interests")) == 1
    assert changes(rt) == 1


def test_matchers_hear_when_the_last_user_goes(rt: Runtime) -> None:
    anna = factories.reader(rt, "anna@mail.example")
    jan = factories.reader(rt, "jan@mail.example")
    subscriptions.remove(rt, anna.id, anna.subscriptions[0].id)
    assert changes(rt) == 1
    subscriptions.remove(rt, jan.id, jan.subscriptions[0].id)
    assert changes(rt) == 2


def test_there_is_one_rhythm_for_each_cadence_in_use(rt: Runtime) -> None:
    found = factories.reader(rt, "anna@mail.example", "kind:call", "kind:job", cadence="daily@07:00")
    assert rhythms(rt) == ["daily@07:00"]
    first, second = (s.id for s in found.subscriptions)
    subscriptions.change(rt, found.id, first, cadence="hourly")
    assert rhythms(rt) == ["daily@07:00", "hourly"]
    subscriptions.change(rt, found.id, second, cadence="instant")
    assert rhythms(rt) == ["hourly"]
    subscriptions.remove(rt, found.id, first)
    assert rhythms(rt) == []


def test_a_rhythm_is_due_at_the_readers_own_hour(rt: Runtime) -> None:
    factories.reader(rt, cadence="daily@07:00", timezone="America/New_York")
    assert str(factories.only(rt, "SELECT due_at FROM rhythms")["due_at"]) == "2026-11-24 12:00:00+00:00"


def test_what_waited_moves_along_to_the_new_cadence(rt: Runtime) -> None:
    found = factories.reader(rt, cadence="daily@07:00")
    factories.publish(rt)
    match.run(rt)
    subscriptions.change(rt, found.id, found.subscriptions[0].id, cadence="hourly")
    assert factories.only(rt, "SELECT cadence, state FROM candidates") == {
        "cadence": "hourly",
        "state": "pending",
    }


def test_what_waited_for_the_old_query_is_excluded_with_its_reason(rt: Runtime) -> None:
    found = factories.reader(rt, cadence="daily@07:00")
    factories.publish(rt)
    match.run(rt)
    changed = subscriptions.change(rt, found.id, found.subscriptions[0].id, query="kind:job")
    assert changed.canonical == "kind:job"
    assert factories.only(rt, "SELECT state, reason FROM candidates") == {
        "state": "excluded",
        "reason": "interest_changed",
    }


def test_the_same_query_in_other_words_changes_nothing_for_matchers(rt: Runtime) -> None:
    found = factories.reader(rt, "anna@mail.example", "kind:call topic:funding")
    before = changes(rt)
    changed = subscriptions.change(
        rt, found.id, found.subscriptions[0].id, query="topic:funding kind:call", label="Nowa nazwa"
    )
    assert (changed.query, changed.label) == ("topic:funding kind:call", "Nowa nazwa")
    assert changes(rt) == before


def test_one_person_has_an_interest_once(rt: Runtime) -> None:
    found = factories.reader(rt, "anna@mail.example", "kind:call", "kind:job")
    with pytest.raises(Conflict):
        subscriptions.add(rt, found.id, Wish("kind:job"))
    with pytest.raises(Conflict):
        subscriptions.change(rt, found.id, found.subscriptions[0].id, query="kind:job")


def test_nobody_reaches_the_subscription_of_another(rt: Runtime) -> None:
    anna = factories.reader(rt, "anna@mail.example")
    jan = factories.reader(rt, "jan@mail.example")
    with pytest.raises(NotFound):
        subscriptions.remove(rt, anna.id, jan.subscriptions[0].id)
    with pytest.raises(NotFound):
        subscriptions.change(rt, anna.id, jan.subscriptions[0].id, label="x")


def test_a_subscription_without_a_label_is_called_by_its_query(rt: Runtime) -> None:
    found = factories.reader(rt)
    assert subscriptions.add(rt, found.id, Wish("kind:job  place:torun")).label == "kind:job place:torun"


def test_a_pause_of_one_subscription_begins_and_ends(rt: Runtime, clock: FrozenClock) -> None:
    found = factories.reader(rt)
    until = clock.now() + timedelta(days=1)
    one = found.subscriptions[0].id
    assert subscriptions.change(rt, found.id, one, paused_until=until).paused_until == until
    assert subscriptions.change(rt, found.id, one, label="x").paused_until == until
    assert subscriptions.change(rt, found.id, one, paused_until=None).paused_until is None
    with pytest.raises(BadInput):
        subscriptions.change(rt, found.id, one, paused_until=clock.now())


def test_a_preview_counts_exactly_and_shows_the_newest(rt: Runtime, clock: FrozenClock) -> None:
    drafts = [factories.draft(f"n-{n}", published_at=clock.now() - timedelta(days=n)) for n in range(40)]
    factories.publish(rt, *drafts, factories.draft("x", kind="job"))
    found = subscriptions.preview(rt, "kind:call")
    assert (found.canonical, found.count, found.days) == ("kind:call", 31, 30)
    assert [s["key"] for s in found.samples] == ["n-0", "n-1", "n-2", "n-3", "n-4"]


def test_a_preview_leaves_out_what_was_withdrawn_once_it_is_fresh_again(
    rt: Runtime, clock: FrozenClock
) -> None:
    factories.publish(rt)
    assert subscriptions.preview(rt, "kind:call").count == 1
    factories.withdraw(rt)
    clock.advance(10)
    assert subscriptions.preview(rt, "kind:call").count == 0


def test_a_preview_follows_a_revision(rt: Runtime, clock: FrozenClock) -> None:
    factories.publish(rt)
    subscriptions.preview(rt, "kind:job")
    factories.publish(rt, factories.draft(kind="job"))
    clock.advance(10)
    assert subscriptions.preview(rt, "kind:job").count == 1


def test_a_preview_of_a_broken_query_tells_the_place(rt: Runtime) -> None:
    with pytest.raises(QueryError) as told:
        subscriptions.preview(rt, 'kind:call "dotacje')
    assert told.value.column == 11


def test_who_takes_up_an_interest_while_its_last_user_leaves_is_heard_of(rt: Runtime) -> None:
    anna = factories.reader(rt, "anna@mail.example")
    taking_up = threading.Thread(target=factories.reader, args=(rt, "jan@mail.example"))
    with rt.begin() as session:
        store.drop(session, [anna.subscriptions[0].id])
        taking_up.start()
        taking_up.join(0.3)
        assert taking_up.is_alive()  # it waits for us
    taking_up.join(10)
    assert changes(rt) == 3


def test_a_preview_counts_weeks_and_tells_what_to_try(rt: Runtime, clock: FrozenClock) -> None:
    for week, number in ((0, 3), (1, 1), (12, 2), (13, 1)):
        at = clock.now() - timedelta(days=7 * week, hours=9)
        publish(rt, *[draft(f"{week}-{n}", title="Rowery", published_at=at) for n in range(number)])
    found = subscriptions.preview(rt, "rower")
    assert (found.count, found.count_90, found.advice) == (4, 6, None)
    assert [week.count for week in found.weeks] == [2, *[0] * 10, 1, 3]
    assert len(found.samples) == 4
    empty = subscriptions.preview(rt, "rower kind:job")
    assert (empty.count_90, empty.advice) == (0, "widen")
    assert [(one.query, one.count) for one in empty.suggestions] == [("rower", 6)]


def test_a_preview_of_too_much_is_narrowed_and_what_is_withdrawn_is_not_counted(
    rt: Runtime, clock: FrozenClock
) -> None:
    kinds = ("news",) * 3 + ("call",)
    now = clock.now()
    publish(rt, *[draft(str(n), title="Rowery", kind=kinds[n % 4], published_at=now) for n in range(900)])
    publish(rt, *[draft(str(n), title="Rowery", kind="job", published_at=now) for n in range(900, 1900)])
    found = subscriptions.preview(rt, "rower")
    assert (found.count_90, found.advice) == (1900, "narrow")
    assert ("kind:job rower", 1000) in [(one.query, one.count) for one in found.suggestions]
    withdraw(rt, "0", "4")
    clock.advance(timedelta(seconds=2))
    assert subscriptions.preview(rt, "rower").count == 1898
