"""What a digest puts first, how it says what changed, and that it never grows past what mail readers show."""

from datetime import UTC, datetime, timedelta

from services.clock import FrozenClock
from services.manage import why
from services.pipeline import deliver
from services.rendering import MAX_HTML_BYTES
from services.runtime import Runtime
from tests.doubles.smtp import SmtpSink
from tests.factories import carry, draft, publish, reader, rows, withdraw
from tests.mails import mails

DAY = timedelta(days=1)
NEXT_MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def at(clock: FrozenClock, moment: datetime, rt: Runtime) -> None:
    clock.set(moment)
    carry(rt)


def test_what_meets_the_interest_in_its_title_stands_before_what_only_mentions_it(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", "wodór", cadence="daily@07:00")
    publish(mailing, draft("below", title="Z prac urzędu", body_html="<p>O wodorze.</p>"), name="Urząd A")
    publish(mailing, draft("lead", title="Konferencja", summary="Wodór i baterie."), name="Urząd B")
    publish(mailing, draft("title", title="Wodór dla regionu"), name="Urząd C")
    at(clock, NEXT_MORNING, mailing)

    text = mails(sink)[0].text
    places = [text.index(title) for title in ("Wodór dla regionu", "Konferencja", "Z prac urzędu")]
    assert places == sorted(places)


def test_every_place_in_a_digest_is_kept_with_its_reasons(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, "anna@mail.example", cadence="daily@07:00")
    publish(rt, draft("a"), draft("b", deadline_at=clock.now() + 6 * DAY))
    at(clock, NEXT_MORNING, rt)

    found = rows(rt, "SELECT rank, event_id FROM issue_items ORDER BY (rank->>'place')::int")
    assert [row["rank"]["place"] for row in found] == [1, 2]
    assert [row["rank"]["deadline"] for row in found] == [2.0, 1.0]
    assert found[1]["rank"]["variety"] < 1


def test_why_tells_the_place_and_its_factors(rt: Runtime, clock: FrozenClock) -> None:
    reader(rt, "anna@mail.example", cadence="daily@07:00")
    (told,) = publish(rt, draft(deadline_at=clock.now() + 6 * DAY))
    at(clock, NEXT_MORNING, rt)

    assert told.notice_id is not None
    steps = why.why(rt, notice_id=told.notice_id, recipient="anna@mail.example").steps
    (ranked,) = [step for step in steps if step.name == "rank"]
    assert ranked.text.startswith("place 1 in letter ")
    assert ranked.data["deadline"] == 2.0


def test_a_withdrawal_heads_the_digest_and_its_subject(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    publish(mailing, draft("gone", title="Nabór pierwszy"))
    at(clock, NEXT_MORNING, mailing)
    withdraw(mailing, "gone")
    publish(mailing, draft("b", title="Nabór pilny", deadline_at=clock.now() + 5 * DAY))
    at(clock, NEXT_MORNING + DAY, mailing)

    mail = mails(sink)[1]
    assert mail.subject == "2 ogłoszenia dla Ciebie: Wycofane: Nabór pierwszy"
    assert mail.text.index("Nabór pierwszy") < mail.text.index("Nabór pilny")


def test_a_correction_says_what_was_and_what_is(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "anna@mail.example")
    reader(mailing, "jan@mail.example", cadence="daily@07:00")
    first, second = (datetime(2026, 12, day, 11, tzinfo=UTC) for day in (4, 18))
    publish(mailing, draft(title="Nabór", deadline_at=first))
    at(clock, NEXT_MORNING, mailing)
    publish(mailing, draft(title="Nabór", deadline_at=second))
    at(clock, NEXT_MORNING + DAY, mailing)

    for name in ("anna", "jan"):
        _, changed = mails(sink, f"{name}@mail.example")
        for part in (changed.text, changed.html):
            said = " ".join(part.split())
            assert "18 grudnia 2026, 12:00" in said
            assert "było: 4 grudnia 2026, 12:00" in said


def test_who_had_an_older_revision_is_told_what_changed_since_theirs(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "jan@mail.example", cadence="daily@07:00")
    reader(mailing, "anna@mail.example")
    days = [datetime(2026, 12, day, 11, tzinfo=UTC) for day in (4, 11, 18)]
    publish(mailing, draft(title="Nabór", deadline_at=days[0]))
    at(clock, NEXT_MORNING, mailing)
    for day in days[1:]:
        publish(mailing, draft(title="Nabór", deadline_at=day))
        carry(mailing)
    at(clock, NEXT_MORNING + DAY, mailing)

    assert "było: 11 grudnia 2026" in " ".join(mails(sink, "anna@mail.example")[2].text.split())
    assert "było: 4 grudnia 2026" in " ".join(mails(sink, "jan@mail.example")[1].text.split())


def test_a_deadline_comes_with_a_calendar_entry(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, "anna@mail.example")
    (told,) = publish(mailing, draft(deadline_at=clock.now() + 9 * DAY))
    carry(mailing)

    link = f"http://goniec.example/notices/{told.notice_id}.ics"
    (mail,) = mails(sink)
    assert link in mail.text
    assert f'href="{link}"' in mail.html


def test_a_mail_keeps_below_what_gmail_shows_and_tells_how_much_is_left(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    reader(mailing, "anna@mail.example", cadence="daily@07:00")
    wide = "Zażółć & „gęślą” <jaźń> " * 15
    publish(
        mailing, *(draft(f"n-{n:02}", title=f"Nr {n:02}. {wide}", summary=wide * 3, url="https://a.example/"
                         + "x" * 1_500 + str(n)) for n in range(30))
    )  # fmt: skip
    for day in range(4):
        at(clock, NEXT_MORNING + day * DAY, mailing)

    told = [[n for n in range(30) if f"Nr {n:02}." in mail.text] for mail in mails(sink)]
    assert sorted(n for one in told for n in one) == list(range(30))
    assert all(len(mail.html.encode()) <= MAX_HTML_BYTES for mail in mails(sink))
    assert f"Jeszcze {30 - len(told[0])} ogłosz" in mails(sink)[0].text
    assert 1 < len(told) < 4


def test_a_kept_body_leaves_room_for_the_names_of_very_many_interests(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    queries = [f"kind:call -{word}" for word in ("lew", "tygrys", "osa", "kot", "pies", "mysz", "sowa")]
    reader(mailing, "anna@mail.example", *queries, cadence="daily@07:00")
    publish(mailing)
    at(clock, NEXT_MORNING, mailing)
    deliver.run_mail(mailing)

    line = next(line for line in mails(sink)[0].text.splitlines() if "Z Twoich tematów" in line)
    assert line.count("zakres") == 5
    assert line.endswith(", …")
