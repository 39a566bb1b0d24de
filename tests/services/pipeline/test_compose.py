"""Alerts: one story, once, at once, with its reason; corrections and withdrawals find who got the first."""

from collections import Counter
from datetime import timedelta
from threading import Thread

from services.clock import FrozenClock
from services.manage import subscriptions
from services.pipeline import compose, deliver, match
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import issues, work
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.factories import carry, counts, draft, only, publish, reader, rows, withdraw
from tests.mails import mails

PAGE = "https://region.example/nabor/7"
REASONS = "SELECT reason, count(*) AS n FROM candidates WHERE state = 'excluded' GROUP BY reason"


def test_an_alert_says_what_where_and_why(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example", "dotacja")
    publish(mailing, draft(title="Dotacje dla firm", summary="Do 50 tys. zł.", url=PAGE))
    carry(mailing)

    (mail,) = mails(sink)
    assert mail.to == "anna@mail.example"
    assert mail.subject == "Dotacje dla firm"
    for shown in ("Dotacje dla firm", "Do 50 tys. zł.", PAGE, "Gmina Testowa", "zakres dotacja"):
        assert shown in mail.text
        assert shown in mail.html
    assert "\u2063" not in mail.text


def test_every_reader_has_links_of_their_own_in_one_rendered_body(mailing: Runtime, sink: SmtpSink) -> None:
    for name in ("anna", "jan", "ola"):
        reader(mailing, f"{name}@mail.example")
    publish(mailing)
    carry(mailing)

    assert len(rows(mailing, "SELECT hash FROM contents")) == 1
    links = {mail.message["list-unsubscribe"] for mail in mails(sink)}
    assert len(links) == 3


def test_two_interests_of_one_person_make_one_alert_with_both_reasons(
    mailing: Runtime, sink: SmtpSink
) -> None:
    reader(mailing, "anna@mail.example", "dotacja", "kind:call")
    publish(mailing)
    carry(mailing)

    (mail,) = mails(sink)
    assert "zakres dotacja, zakres kind:call" in mail.text
    assert counts(mailing, "SELECT state, count(*) AS n FROM candidates GROUP BY state") == {"issued": 2}


def test_a_story_that_two_institutions_tell_is_told_once(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing, draft("a", url=PAGE), name="Urząd A")
    publish(mailing, draft("b", url=PAGE), name="Urząd B")
    carry(mailing)

    (mail,) = mails(sink)
    assert "Urząd B" in mail.text
    assert counts(mailing, REASONS) == {"already_told": 1}


def test_a_story_told_before_is_not_told_again_by_another_institution(
    mailing: Runtime, sink: SmtpSink
) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing, draft("a", url=PAGE), name="Urząd A")
    carry(mailing)
    publish(mailing, draft("b", url=PAGE), name="Urząd B")
    carry(mailing)

    assert len(mails(sink)) == 1
    assert counts(mailing, REASONS) == {"already_told": 1}


def test_two_composers_at_once_tell_a_story_once(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing, draft("a", url=PAGE), name="Urząd A")
    publish(mailing, draft("b", url=PAGE), name="Urząd B")
    match.run(mailing)
    now = mailing.clock.now()
    with mailing.begin() as session:
        slow = work.claim(session, work.ALERTS, now=now, lease=LEASE, limit=1)
        waiting = issues.claimed_alerts(session, slow)
        events = issues.told_events(session, [one.event_id for one in waiting])
    assert compose.compose_alerts(mailing) == 1

    assert compose._make_alerts(mailing, slow, waiting, events) == 0

    deliver.run_mail(mailing)
    assert len(mails(sink)) == 1
    assert counts(mailing, REASONS) == {"already_told": 1}


def test_a_correction_goes_to_who_got_the_first_in_its_thread(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing, draft(title="Nabór do 30 listopada"))
    carry(mailing)
    publish(mailing, draft(title="Nabór do 15 grudnia"))
    carry(mailing)

    first, second = mails(sink)
    assert second.subject == "Zmiana: Nabór do 15 grudnia"
    assert second.message["in-reply-to"] == first.id
    assert first.id in second.message["references"]
    assert second.id != first.id


def test_who_never_had_the_first_is_told_the_newest_as_news(mailing: Runtime, sink: SmtpSink) -> None:
    publish(mailing, draft(title="Nabór do 30 listopada"))
    carry(mailing)
    reader(mailing, "anna@mail.example")
    publish(mailing, draft(title="Nabór do 15 grudnia"))
    carry(mailing)

    (mail,) = mails(sink)
    assert mail.subject == "Nabór do 15 grudnia"
    assert mail.message["in-reply-to"] is None


def test_of_a_notice_revised_before_it_was_told_only_the_newest_is_told(
    mailing: Runtime, sink: SmtpSink
) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing, draft(title="pierwsza wersja"))
    publish(mailing, draft(title="druga wersja"))
    carry(mailing)

    assert [mail.subject for mail in mails(sink)] == ["druga wersja"]
    assert counts(mailing, REASONS) == {"superseded": 1}


def test_a_withdrawal_goes_exactly_to_who_got_the_notice(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "got@mail.example")
    publish(mailing)
    carry(mailing)
    reader(mailing, "new@mail.example")
    withdraw(mailing)
    carry(mailing)

    first, second = mails(sink)
    assert (first.to, second.to) == ("got@mail.example", "got@mail.example")
    assert second.subject.startswith("Wycofane: ")
    assert second.message["in-reply-to"] == first.id


def test_what_was_withdrawn_before_it_was_told_is_never_told(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing)
    withdraw(mailing)
    carry(mailing)

    assert mails(sink) == []
    assert set(counts(mailing, REASONS)) == {"withdrawn"}


def test_a_withdrawal_while_its_alert_is_being_composed_stops_it(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example")
    publish(mailing)
    match.run(mailing)
    with mailing.begin() as session:
        held = work.claim(session, work.ALERTS, now=clock.now(), lease=LEASE, limit=1)
        waiting = issues.claimed_alerts(session, held)
        events = issues.told_events(session, [one.event_id for one in waiting])
    withdraw(mailing)
    match.run(mailing)

    assert compose._make_alerts(mailing, held, waiting, events) == 0

    carry(mailing)
    assert mails(sink) == []
    assert set(counts(mailing, REASONS)) == {"withdrawn", "never_told"}


def test_a_composer_that_dies_is_followed_and_each_alert_is_made_once(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    for number in range(5):
        reader(mailing, f"r{number}@mail.example")
    publish(mailing)
    match.run(mailing)
    with mailing.begin() as session:
        dead = work.claim(session, work.ALERTS, now=clock.now(), lease=LEASE, limit=3)
        waiting = issues.claimed_alerts(session, dead)
        events = issues.told_events(session, [one.event_id for one in waiting])
    assert compose.run(mailing) == 2

    clock.advance(LEASE + timedelta(seconds=1))
    assert compose.run(mailing) == 3
    # Should the dead one only have been slow, what it writes now changes nothing.
    assert compose._make_alerts(mailing, dead, waiting, events) == 0

    deliver.run_mail(mailing)
    assert Counter(mail.to for mail in mails(sink)) == {f"r{n}@mail.example": 1 for n in range(5)}


def test_accounts_close(mailing: Runtime) -> None:
    reader(mailing, "anna@mail.example", "kind:call", "dotacja", "przetarg")
    reader(mailing, "jan@mail.example", cadence="daily@07:00")
    reader(mailing, "ola@mail.example", "dotacja", cadence="hourly")
    publish(mailing, draft("a"), draft("b", commercial=True), draft("c", kind="tender"))
    carry(mailing)

    ends = rows(mailing, "SELECT state, reason, issue_id FROM candidates WHERE cadence = 'instant'")
    assert all(
        (one["state"], one["reason"] is None) in {("issued", True), ("excluded", False)} for one in ends
    )
    assert all(one["issue_id"] for one in ends if one["state"] == "issued")


def test_languages_are_the_readers_own(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, "anna@mail.example")
    reader(mailing, "ann@mail.example", locale="en")
    publish(mailing)
    carry(mailing)

    assert mails(sink, "ann@mail.example")[0].message["content-language"] == "en"
    assert mails(sink, "anna@mail.example")[0].message["content-language"] == "pl"


def test_many_workers_at_once_make_each_alert_once(
    mailing: Runtime, sink: SmtpSink, open_runtime: OpenRuntime
) -> None:
    for number in range(30):
        reader(mailing, f"r{number}@mail.example")
    publish(mailing, draft("a"), draft("b"))
    match.run(mailing)
    others = [open_runtime(mail="smtp", smtp_url=sink.url) for _ in range(3)]
    threads = [Thread(target=lambda rt=rt: (compose.run(rt), deliver.run_mail(rt))) for rt in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    carry(mailing)
    assert Counter(mail.to for mail in mails(sink)) == {f"r{n}@mail.example": 2 for n in range(30)}


def test_a_change_of_pace_takes_what_waits_along(mailing: Runtime, sink: SmtpSink) -> None:
    person = reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing)
    carry(mailing)
    assert mails(sink) == []

    subscriptions.change(mailing, person.id, person.subscriptions[0].id, cadence="instant")
    carry(mailing)

    assert only(mailing, "SELECT kind FROM issues")["kind"] == "alert"
    assert len(mails(sink)) == 1
