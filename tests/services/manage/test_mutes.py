"""Less of this: each kind of mute keeps away exactly what it names, from one person, with the reason kept."""

from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.domain.mutes import MuteKind
from services.errors import NotFound, QueryError
from services.manage import housekeeping, mutes, private_feed, subscribers
from services.manage.mutes import MuteView, Unwanted
from services.manage.subscribers import SubscriberView
from services.manage.why import why
from services.pipeline import match
from services.runtime import Runtime
from tests.factories import carry, counts, draft, institution, only, publish, reader, rows, withdraw

OUTCOMES = """
    SELECT n.key, coalesce(c.reason, c.state) AS outcome
    FROM candidates c JOIN events e ON e.id = c.event_id JOIN notices n ON n.id = e.notice_id
"""
ANNA = "anna@mail.example"


def mute(rt: Runtime, person: SubscriberView, kind: str, value: object, *, days: int = 0) -> MuteView:
    until = rt.clock.now() + timedelta(days=days) if days else None
    return mutes.add(rt, person.id, Unwanted(MuteKind(kind), str(value), until))


def test_a_muted_institution_stays_away_with_all_its_units_from_one_person_alone(rt: Runtime) -> None:
    anna, _ = reader(rt, ANNA), reader(rt, "jan@mail.example")
    slug = institution(rt, "Uczelnia")
    institution(rt, "Wydział", parent=slug)
    mute(rt, anna, "institution", slug)
    publish(rt, draft("unit"), name="Wydział")
    publish(rt, draft("other"))
    match.run(rt)
    told = rows(rt, OUTCOMES + " WHERE c.subscriber_id = :p ORDER BY 1", p=anna.id)
    assert [tuple(row.values()) for row in told] == [("other", "pending"), ("unit", "muted_institution")]
    assert only(rt, "SELECT count(*) AS n FROM candidates WHERE state = 'pending'")["n"] == 3


def test_a_muted_word_stays_away_in_every_form_until_its_day(rt: Runtime, clock: FrozenClock) -> None:
    anna = reader(rt, ANNA)
    mute(rt, anna, "word", "hulajnoga", days=7)
    publish(rt, draft("a", title="Przetarg na hulajnogi miejskie"), draft("b", title="Przetarg na rowery"))
    match.run(rt)
    assert counts(rt, OUTCOMES) == {"a": "muted_word", "b": "pending"}
    clock.advance(timedelta(days=8))
    publish(rt, draft("c", title="Hulajnogom mówimy tak"))
    match.run(rt)
    assert counts(rt, OUTCOMES)["c"] == "pending"
    assert mutes.list_for(rt, anna.id) == []


def test_a_muted_interest_leaves_the_others_of_the_person(rt: Runtime) -> None:
    anna = reader(rt, ANNA, "kind:call", "dotacja")
    mute(rt, anna, "interest", anna.subscriptions[0].id)
    publish(rt)
    carry(rt)
    told = counts(rt, "SELECT s.query, coalesce(c.reason, c.state) AS outcome"
                      " FROM candidates c JOIN subscriptions s ON s.id = c.subscription_id")  # fmt: skip
    assert told == {"kind:call": "muted_interest", "dotacja": "issued"}


def test_a_muted_story_stays_away_whoever_tells_it(rt: Runtime) -> None:
    anna = reader(rt, ANNA)
    publish(rt, draft("a", url="https://example.org/story"))
    carry(rt)
    story = only(rt, "SELECT story_id FROM notices WHERE key = 'a'")["story_id"]
    mute(rt, anna, "story", story)
    publish(rt, draft("b", url="https://example.org/story"), name="Powiat")
    match.run(rt)
    assert counts(rt, OUTCOMES) == {"a": "issued", "b": "muted_story"}


@pytest.mark.parametrize("kind", ["institution", "word", "story", "interest"])
def test_what_waits_for_a_digest_is_left_out_at_once_and_why_tells_it(rt: Runtime, kind: str) -> None:
    anna = reader(rt, ANNA, "kind:call", cadence="daily@07:00")
    publish(rt, draft("a", title="Hulajnogi w mieście"), draft("b", title="Rowery"), name="Gmina A")
    publish(rt, draft("c", title="Rowery"), name="Gmina B")
    match.run(rt)
    notice = only(rt, "SELECT id, story_id FROM notices WHERE key = 'a'")
    named = {"institution": institution(rt, "Gmina A"), "word": "hulajnoga", "story": notice["story_id"],
             "interest": anna.subscriptions[0].id}  # fmt: skip
    mute(rt, anna, kind, named[kind])
    out = {key for key, outcome in counts(rt, OUTCOMES).items() if outcome == f"muted_{kind}"}
    assert (
        out == {"institution": {"a", "b"}, "word": {"a"}, "story": {"a"}, "interest": {"a", "b", "c"}}[kind]
    )
    assert "muted" in why(rt, notice_id=notice["id"], recipient=ANNA).verdict


def test_a_withdrawal_reaches_who_got_it_although_they_muted_it(rt: Runtime) -> None:
    anna = reader(rt, ANNA)
    publish(rt)
    carry(rt)
    mute(rt, anna, "word", "dotacja")
    withdraw(rt)
    carry(rt)
    assert rows(rt, "SELECT state FROM candidates ORDER BY id")[-1]["state"] == "issued"


def test_a_lifted_mute_lets_it_come_again_and_the_matchers_forget_it(rt: Runtime) -> None:
    anna = reader(rt, ANNA)
    done = mute(rt, anna, "word", "hulajnoga")
    publish(rt, draft("a", title="Hulajnogi"))
    match.run(rt)
    mutes.lift(rt, anna.id, done.id)
    publish(rt, draft("b", title="Hulajnogi znów"))
    match.run(rt)
    assert counts(rt, OUTCOMES) == {"a": "muted_word", "b": "pending"}
    assert only(rt, "SELECT count(*) AS n FROM matches")["n"] == 3
    with pytest.raises(NotFound):
        mutes.lift(rt, anna.id, done.id)


def test_the_same_mute_once_more_changes_how_long_it_lasts(rt: Runtime, clock: FrozenClock) -> None:
    anna = reader(rt, ANNA)
    first = mute(rt, anna, "word", "hulajnoga", days=1)
    again = mute(rt, anna, "word", "hulajnoga", days=5)
    assert (again.id, again.until) == (first.id, clock.now() + timedelta(days=5))


def test_nobody_lifts_the_mute_of_another(rt: Runtime) -> None:
    anna, jan = reader(rt, ANNA), reader(rt, "jan@mail.example")
    done = mute(rt, anna, "word", "hulajnoga")
    with pytest.raises(NotFound):
        mutes.lift(rt, jan.id, done.id)
    with pytest.raises(NotFound):
        mute(rt, jan, "interest", anna.subscriptions[0].id)


@pytest.mark.parametrize(
    ("kind", "value", "days", "refusal"),
    [
        ("institution", "nobody", 0, NotFound), ("story", "99", 0, NotFound), ("story", "x", 0, NotFound),
        ("interest", "99", 0, NotFound), ("word", "(x", 0, QueryError), ("word", "-x", 0, QueryError),
    ],
)  # fmt: skip
def test_what_cannot_be_muted_is_refused(
    rt: Runtime, kind: str, value: str, days: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        mute(rt, reader(rt, ANNA), kind, value, days=days)


def test_a_private_feed_is_without_what_is_muted(rt: Runtime) -> None:
    anna = reader(rt, ANNA)
    publish(rt, draft("a", title="Hulajnogi"), draft("b", title="Rowery"))
    mute(rt, anna, "word", "hulajnoga")
    told = private_feed.read(rt, private_feed.token_for(rt, anna.id), limit=10)
    assert [one["key"] for one in told] == ["b"]


def test_mutes_are_exported_erased_and_forgotten_when_over(rt: Runtime, clock: FrozenClock) -> None:
    anna, jan = reader(rt, ANNA), reader(rt, "jan@mail.example")
    mute(rt, anna, "word", "hulajnoga")
    mute(rt, jan, "word", "rower", days=1)
    assert [one["label"] for one in subscribers.export(rt, anna.id)["muted"]] == ["hulajnoga"]
    subscribers.erase(rt, anna.id)
    clock.advance(timedelta(days=2))
    housekeeping.tidy(rt)
    assert only(rt, "SELECT count(*) AS n FROM mutes")["n"] == 0
    publish(rt, draft("a", title="Hulajnogi i rowery"))
    match.run(rt)
    assert only(rt, "SELECT count(*) AS n FROM matches")["n"] == 1
