"""What sources say is stored once, changes only when it changed, and is told exactly once."""

import threading
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.errors import NotFound
from services.pipeline import accept
from services.pipeline.accept import Accepted, Outcome
from services.runtime import Runtime
from services.storage import notices
from tests.conftest import OpenRuntime
from tests.factories import counts, door, draft, only, publish, rows, withdraw

EVENTS = "SELECT type, count(*) AS number FROM events GROUP BY type"


def outcomes(done: list[Accepted]) -> list[Outcome]:
    return [one.outcome for one in done]


def test_a_new_notice_is_published_with_its_first_revision_and_one_event(rt: Runtime) -> None:
    (done,) = publish(
        rt, draft("a", title="Nabór  wniosków\x00", body_html="<p onclick=x>Tak</p><script>1</script>")
    )

    assert (done.outcome, done.revision) == (Outcome.PUBLISHED, 1)
    notice = only(rt, "SELECT * FROM notices")
    assert (notice["title"], notice["body_html"]) == ("Nabór wniosków", "<p>Tak</p>")
    event = only(rt, "SELECT * FROM events")
    assert (event["type"], event["state"], event["snapshot"]["title"]) == (
        "published", "pending", "Nabór wniosków",
    )  # fmt: skip
    assert only(rt, "SELECT * FROM revisions")["snapshot"] == event["snapshot"]


def test_the_same_again_changes_nothing(rt: Runtime) -> None:
    first = publish(rt, draft("a"))
    again = publish(rt, draft("a"))

    assert outcomes(again) == [Outcome.UNCHANGED]
    assert again[0].notice_id == first[0].notice_id
    assert counts(rt, EVENTS) == {"published": 1}


def test_a_clock_that_moves_alone_revises_nothing(rt: Runtime, clock: FrozenClock) -> None:
    publish(rt, draft("a", published_at=clock.now()))

    assert outcomes(publish(rt, draft("a", published_at=clock.now() - timedelta(hours=1)))) == [
        Outcome.UNCHANGED
    ]


def test_a_changed_notice_is_revised_and_keeps_its_place(rt: Runtime, clock: FrozenClock) -> None:
    (first,) = publish(rt, draft("a", title="Do 30 listopada"))
    published_at = only(rt, "SELECT published_at FROM notices")["published_at"]
    clock.advance(60)
    (second,) = publish(rt, draft("a", title="Do 15 grudnia"))

    assert (second.outcome, second.revision, second.notice_id) == (Outcome.REVISED, 2, first.notice_id)
    notice = only(rt, "SELECT * FROM notices")
    assert (notice["title"], notice["revision"], notice["published_at"]) == ("Do 15 grudnia", 2, published_at)
    titles = [
        row["snapshot"]["title"] for row in rows(rt, "SELECT snapshot FROM revisions ORDER BY revision")
    ]
    assert titles == ["Do 30 listopada", "Do 15 grudnia"]
    assert counts(rt, EVENTS) == {"published": 1, "revised": 1}


def test_a_withdrawn_notice_stays_withdrawn(rt: Runtime) -> None:
    publish(rt, draft("a"))

    assert outcomes(withdraw(rt, "a")) == [Outcome.WITHDRAWN]
    assert outcomes(withdraw(rt, "a")) == [Outcome.WITHDRAWN]
    assert outcomes(publish(rt, draft("a", title="Znów"))) == [Outcome.WITHDRAWN]
    assert counts(rt, EVENTS) == {"published": 1, "withdrawn": 1}
    withdrawn = only(rt, "SELECT snapshot FROM events WHERE type = 'withdrawn'")
    assert withdrawn["snapshot"]["withdrawn_at"] is not None


def test_what_was_never_there_cannot_be_withdrawn(rt: Runtime) -> None:
    (done,) = withdraw(rt, "never")

    assert done.outcome is Outcome.REFUSED
    assert done.error


def test_the_last_of_two_drafts_with_one_key_counts(rt: Runtime) -> None:
    done = publish(rt, draft("a", title="pierwszy"), draft("b"), draft("a", title="drugi"))

    assert [one.key for one in done] == ["a", "b", "a"]
    assert only(rt, "SELECT title FROM notices WHERE key = 'a'")["title"] == "drugi"


def test_a_large_batch_has_an_outcome_for_each(rt: Runtime) -> None:
    drafts = [draft(f"n-{number}") for number in range(450)]

    done = publish(rt, *drafts)

    assert [one.key for one in done] == [one.key for one in drafts]
    assert set(outcomes(done)) == {Outcome.PUBLISHED}


def test_an_unknown_source_is_named(rt: Runtime) -> None:
    with pytest.raises(NotFound, match="there is no source 4711"):
        accept.accept(rt, 4711, [draft()])


def test_a_first_reading_tells_nothing_older_than_a_week(rt: Runtime, clock: FrozenClock) -> None:
    now = clock.now()
    old = draft("old", published_at=now - timedelta(days=8))
    new = draft("new", published_at=now - timedelta(days=6))

    done = accept.accept(rt, door(rt), [old, new], tell_since=accept.tell_since(None, now))

    assert outcomes(done) == [Outcome.PUBLISHED, Outcome.PUBLISHED]
    told = rows(rt, "SELECT n.key FROM events e JOIN notices n ON n.id = e.notice_id")
    assert [row["key"] for row in told] == ["new"]


def test_a_later_reading_tells_what_is_new_however_old_its_date(rt: Runtime, clock: FrozenClock) -> None:
    now = clock.now()

    accept.accept(
        rt, door(rt), [draft(published_at=now - timedelta(days=30))], tell_since=accept.tell_since(now, now)
    )

    assert counts(rt, EVENTS) == {"published": 1}


def test_a_date_in_the_future_counts_as_now(rt: Runtime, clock: FrozenClock) -> None:
    publish(rt, draft(published_at=clock.now() + timedelta(days=2)))

    assert only(rt, "SELECT published_at FROM notices")["published_at"] == clock.now()


def test_two_institutions_that_link_to_one_page_tell_one_story(rt: Runtime) -> None:
    page = "https://region.example/nabor/7"
    publish(rt, draft("a", url=page), name="Urząd A")
    publish(rt, draft("b", url=page), name="Urząd B")
    publish(rt, draft("c", url="https://region.example/nabor/8"), name="Urząd B")

    stories = rows(rt, "SELECT story_id, count(*) AS n FROM notices GROUP BY story_id ORDER BY n DESC")
    assert [row["n"] for row in stories] == [2, 1]


def test_one_institution_never_joins_its_own_notices(rt: Runtime) -> None:
    page = "https://region.example/nabory"
    publish(rt, draft("a", url=page))
    publish(rt, draft("b", url=page), draft("c", url=page))

    assert only(rt, "SELECT count(DISTINCT story_id) AS n FROM notices")["n"] == 3


def test_a_bare_site_is_no_story(rt: Runtime) -> None:
    publish(rt, draft("a", url="https://region.example/"), name="Urząd A")
    publish(rt, draft("b", url="https://region.example/"), name="Urząd B")

    assert only(rt, "SELECT count(DISTINCT story_id) AS n FROM notices")["n"] == 2


def test_pushes_of_the_same_keys_at_once_store_each_once(rt: Runtime, open_runtime: OpenRuntime) -> None:
    source_id = door(rt)
    keys = [f"k-{number:02}" for number in range(40)]
    together = threading.Barrier(4)
    found: list[list[Accepted]] = []
    faults: list[Exception] = []

    def push(number: int) -> None:
        mine = open_runtime()
        order = keys if number % 2 else keys[::-1]
        together.wait()
        try:
            for _ in range(3):
                found.append(accept.accept(mine, source_id, [draft(key) for key in order]))
        except Exception as exc:
            faults.append(exc)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not faults
    published = [one.key for done in found for one in done if one.outcome is Outcome.PUBLISHED]
    assert sorted(published) == keys
    assert {one.outcome for done in found for one in done} == {Outcome.PUBLISHED, Outcome.UNCHANGED}
    assert counts(rt, EVENTS) == {"published": 40}


def test_accept_that_dies_before_its_commit_leaves_nothing(rt: Runtime) -> None:
    source_id = door(rt)
    publish(rt, draft("there"))

    class Died(BaseException):
        pass

    def store_and_die() -> None:
        with rt.begin() as session:
            where = notices.door(session, source_id)
            assert where is not None
            change = notices.Change(draft("lost"), b"hash", rt.clock.now())
            notices.add_notices(session, where, [change], now=rt.clock.now(), quiet=frozenset(), alike={})
            raise Died

    with pytest.raises(Died):
        store_and_die()

    assert [row["key"] for row in rows(rt, "SELECT key FROM notices")] == ["there"]
    assert outcomes(publish(rt, draft("lost"))) == [Outcome.PUBLISHED]


def test_an_address_too_long_to_be_compared_is_stored_all_the_same(rt: Runtime) -> None:
    long = "https://example.org/" + "ż" * 3_000

    assert outcomes(publish(rt, draft("a", url=long))) == [Outcome.PUBLISHED]
    assert only(rt, "SELECT url FROM notices")["url"] == long
