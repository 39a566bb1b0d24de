"""The owner of an endpoint that fails is told by letter, once at each step, and only when they agreed."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.domain import health
from services.errors import RateLimited
from services.manage import contacts, endpoints, subscribers
from services.pipeline import compose, deliver
from services.runtime import Runtime
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, WebDouble
from tests.factories import carry, draft, listener, only, publish, reader, rows
from tests.mails import mails

EMAIL = "hooks@portal.example"


def with_contact(rt: Runtime, sink: SmtpSink, url: str, *, locale: str = "en") -> str:
    """An endpoint whose contact has confirmed."""
    uid = listener(rt, url, label="Portal").endpoint.uid
    contacts.set_contact(rt, None, uid, email=EMAIL, locale=locale)
    deliver.run_mail(rt)
    subscribers.confirm(rt, token_in(sink))
    return uid


def token_in(sink: SmtpSink) -> str:
    found = re.search(r"/confirm/(\S+)", mails(sink, EMAIL)[-1].text)
    assert found is not None
    return found[1]


def fail_for(rt: Runtime, clock: FrozenClock, span: timedelta) -> None:
    """The endpoint is probed every third hour, and its letters leave."""
    until = clock.now() + span
    while clock.now() < until:
        clock.advance(timedelta(hours=3))
        publish(rt, draft(f"n-{clock.now()}"))
        carry(rt)


def subjects(sink: SmtpSink) -> list[str]:
    return [mail.subject for mail in mails(sink, EMAIL)][1:]


def test_each_step_is_told_once_until_it_is_disabled(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=500, body=b"<script>oh</script>"))
    uid = with_contact(mailing, sink, receiver.url("/hook"))
    fail_for(mailing, clock, health.DISABLED_AFTER + timedelta(hours=9))

    assert subjects(sink) == ["Your webhook fails: Portal"] * 3 + ["Your webhook is disabled: Portal"]
    told = [mail.text for mail in mails(sink, EMAIL)][1:]
    assert [re.findall(r"(\d+) % of the way", text) for text in told] == [["50"], ["70"], ["90"], []]
    assert "HTTP 500" in told[0]
    assert "<script>" not in mails(sink, EMAIL)[1].html
    assert endpoints.show(mailing, None, uid).health == "disabled"
    assert {row["state"] for row in rows(mailing, "SELECT state FROM owner_words")} == {"told"}


def test_who_was_warned_is_told_that_it_takes_calls_again(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=500))
    with_contact(mailing, sink, receiver.url("/hook"), locale="pl")
    fail_for(mailing, clock, health.DISABLED_AFTER * 0.6)
    receiver.answer("/hook", Answer(status=204))
    fail_for(mailing, clock, timedelta(hours=9))
    assert subjects(sink) == [
        "Twój webhook nie działa: Portal",
        "Twój webhook znów przyjmuje wywołania: Portal",
    ]

    receiver.answer("/hook", Answer(status=500))
    fail_for(mailing, clock, health.DISABLED_AFTER * 0.6)
    assert subjects(sink)[2:] == ["Twój webhook nie działa: Portal"]  # another outage


def test_an_endpoint_that_is_gone_is_told_at_once(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    receiver.answer("/hook", Answer(status=410))
    with_contact(mailing, sink, receiver.url("/hook"))
    publish(mailing)
    carry(mailing)
    compose.run(mailing)
    deliver.run_mail(mailing)
    assert subjects(sink) == ["Your webhook is disabled: Portal"]


@pytest.mark.parametrize("case", ["unconfirmed", "left", "removed", "none"])
def test_nobody_is_told_who_did_not_agree(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble, case: str
) -> None:
    receiver.answer("/hook", Answer(status=410))
    if case in ("left", "removed"):
        uid = with_contact(mailing, sink, receiver.url("/hook"))
        if case == "left":
            person = only(mailing, "SELECT contact_id FROM endpoints")["contact_id"]
            subscribers.leave(mailing, person, via="operator")
        else:
            contacts.remove_contact(mailing, None, uid)
    else:
        uid = listener(mailing, receiver.url("/hook")).endpoint.uid
        if case == "unconfirmed":
            contacts.set_contact(mailing, None, uid, email=EMAIL)
    publish(mailing)
    carry(mailing)
    carry(mailing)
    assert only(mailing, "SELECT state FROM owner_words")["state"] == "nobody"
    assert not [mail for mail in mails(sink, EMAIL) if "ebhook" in mail.subject]


def test_a_reader_who_becomes_a_contact_confirms_too_and_keeps_their_interests(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    reader(mailing, EMAIL)
    uid = listener(mailing, receiver.url("/hook")).endpoint.uid
    contacts.set_contact(mailing, None, uid, email=EMAIL)
    deliver.run_mail(mailing)
    assert endpoints.show(mailing, None, uid).contact_confirmed_at is None
    with TestClient(make_app(mailing)) as client:
        page = client.get(f"/confirm/{token_in(sink)}")
        assert "Webhook: 127.0.0.1" in page.text
    person = subscribers.confirm(mailing, token_in(sink))
    assert len(person.subscriptions) == 1
    assert endpoints.show(mailing, None, uid).contact_confirmed_at is not None
    actions = [row["action"] for row in rows(mailing, "SELECT action FROM consents ORDER BY id")]
    assert actions[-1] == "endpoint_contact"


def test_a_confirmation_of_a_contact_of_before_gives_no_right(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    uid = listener(mailing, receiver.url("/hook")).endpoint.uid
    contacts.set_contact(mailing, None, uid, email=EMAIL)
    deliver.run_mail(mailing)
    contacts.set_contact(mailing, None, uid, email="other@portal.example")
    subscribers.confirm(mailing, token_in(sink))
    found = endpoints.show(mailing, None, uid)
    assert (found.contact, found.contact_confirmed_at) == ("other@portal.example", None)


def test_who_left_and_comes_back_as_a_reader_hears_of_no_endpoint(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    uid = with_contact(mailing, sink, receiver.url("/hook"))
    subscribers.leave(
        mailing, only(mailing, "SELECT contact_id FROM endpoints")["contact_id"], via="operator"
    )
    reader(mailing, EMAIL)
    view = endpoints.show(mailing, None, uid)
    assert (view.contact, view.contact_confirmed_at) == (None, None)


def test_an_export_tells_of_endpoints_and_an_erasure_leaves_nothing_of_them(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    with_contact(mailing, sink, receiver.url("/hook"))
    [told] = subscribers.export(mailing, EMAIL)["contact_of"]
    assert told["endpoint"] == "Portal"
    assert told["confirmed_at"] is not None
    subscribers.erase(mailing, EMAIL)
    left = only(mailing, "SELECT contact_id, contact_confirmed_at FROM endpoints")
    assert tuple(left.values()) == (None, None)


def test_a_consumer_sends_no_flood_of_letters_to_strangers(
    mailing: Runtime, sink: SmtpSink, receiver: WebDouble
) -> None:
    uid = listener(mailing, receiver.url("/hook")).endpoint.uid
    owner = endpoints.show(mailing, None, uid).consumer
    for number in range(contacts.MAX_ASKED):
        contacts.set_contact(mailing, owner, uid, email=f"stranger{number}@portal.example")
    with pytest.raises(RateLimited):
        contacts.set_contact(mailing, owner, uid, email=EMAIL)
    contacts.set_contact(mailing, None, uid, email=EMAIL)  # the operator may
    deliver.run_mail(mailing)
    assert len(mails(sink, EMAIL)) == 1
