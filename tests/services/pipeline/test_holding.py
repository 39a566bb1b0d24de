"""What may not go yet waits and comes in one letter: after a pause, after the night, on the next day."""

from datetime import UTC, datetime, timedelta

from services.clock import FrozenClock
from services.manage import subscribers, subscriptions
from services.runtime import Runtime
from tests.doubles.smtp import SmtpSink
from tests.factories import carry, counts, draft, publish, reader, rows, withdraw
from tests.mails import mails

DAY = timedelta(days=1)
NEXT_MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 07:00 in Warsaw
NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
STATES = "SELECT state, count(*) AS n FROM candidates GROUP BY state"


def at(clock: FrozenClock, moment: datetime, rt: Runtime) -> None:
    clock.set(moment)
    carry(rt)


def told(sink: SmtpSink, *titles: str) -> list[list[str]]:
    return [[title for title in titles if title in mail.text] for mail in mails(sink)]


def test_a_pause_ends_with_one_letter_of_all_that_came_whatever_its_rhythm(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", "kind:call")
    reader(mailing, "anna@mail.example", "kind:tender", cadence="daily@07:00")
    ends = NEXT_MORNING + 3 * DAY + timedelta(hours=2)
    subscribers.pause(mailing, person.id, ends)
    for day in range(3):
        publish(mailing, draft(f"c-{day}", title=f"Nabór {day}."))
        publish(mailing, draft(f"t-{day}", title=f"Przetarg {day}.", kind="tender"))
        at(clock, NEXT_MORNING + day * DAY, mailing)
    assert mails(sink) == []

    at(clock, ends, mailing)
    at(clock, ends + 2 * DAY, mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("6 ")
    assert counts(mailing, STATES) == {"issued": 6}
    assert counts(mailing, "SELECT cadence, 1 AS n FROM rhythms") == {"daily@07:00": 1}


def test_a_pause_that_ends_early_brings_what_waited_at_once(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.pause(mailing, person.id, NEXT_MORNING + 9 * DAY)
    publish(mailing, draft("a"), draft("b"))
    at(clock, NEXT_MORNING, mailing)
    assert mails(sink) == []

    subscribers.resume(mailing, person.id)
    carry(mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("2 ")


def test_a_pause_made_longer_holds_what_waited_longer(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.pause(mailing, person.id, NEXT_MORNING)
    publish(mailing)
    carry(mailing)
    subscribers.pause(mailing, person.id, NEXT_MORNING + 5 * DAY)
    at(clock, NEXT_MORNING + DAY, mailing)
    assert mails(sink) == []
    at(clock, NEXT_MORNING + 5 * DAY, mailing)
    assert len(mails(sink)) == 1


def test_one_subscription_may_pause_while_the_others_go_on(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", "kind:call", "kind:tender")
    calls = next(one for one in person.subscriptions if one.query == "kind:call")
    subscriptions.change(mailing, person.id, calls.id, paused_until=NEXT_MORNING)
    publish(mailing, draft("a", title="Nabór"), draft("b", kind="tender", title="Przetarg"))
    carry(mailing)
    assert told(sink, "Nabór", "Przetarg") == [["Przetarg"]]

    at(clock, NEXT_MORNING, mailing)
    assert told(sink, "Nabór", "Przetarg") == [["Przetarg"], ["Nabór"]]


def test_alerts_of_the_night_come_in_one_letter_in_the_morning(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.set_reach(mailing, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=None)
    for minute in range(3):
        clock.set(NIGHT + timedelta(minutes=minute))
        publish(mailing, draft(f"n-{minute}"))
        carry(mailing)
    assert mails(sink) == []

    at(clock, NEXT_MORNING, mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("3 ")
    assert rows(mailing, "SELECT id FROM rhythms") == []


def test_a_single_alert_of_the_night_comes_as_the_alert_that_it_is(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.set_reach(mailing, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=None)
    clock.set(NIGHT)
    publish(mailing, draft(title="Nabór w nocy"))
    carry(mailing)
    at(clock, NEXT_MORNING, mailing)
    publish(mailing, draft(title="Nabór w dzień"))
    carry(mailing)

    first, second = mails(sink)
    assert first.subject == "Nabór w nocy"
    assert second.message["in-reply-to"] == first.id


def test_what_is_withdrawn_in_the_night_is_not_told_in_the_morning(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.set_reach(mailing, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=None)
    clock.set(NIGHT)
    publish(mailing)
    carry(mailing)
    withdraw(mailing)
    at(clock, NEXT_MORNING, mailing)

    assert mails(sink) == []
    assert counts(mailing, "SELECT reason, count(*) AS n FROM candidates GROUP BY reason") == {"withdrawn": 1}
    assert rows(mailing, "SELECT id FROM rhythms") == []


def test_a_digest_that_falls_into_quiet_hours_comes_once_when_they_end(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", cadence="hourly")
    subscribers.set_reach(mailing, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=None)
    clock.set(datetime(2026, 11, 23, 20, 30, tzinfo=UTC))
    for hour in range(12):
        publish(mailing, draft(f"n-{hour}"))
        at(clock, clock.now() + timedelta(hours=1), mailing)

    came = [mail.subject.split()[0] for mail in mails(sink)]
    assert came == ["10", "1", "1"]  # 21:30 to 06:30 local in one at 07:00, then hour by hour


def test_urgent_news_goes_at_once_through_quiet_hours_the_budget_and_a_digest(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", cadence="weekly:fri@08:00")
    subscribers.set_reach(mailing, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=1)
    clock.set(NIGHT)
    publish(mailing, draft("a", title="Skażona woda", urgent=True), draft("b", title="Zwykły nabór"))
    publish(mailing, draft("c", title="Zamknięty most", urgent=True))
    carry(mailing)

    assert sorted(mail.subject for mail in mails(sink)) == ["Skażona woda", "Zamknięty most"]


def test_past_the_daily_budget_the_best_go_and_the_rest_roll_on_by_rank(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", cadence="daily@07:00")
    subscribers.set_reach(mailing, person.id, quiet_from=None, quiet_until=None, daily_budget=2)
    for days in (60, 1, 7, 20, None):
        deadline = clock.now() + timedelta(days=days) if days else None
        publish(
            mailing, draft(f"n-{days}", title=f"Za {days} dni", deadline_at=deadline), name=f"Urząd {days}"
        )
    for day in range(4):
        at(clock, NEXT_MORNING + day * DAY, mailing)

    came = told(sink, "Za 60 dni", "Za 1 dni", "Za 7 dni", "Za 20 dni", "Za None dni")
    assert came[0] == ["Za 1 dni", "Za 7 dni"]
    assert [len(one) for one in came] == [2, 2, 1]
    assert sorted(title for one in came for title in one) == sorted(
        ["Za 60 dni", "Za 1 dni", "Za 7 dni", "Za 20 dni", "Za None dni"]
    )


def test_alerts_past_the_budget_come_together_the_next_morning_within_the_next_days_budget(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example")
    subscribers.set_reach(mailing, person.id, quiet_from=None, quiet_until=None, daily_budget=2)
    for number in range(7):
        publish(mailing, draft(f"n-{number}", title=f"Nabór {number}."))
        carry(mailing)
    assert len(mails(sink)) == 2

    for day in range(4):
        at(clock, NEXT_MORNING + day * DAY, mailing)

    counted = [sum(f"Nabór {n}." in mail.text for n in range(7)) for mail in mails(sink)]
    assert counted == [1, 1, 2, 2, 1]
    assert counts(mailing, STATES) == {"issued": 7}


def test_two_digests_of_one_morning_share_the_days_budget(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    person = reader(mailing, "anna@mail.example", "kind:call", cadence="daily@07:00")
    reader(mailing, "anna@mail.example", "kind:tender", cadence="weekly:tue@07:00")
    subscribers.set_reach(mailing, person.id, quiet_from=None, quiet_until=None, daily_budget=3)
    publish(
        mailing, *(draft(f"c-{n}") for n in range(2)), *(draft(f"t-{n}", kind="tender") for n in range(2))
    )
    at(clock, NEXT_MORNING, mailing)

    assert sum(int(mail.subject.split()[0]) for mail in mails(sink)) == 4  # two, and one of the other two
    assert counts(mailing, STATES) == {"issued": 3, "pending": 1}


def test_an_export_tells_ones_own_times(rt: Runtime) -> None:
    person = reader(rt)
    subscribers.set_reach(rt, person.id, quiet_from="22:00", quiet_until="07:00", daily_budget=5)
    kept = subscribers.export(rt, person.id)
    assert (kept["cadence"], kept["quiet_from"], kept["daily_budget"]) == ("daily@07:00", "22:00", 5)


def test_subscriptions_follow_the_usual_cadence_until_they_have_their_own(rt: Runtime) -> None:
    person = reader(rt, "anna@mail.example", "kind:call", "kind:tender", cadence="usual")
    tenders = next(one for one in person.subscriptions if one.query == "kind:tender")
    subscriptions.change(rt, person.id, tenders.id, cadence="instant")
    changed = subscribers.set_cadence(rt, person.id, "weekly:mon@08:00")

    assert {one.query: one.cadence for one in changed.subscriptions} == {
        "kind:call": "weekly:mon@08:00", "kind:tender": "instant",
    }  # fmt: skip
    assert counts(rt, "SELECT cadence, 1 AS n FROM rhythms") == {"weekly:mon@08:00": 1}
    back = subscriptions.change(rt, person.id, tenders.id, cadence="usual")
    assert (back.cadence, back.follows_usual) == ("weekly:mon@08:00", True)
