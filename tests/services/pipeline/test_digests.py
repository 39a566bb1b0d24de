"""Digests: each story once, at the reader's own hour, whatever the clocks do and whoever was down."""

from datetime import UTC, datetime, timedelta

import pytest

from services.clock import FrozenClock
from services.manage import subscribers
from services.pipeline import compose, deliver, match
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import issues, work
from tests.doubles.smtp import SmtpSink
from tests.factories import carry, counts, draft, only, publish, reader, rows, withdraw
from tests.mails import mails

PAGE = "https://region.example/nabor/7"
REASONS = "SELECT reason, count(*) AS n FROM candidates WHERE state = 'excluded' GROUP BY reason"
DAY = timedelta(days=1)
# The clock of tests stands at 13:00 in Warsaw on 23 November 2026.
NEXT_MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def at(clock: FrozenClock, moment: datetime, rt: Runtime) -> None:
    clock.set(moment)
    carry(rt)


def test_a_digest_comes_at_its_hour_with_all_that_came_since(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, draft("a"), draft("b"))
    carry(mailing)
    publish(mailing, draft("c"))
    at(clock, NEXT_MORNING - timedelta(seconds=1), mailing)
    assert mails(sink) == []

    at(clock, NEXT_MORNING, mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("3 ")
    assert all(f"Dotacje dla firm {key}" in mail.text for key in "abc")


def test_a_digest_tells_each_story_once_whatever_asked_for_it(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", "kind:call", "dotacja", cadence="daily@07:00")
    publish(mailing, draft("a", url=PAGE, title="Dotacje ruszają"), name="Urząd A")
    publish(mailing, draft("b", url=PAGE, title="Dotacje ruszają"), name="Urząd B")
    at(clock, NEXT_MORNING, mailing)

    (mail,) = mails(sink)
    assert mail.text.count("Dotacje ruszają") == 1
    assert mail.subject.startswith("1 ")


def test_a_notice_revised_within_the_window_is_told_as_it_stands(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, draft(title="Nabór do listopada"))
    carry(mailing)
    publish(mailing, draft(title="Nabór do grudnia"))
    at(clock, NEXT_MORNING, mailing)

    (mail,) = mails(sink)
    assert "do grudnia" in mail.text
    assert "do listopada" not in mail.text


def test_what_was_told_by_an_alert_is_not_told_again_in_a_digest(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", "kind:call")
    reader(mailing, "anna@mail.example", "dotacja", cadence="daily@07:00")
    publish(mailing)
    at(clock, NEXT_MORNING, mailing)

    assert [mail.subject for mail in mails(sink)] == ["Dotacje dla firm n-1"]
    assert counts(mailing, REASONS) == {"already_told": 1}


def test_an_empty_digest_is_never_sent(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    at(clock, NEXT_MORNING, mailing)

    assert mails(sink) == []
    assert rows(mailing, "SELECT id FROM issues") == []
    assert only(mailing, "SELECT due_at FROM rhythms")["due_at"] == NEXT_MORNING + DAY


def test_missed_windows_are_made_up_once(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, draft("a"))
    match.run(mailing)
    clock.set(NEXT_MORNING + 2 * DAY)
    publish(mailing, draft("b"))
    match.run(mailing)

    clock.set(NEXT_MORNING + 4 * DAY + timedelta(hours=3))
    assert compose.run(mailing) == 1
    assert compose.run(mailing) == 0
    deliver.run_mail(mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("2 ")
    rhythm = only(mailing, "SELECT since, due_at, state FROM rhythms")
    assert rhythm == {"since": NEXT_MORNING + 4 * DAY, "due_at": NEXT_MORNING + 5 * DAY, "state": "pending"}


def test_a_digest_over_midnight_loses_nothing_and_repeats_nothing(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    midnight = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)  # in Warsaw
    clock.set(midnight - timedelta(hours=1))
    reader(mailing, "anna@mail.example", cadence="daily@00:00")
    for number, offset_s in enumerate((-1, 0, 1)):
        at(clock, midnight + timedelta(seconds=offset_s), mailing)
        publish(mailing, draft(f"n-{number}"))
        carry(mailing)
    at(clock, midnight + DAY, mailing)

    told = [[key for key in ("n-0", "n-1", "n-2") if key in mail.text] for mail in mails(sink)]
    assert sorted(key for keys in told for key in keys) == ["n-0", "n-1", "n-2"]
    assert len(told) == 2


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # Clocks go forward on 29 March 2026 and back on 25 October 2026, at 01:00 UTC.
        (datetime(2026, 3, 27, 12, tzinfo=UTC), ["03-28 06:00", "03-29 05:00", "03-30 05:00"]),
        (datetime(2026, 10, 23, 12, tzinfo=UTC), ["10-24 05:00", "10-25 06:00", "10-26 06:00"]),
    ],
    ids=["spring", "autumn"],
)
def test_a_morning_digest_stays_at_seven_when_the_clocks_change(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock, before: datetime, expected: list[str]
) -> None:
    clock.set(before)
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    came: list[str] = []
    for hour in range(72):
        if hour % 6 == 0:
            publish(mailing, draft(f"n-{hour}"))
        at(clock, before + timedelta(hours=hour), mailing)
        if len(mails(sink)) > len(came):
            came.append(f"{clock.now():%m-%d %H:%M}")

    assert came == expected
    told = [mail.subject.split()[0] for mail in mails(sink)]
    assert sum(map(int, told)) == len(rows(mailing, "SELECT id FROM candidates WHERE state = 'issued'"))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), ["03-29 01:00", "03-30 00:30"]),
        (datetime(2026, 10, 24, 21, tzinfo=UTC), ["10-25 00:30", "10-26 01:30"]),
    ],
    ids=["left out", "there twice"],
)
def test_an_hour_that_the_clocks_leave_out_or_repeat_comes_once_a_day(
    rt: Runtime, clock: FrozenClock, before: datetime, expected: list[str]
) -> None:
    clock.set(before)
    reader(rt, cadence="daily@02:30")
    fired = []
    for _ in expected:
        clock.set(only(rt, "SELECT due_at FROM rhythms")["due_at"])
        compose.run(rt)
        fired.append(f"{clock.now():%m-%d %H:%M}")

    assert fired == expected


def test_what_is_too_much_for_one_digest_rolls_on(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, *(draft(f"n-{number:02}", title=f"Nabór nr {number:02}.") for number in range(37)))
    for day in range(3):
        at(clock, NEXT_MORNING + day * DAY, mailing)

    told = [[n for n in range(37) if f"Nabór nr {n:02}." in mail.text] for mail in mails(sink)]
    assert [len(one) for one in told] == [30, 7]
    assert sorted(n for one in told for n in one) == list(range(37))


def test_what_closes_soonest_comes_first(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    soon, later = clock.now() + 2 * DAY, clock.now() + 20 * DAY
    publish(
        mailing,
        draft("without", title="Bez terminu"),
        draft("later", title="Na później", deadline_at=later),
        draft("soon", title="Zaraz koniec", deadline_at=soon),
        draft("past", title="Już po", deadline_at=clock.now() - DAY),
    )
    at(clock, NEXT_MORNING, mailing)

    text = mails(sink)[0].text
    places = [text.index(title) for title in ("Zaraz koniec", "Na później", "Już po", "Bez terminu")]
    assert places[:2] == sorted(places)[:2]


def test_a_withdrawal_goes_to_readers_of_digests_too(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "got@mail.example", cadence="daily@07:00")
    publish(mailing, draft("a", title="Nabór odwołany"))
    at(clock, NEXT_MORNING, mailing)
    reader(mailing, "new@mail.example", cadence="daily@07:00")
    withdraw(mailing, "a")
    at(clock, NEXT_MORNING + DAY, mailing)

    first, second = mails(sink)
    assert (first.to, second.to) == ("got@mail.example", "got@mail.example")
    assert "Nabór odwołany" in second.text


def test_a_pause_keeps_what_waits_until_it_ends(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    person = reader(mailing, "anna@mail.example", cadence="daily@07:00")
    subscribers.pause(mailing, person.id, NEXT_MORNING + 2 * DAY + timedelta(hours=1))
    for day in range(3):
        publish(mailing, draft(f"n-{day}"))
        at(clock, NEXT_MORNING + day * DAY, mailing)
    assert mails(sink) == []

    at(clock, NEXT_MORNING + 3 * DAY, mailing)

    (mail,) = mails(sink)
    assert mail.subject.startswith("3 ")


def test_rhythms_of_one_person_are_digests_of_their_own(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", "kind:call", cadence="daily@07:00")
    reader(mailing, "anna@mail.example", "kind:tender", cadence="weekly:fri@08:00")
    publish(mailing, draft("a"), draft("b", kind="tender", title="Przetarg na most"))
    at(clock, NEXT_MORNING, mailing)
    assert [mail.subject.split()[0] for mail in mails(sink)] == ["1"]

    at(clock, datetime(2026, 11, 27, 7, 0, tzinfo=UTC), mailing)

    assert "Przetarg na most" in mails(sink)[1].text


def test_a_composer_that_dies_in_a_window_is_followed_and_the_digest_comes_once(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing)
    match.run(mailing)
    clock.set(NEXT_MORNING)
    with mailing.begin() as session:
        dead = work.claim(session, work.RHYTHMS, now=clock.now(), lease=LEASE, limit=10)
        windows = issues.claimed_windows(session, dead)
        waiting = issues.collected(session, windows, now=clock.now())
        events = issues.told_events(session, [w.event_id for one in waiting.values() for w in one])
    assert compose.run(mailing) == 0

    clock.advance(LEASE + timedelta(seconds=1))
    assert compose.run(mailing) == 1
    assert compose._make_digests(mailing, dead, windows, waiting, events) == 0

    deliver.run_mail(mailing)
    assert len(mails(sink)) == 1
    assert only(mailing, "SELECT due_at FROM rhythms")["due_at"] == NEXT_MORNING + DAY


def test_each_reader_has_their_own_zone(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "warsaw@mail.example", cadence="daily@07:00")
    reader(mailing, "lisbon@mail.example", cadence="daily@07:00", timezone="Europe/Lisbon")
    publish(mailing)
    at(clock, NEXT_MORNING, mailing)
    assert [mail.to for mail in mails(sink)] == ["warsaw@mail.example"]

    at(clock, NEXT_MORNING + timedelta(hours=1), mailing)

    assert [mail.to for mail in mails(sink)] == ["warsaw@mail.example", "lisbon@mail.example"]


def test_what_is_told_or_taken_back_while_a_digest_is_drawn_is_not_in_it(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, draft("gone", title="Odwołany"), draft("stays", title="Aktualny"))
    match.run(mailing)
    clock.set(NEXT_MORNING)
    with mailing.begin() as session:
        held = work.claim(session, work.RHYTHMS, now=clock.now(), lease=LEASE, limit=10)
        windows = issues.claimed_windows(session, held)
        waiting = issues.collected(session, windows, now=clock.now())
        events = issues.told_events(session, [w.event_id for one in waiting.values() for w in one])
    withdraw(mailing, "gone")
    match.run(mailing)

    assert compose._make_digests(mailing, held, windows, waiting, events) == 0
    at(clock, NEXT_MORNING + LEASE + timedelta(seconds=1), mailing)

    (mail,) = mails(sink)
    assert "Aktualny" in mail.text
    assert "Odwołany" not in mail.text
