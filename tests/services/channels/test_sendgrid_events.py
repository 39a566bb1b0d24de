"""SendGrid's events count only when they are signed and fresh, and mean what SendGrid says they mean."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.channels import sendgrid_events
from services.domain.bounces import Verdict
from services.errors import BadInput, Forbidden, SettingsError
from tests.doubles.sendgrid_events import SIGNATURE, TIMESTAMP, EventSender, SignedBatch, event

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
ID = uuid.UUID(int=11).hex


def check(key: str, batch: SignedBatch, *, now: datetime = NOW, body: bytes | None = None) -> None:
    sendgrid_events.check(
        key,
        batch.body if body is None else body,
        signature=batch.headers[SIGNATURE],
        timestamp=batch.headers[TIMESTAMP],
        now=now,
    )


@pytest.fixture(scope="module")
def sender() -> EventSender:
    return EventSender()


def test_what_sendgrid_signed_just_now_is_genuine(sender: EventSender) -> None:
    batch = sender.batch([event("delivered", ID, reason="zażółć")], NOW)
    check(sender.public_key, batch)
    check(f"-----BEGIN PUBLIC KEY-----\n{sender.public_key}\n-----END PUBLIC KEY-----\n", batch)
    check(sender.public_key, batch, now=NOW + timedelta(seconds=299))


def test_what_is_changed_stale_or_of_another_key_is_not(sender: EventSender) -> None:
    batch = sender.batch([event("delivered", ID)], NOW)
    for now in (NOW + timedelta(seconds=301), NOW - timedelta(seconds=301)):
        with pytest.raises(Forbidden, match="five minutes"):
            check(sender.public_key, batch, now=now)
    with pytest.raises(Forbidden):
        check(sender.public_key, batch, body=batch.body + b" ")
    with pytest.raises(Forbidden):
        check(EventSender().public_key, batch)
    for stamp in ("", "x", "-1", "9" * 30, "١٢٣"):
        with pytest.raises(Forbidden):
            check(sender.public_key, SignedBatch(batch.body, {**batch.headers, TIMESTAMP: stamp}))
    for signature in ("", "!", "AAAA", "é"):
        with pytest.raises(Forbidden):
            check(sender.public_key, SignedBatch(batch.body, {**batch.headers, SIGNATURE: signature}))
    with pytest.raises(Forbidden):
        check(sender.public_key, sender.batch([], NOW), body=b"\xff\xfe")


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA"])
def test_a_key_that_is_none_is_told_by_its_setting(sender: EventSender, key: str) -> None:
    with pytest.raises(SettingsError, match="GONIEC_SENDGRID_EVENTS_KEY"):
        check(key, sender.batch([], NOW))


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        ("delivered", {}, Verdict.DELIVERED),
        ("processed", {}, Verdict.DEFERRED),
        ("deferred", {"response": "421 4.7.0 try later"}, Verdict.DEFERRED),
        ("bounce", {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such"}, Verdict.HARD),
        ("bounce", {"type": "bounce", "bounce_classification": "Invalid Address"}, Verdict.HARD),
        ("bounce", {"type": "bounce", "bounce_classification": "Mailbox Unavailable"}, Verdict.SOFT),
        ("bounce", {"type": "bounce", "bounce_classification": "Reputation"}, Verdict.BLOCKED),
        ("bounce", {"type": "bounce", "bounce_classification": "Content"}, Verdict.BLOCKED),
        ("bounce", {"type": "bounce", "status": "5.2.2", "reason": "mailbox full"}, Verdict.SOFT),
        ("bounce", {"type": "bounce", "status": "5.7.1", "reason": "550 spam"}, Verdict.BLOCKED),
        ("bounce", {"type": "bounce", "reason": "500 unknown recipient"}, Verdict.HARD),
        ("bounce", {"type": "bounce"}, Verdict.HARD),
        ("bounce", {"type": "blocked", "status": "5.1.1", "reason": "550 blocked"}, Verdict.BLOCKED),
        ("blocked", {"reason": "unable to get mx info"}, Verdict.BLOCKED),
        ("dropped", {"reason": "Bounced Address"}, Verdict.HARD),
        ("dropped", {"reason": "Invalid"}, Verdict.HARD),
        ("dropped", {"reason": "Spam Reporting Address"}, Verdict.COMPLAINT),
        ("dropped", {"reason": "Unsubscribed Address"}, Verdict.UNSUBSCRIBE),
        ("dropped", {"reason": "Spam Content (if spam checker app enabled)"}, Verdict.BLOCKED),
        ("dropped", {"reason": "Recipient List over Package Quota"}, Verdict.BLOCKED),
        ("spamreport", {}, Verdict.COMPLAINT),
        ("unsubscribe", {}, Verdict.UNSUBSCRIBE),
        ("group_unsubscribe", {"asm_group_id": 1}, Verdict.UNSUBSCRIBE),
        ("group_resubscribe", {}, None),
        ("open", {}, None),
        ("click", {"url": "https://x.example"}, None),
        ("account_status_change", {}, None),
    ],
)
def test_every_kind_of_event_has_its_meaning(kind: str, given: dict[str, Any], meant: Verdict | None) -> None:
    heard = sendgrid_events.read(json.dumps([event(kind, ID, **given)]).encode(), NOW)
    assert [one.verdict for one in heard] == ([meant] if meant else [])
    assert all("@" not in one.detail and one.delivery.hex == ID for one in heard)


@pytest.mark.parametrize("body", [b"", b"{}", b"1", b"[", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        sendgrid_events.read(body, NOW)


@pytest.mark.parametrize(
    "odd",
    [
        1, None, [], {}, {"event": "delivered"}, event("delivered", "not-ours"),
        event("delivered", ID, sg_event_id=None), event("delivered", ID, sg_event_id="x" * 300),
        event("delivered", ID, sg_event_id="a\x00b"), event("delivered", ID, event=7),
        event("delivered", ID, sg_event_id="\ud800"),
    ],
)  # fmt: skip
def test_what_is_odd_is_passed_over_and_harms_no_other(odd: Any) -> None:
    body = json.dumps([odd, event("delivered", ID, timestamp="soon")]).encode()
    assert [one.verdict for one in sendgrid_events.read(body, NOW)] == [Verdict.DELIVERED]
