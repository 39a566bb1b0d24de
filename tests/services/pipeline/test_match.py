"""Everyone whom an event concerns is written down once, and everyone left out with the reason."""

from datetime import timedelta

from services.clock import FrozenClock
from services.manage import calls, subscriptions
from services.manage.subscriptions import Wish
from services.pipeline import match
from services.pipeline.fan_out import fan_out
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import matching, work
from services.storage import subscribers as people
from tests.factories import carry, counts, draft, institution, listener, only, publish, reader, rows, withdraw

WHO = """
    SELECT r.email, coalesce(c.reason, c.state) FROM candidates c
    JOIN subscribers r ON r.id = c.subscriber_id JOIN events e ON e.id = c.event_id WHERE e.type = :type
"""


def reached(rt: Runtime, type: str = "published") -> dict[str, str]:
    """{address: state of its candidate, or why it was left out}."""
    return counts(rt, WHO, type=type)


def test_an_event_reaches_those_who_asked_for_it_and_nobody_else(rt: Runtime) -> None:
    reader(rt, "words@mail.example", "dotacja")
    reader(rt, "kind@mail.example", "kind:call")
    reader(rt, "other@mail.example", "kind:tender OR przedszkole")
    publish(rt, draft(title="Dotacje dla firm"))

    assert match.run(rt) == 1

    assert reached(rt) == {"words@mail.example": "pending", "kind@mail.example": "pending"}
    assert only(rt, "SELECT state FROM events")["state"] == "matched"


def test_a_match_is_kept_with_its_witnesses(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", "dotacja -kind:tender")
    publish(rt, draft(title="Dotacje dla firm"))
    match.run(rt)

    assert only(rt, "SELECT witnesses FROM matches")["witnesses"]


def test_an_interest_is_held_against_events_once_however_many_share_it(rt: Runtime) -> None:
    for number in range(5):
        reader(rt, f"r{number}@mail.example", "kind:call")
    publish(rt, draft("a"), draft("b"))

    assert match.run(rt) == 2

    assert len(rows(rt, "SELECT * FROM matches")) == 2
    assert counts(rt, "SELECT state, count(*) AS n FROM candidates GROUP BY state") == {"pending": 10}


def test_who_is_left_out_is_written_with_the_reason(rt: Runtime, clock: FrozenClock) -> None:
    bounced = reader(rt, "bounced@mail.example")
    with rt.begin() as session:
        person = people.by_id(session, bounced.id)
        assert person is not None
        people.suppress(
            session, email_hash=person.email_hash, reason="bounce", detail=None, at=clock.now()
        )  # fmt: skip
    left = reader(rt, "left@mail.example")
    rows(rt, "UPDATE subscribers SET state = 'pending' WHERE id = :id RETURNING id", id=left.id)
    reader(rt, "there@mail.example")
    publish(rt)

    match.run(rt)

    assert reached(rt) == {
        "bounced@mail.example": "suppressed",
        "left@mail.example": "not_confirmed",
        "there@mail.example": "pending",
    }


def test_commercial_notices_reach_only_those_who_asked_for_them(rt: Runtime) -> None:
    reader(rt, "plain@mail.example")
    reader(rt, "agreed@mail.example", commercial=True)
    publish(rt, draft(commercial=True))
    match.run(rt)

    assert reached(rt) == {"plain@mail.example": "no_commercial_consent", "agreed@mail.example": "pending"}


def test_an_interest_of_a_moment_ago_is_known(rt: Runtime) -> None:
    reader(rt, "first@mail.example", "kind:call")
    publish(rt, draft("a"))
    match.run(rt)
    reader(rt, "second@mail.example", "dotacja")
    publish(rt, draft("b"))
    match.run(rt)

    told = rows(rt, "SELECT subscriber_id FROM candidates WHERE event_id = (SELECT max(id) FROM events)")
    assert len(told) == 2


def test_an_interest_that_was_dropped_is_held_against_nothing(rt: Runtime) -> None:
    person = reader(rt, "anna@mail.example", "kind:call", "dotacja")
    publish(rt, draft("a"))
    match.run(rt)
    subscriptions.remove(rt, person.id, person.subscriptions[0].id)
    publish(rt, draft("b"))
    match.run(rt)

    assert len(rows(rt, "SELECT * FROM matches m WHERE event_id = (SELECT max(id) FROM events)")) == 1


def test_an_institution_is_followed_with_its_units(rt: Runtime) -> None:
    university = institution(rt, "Uniwersytet Testowy", kind="university")
    institution(rt, "Wydział Chemii", kind="university", parent=university)
    reader(rt, "anna@mail.example", f"institution:{university}")
    publish(rt, name="Wydział Chemii")
    match.run(rt)

    assert reached(rt) == {"anna@mail.example": "pending"}


def test_an_endpoint_that_asked_gets_a_delivery_and_a_disabled_one_does_not(rt: Runtime) -> None:
    listener(rt, "http://127.0.0.1:9/asked", "kind:call")
    listener(rt, "http://127.0.0.1:9/else", "kind:tender")
    listener(rt, "http://127.0.0.1:9/disabled", "kind:call")
    rows(rt, "UPDATE endpoints SET state = 'disabled' WHERE url LIKE '%disabled' RETURNING id")
    publish(rt)
    match.run(rt)

    query = "SELECT p.url, d.state FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id"
    assert counts(rt, query) == {"http://127.0.0.1:9/asked": "pending"}


def test_a_withdrawal_ends_the_waiting_and_reaches_no_one_new(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", cadence="daily@07:00")
    publish(rt)
    match.run(rt)
    withdraw(rt)
    match.run(rt)

    assert reached(rt) == {"anna@mail.example": "withdrawn"}
    assert reached(rt, "withdrawn") == {}


def test_a_withdrawal_reaches_exactly_those_who_got_the_notice(rt: Runtime) -> None:
    reader(rt, "got@mail.example")
    reader(rt, "waits@mail.example", cadence="daily@07:00")
    reader(rt, "excluded@mail.example")
    rows(rt, "UPDATE subscribers SET state = 'pending' WHERE email LIKE 'excl%' RETURNING id")
    publish(rt)
    carry(rt)
    rows(rt, "UPDATE subscribers SET state = 'active' WHERE email LIKE 'excl%' RETURNING id")
    reader(rt, "new@mail.example")
    withdraw(rt)
    match.run(rt)

    assert reached(rt, "withdrawn") == {"got@mail.example": "pending"}


def test_a_correction_reaches_those_who_got_the_first_though_it_meets_their_interest_no_more(
    rt: Runtime,
) -> None:
    reader(rt, "got@mail.example", "dotacja")
    reader(rt, "never@mail.example", "przetarg")
    created = listener(rt, "http://127.0.0.1:9/hook", "dotacja")
    publish(rt, draft(title="Dotacje dla firm"))
    carry(rt)
    publish(rt, draft(title="Pożyczki dla firm"))
    match.run(rt)

    assert reached(rt, "revised") == {"got@mail.example": "pending"}
    told = calls.deliveries(rt, None, created.endpoint.uid).items
    assert [one.type.split(".")[3] for one in told] == ["revised", "published"]


def test_a_matcher_that_dies_is_followed_and_nothing_is_written_twice(
    rt: Runtime, clock: FrozenClock
) -> None:
    reader(rt, "anna@mail.example")
    publish(rt, draft("a"), draft("b"))
    with rt.begin() as session:
        dead = work.claim(session, work.EVENTS, now=clock.now(), lease=LEASE, limit=10)
        events = matching.events_as_documents(session, dead.rows)
    assert match.run(rt) == 0

    clock.advance(LEASE + timedelta(seconds=1))
    assert match.run(rt) == 2

    # And should the dead one only have been slow, what it writes now changes nothing.
    interest = only(rt, "SELECT id FROM interests")["id"]
    with rt.begin() as session:
        late = [(event.event_id, interest, ("late",)) for event in events]
        assert matching.record(session, dead, late, now=clock.now(), by_turn=False) == 0
        assert matching.finish(session, dead, list(dead.rows)) == 0
    assert fan_out(rt, dead, list(dead.rows)).readers == 0
    assert counts(rt, "SELECT state, count(*) AS n FROM candidates GROUP BY state") == {"pending": 2}


def test_an_event_that_cannot_be_matched_holds_up_no_other(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, "anna@mail.example")
    publish(rt, draft("good"), draft("bad"))
    rows(
        rt,
        """UPDATE events SET snapshot = jsonb_set(snapshot, '{topics}', '[[]]')
           WHERE snapshot->>'key' = 'bad' RETURNING id""",
    )

    match.run(rt)

    state = {
        row["key"]: row["state"] for row in rows(rt, "SELECT snapshot->>'key' AS key, state FROM events")
    }
    assert state == {"good": "matched", "bad": "pending"}
    bad = only(rt, "SELECT error, due_at FROM events WHERE error IS NOT NULL")
    assert bad["due_at"] == clock.now() + match.AGAIN_AFTER


def test_two_people_with_one_interest_may_name_it_as_they_like(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", "kind:call dotacja")
    person = reader(rt, "jan@mail.example", "dotacja kind:call")

    assert len(rows(rt, "SELECT id FROM interests")) == 1
    assert person.subscriptions[0].label == "zakres dotacja kind:call"
    assert subscriptions.pledge(Wish("dotacja  kind:call")).canonical == person.subscriptions[0].canonical
