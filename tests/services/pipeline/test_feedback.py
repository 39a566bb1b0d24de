"""What comes back is heard: a bounce silences its address, one click ends what it names, and no more."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from services.clock import FrozenClock
from services.errors import BadInput
from services.manage import subscribers
from services.pipeline import compose, deliver, feedback, match
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import feedback as store
from services.storage import work
from tests.doubles.smtp import Refuse, SmtpSink
from tests.factories import carry, counts, draft, only, publish, reader, rows
from tests.mails import Mail, mails

ANNA = "anna@mail.example"


def token(mail: Mail) -> str:
    return urlsplit(re.sub("[<>]", "", str(mail.message["list-unsubscribe"]))).path.removeprefix("/u/")


def labels(rt: Runtime) -> list[str]:
    return [one.label for one in subscribers.show(rt, ANNA).subscriptions]


def test_one_click_in_an_alert_ends_the_interest_it_came_by(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, ANNA, "dotacja", "kind:tender")
    publish(mailing)
    carry(mailing)
    link = token(mails(sink)[0])

    left = feedback.unsubscribe(mailing, link)

    assert (left.kind, left.label, left.is_done) == ("subscription", "zakres dotacja", True)
    assert labels(mailing) == ["zakres kind:tender"]
    publish(mailing, draft("n-2"))
    carry(mailing)
    assert len(mails(sink)) == 1


def test_the_same_click_again_changes_nothing(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, ANNA, "dotacja", "kind:tender")
    publish(mailing)
    carry(mailing)
    link = token(mails(sink)[0])
    feedback.unsubscribe(mailing, link)

    again = feedback.unsubscribe(mailing, link)

    assert again.is_done
    assert labels(mailing) == ["zakres kind:tender"]
    ledger = counts(mailing, "SELECT action, count(*) AS n FROM consents GROUP BY action")
    assert ledger["leave_subscription"] == 1


def test_looking_at_the_link_changes_nothing(mailing: Runtime, sink: SmtpSink) -> None:
    reader(mailing, ANNA, "dotacja")
    publish(mailing)
    carry(mailing)

    seen = feedback.look(mailing, token(mails(sink)[0]))

    assert (seen.kind, seen.is_done) == ("subscription", False)
    assert labels(mailing) == ["zakres dotacja"]


def test_one_click_in_a_digest_ends_its_rhythm(mailing: Runtime, sink: SmtpSink, clock: FrozenClock) -> None:
    reader(mailing, ANNA, "dotacja", "kind:call", cadence="daily@07:00")
    reader(mailing, ANNA, "kind:tender", cadence="weekly:mon@07:00")
    publish(mailing)
    carry(mailing)
    clock.advance(timedelta(days=1))
    carry(mailing)

    left = feedback.unsubscribe(mailing, token(mails(sink)[0]))

    assert left.kind == "cadence"
    assert labels(mailing) == ["zakres kind:tender"]
    assert only(mailing, "SELECT cadence FROM rhythms")["cadence"] == "weekly:mon@07:00"


@pytest.mark.parametrize("forged", ["", "x", "a.b", "A" * 300, "é"])
def test_a_token_that_is_not_ours_is_refused(rt: Runtime, forged: str) -> None:
    with pytest.raises(BadInput):
        feedback.unsubscribe(rt, forged)


def test_who_erased_their_data_may_still_click(mailing: Runtime, sink: SmtpSink) -> None:
    person = reader(mailing, ANNA)
    publish(mailing)
    carry(mailing)
    subscribers.erase(mailing, person.id)

    assert feedback.unsubscribe(mailing, token(mails(sink)[0])).is_done


def test_a_bounce_is_acted_on_once(mailing: Runtime, sink: SmtpSink) -> None:
    sink.on_recipient(ANNA, Refuse(550, "5.1.1 no such user"))
    reader(mailing, ANNA, "dotacja", "kind:call")
    publish(mailing)
    carry(mailing)

    assert feedback.run(mailing) == 0
    assert only(mailing, "SELECT kind, state FROM feedback") == {"kind": "hard", "state": "done"}
    assert only(mailing, "SELECT reason FROM suppressions")["reason"] == "bounce"


def test_feedback_that_dies_is_followed_by_another_worker(
    mailing: Runtime, sink: SmtpSink, clock: FrozenClock
) -> None:
    sink.on_recipient(ANNA, Refuse(550, "5.1.1 no such user"))
    reader(mailing, ANNA)
    publish(mailing)
    for stage in (match.run, compose.run, deliver.run_mail):
        stage(mailing)
    with mailing.begin() as session:
        dead = work.claim(session, work.FEEDBACK, now=clock.now(), lease=LEASE, limit=10)
    assert feedback.run(mailing) == 0

    clock.advance(timedelta(minutes=1, seconds=1))
    assert feedback.run(mailing) == 1
    with mailing.begin() as session:
        assert store.act_on_claimed(session, dead, now=clock.now()).suppressed == 0

    assert len(rows(mailing, "SELECT reason FROM suppressions")) == 1
