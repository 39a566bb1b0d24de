"""Mail that comes back is understood by its codes, and only for deliveries that were ours."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import reports as reading
from services.domain.bounces import Verdict, of_failure
from services.domain.reports import Read
from tests.services.domain import reports

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)


def read(raw: bytes, *recipients: str) -> Read:
    return reading.read(raw, secret=reports.SECRET, now=NOW, recipients=recipients)


def verdict(raw: bytes) -> Verdict | None:
    heard = read(raw).heard
    assert len(heard) <= 1
    return heard[0].verdict if heard else None


@pytest.mark.parametrize(
    ("status", "action", "diagnostic", "meant"),
    [
        ("5.1.1", "failed", "smtp; 550 5.1.1 no such user", Verdict.HARD),
        ("5.1.10", "failed", "smtp; 550 5.1.10 RecipientNotFound", Verdict.HARD),
        ("5.2.1", "failed", "smtp; 550 5.2.1 The account is disabled", Verdict.HARD),
        ("5.0.0", "failed", "smtp; 550 User unknown", Verdict.HARD),
        ("5.0.0", "failed", "smtp; 550-5.1.1 The email account does not exist", Verdict.HARD),
        ("5.1.2", "failed", "dns; Host or domain name not found", Verdict.HARD),
        ("5.2.2", "failed", "smtp; 552 5.2.2 Mailbox full", Verdict.SOFT),
        ("4.4.1", "failed", "smtp; 421 timed out for five days", Verdict.SOFT),
        ("5.4.4", "failed", "dns; no route to host", Verdict.SOFT),
        ("4.2.2", "failed", "smtp; 452 over quota", Verdict.SOFT),
        ("5.7.1", "failed", "smtp; 550 5.7.1 Message rejected as spam", Verdict.BLOCKED),
        ("5.7.26", "failed", "smtp; 550 5.7.26 unauthenticated mail", Verdict.BLOCKED),
        ("5.0.0", "failed", "smtp; 554 blocked by policy", Verdict.BLOCKED),
        ("5.3.4", "failed", "smtp; 552 5.3.4 message too big", Verdict.BLOCKED),
        ("4.4.1", "delayed", "smtp; connection timed out", Verdict.DEFERRED),
        ("2.0.0", "delivered", "smtp; 250 ok", Verdict.DELIVERED),
        ("2.1.5", "relayed", "", Verdict.DELIVERED),
        ("nonsense", "", "", Verdict.SOFT),
    ],
)
def test_a_status_notification_says_by_its_codes_what_happened(
    status: str, action: str, diagnostic: str, meant: Verdict
) -> None:
    found = read(reports.dsn(status, action, diagnostic))
    assert found.kind == "dsn"
    assert [(one.delivery, one.verdict) for one in found.heard] == [(reports.DELIVERY, meant)]


@pytest.mark.parametrize(
    ("raw", "kind", "meant"),
    [
        (reports.qmail(), "bounce", Verdict.HARD),
        (reports.exim(), "bounce", Verdict.SOFT),
        (reports.arf(), "complaint", Verdict.COMPLAINT),
        (reports.arf("opt-out"), "complaint", Verdict.UNSUBSCRIBE),
        (reports.arf("not-spam"), "complaint", None),
        (reports.arf("auth-failure"), "complaint", None),
        (reports.holiday(), "reply", None),
        (b"", "unknown", None),
        (b"Subject: hello\n\nhow are you", "unknown", None),
    ],
)
def test_other_mail_is_told_apart(raw: bytes, kind: str, meant: Verdict | None) -> None:
    assert (read(raw).kind, verdict(raw)) == (kind, meant)


def test_a_report_that_names_no_delivery_of_ours_says_nothing() -> None:
    forged = "bounce+0190a1b2c3d44e5f8a9b0c1d2e3f4a5b-0000000000000000@goniec.example"
    raw = reports.dsn(to=forged).replace(reports.DELIVERY.hex.encode() + b"@", b"other@")
    assert read(raw) == Read("dsn")


def test_the_envelope_names_the_delivery_where_the_report_does_not() -> None:
    raw = reports.dsn(to="postmaster@goniec.example", delivery=uuid.UUID(int=7)).replace(
        uuid.UUID(int=7).hex.encode(), b"x"
    )
    assert read(raw).heard == ()
    [heard] = read(raw, reports.bounce_address()).heard
    assert heard.delivery == reports.DELIVERY


def test_the_same_report_has_the_same_id_and_another_has_another() -> None:
    [first], [again], [other] = (
        read(raw).heard for raw in (reports.dsn(), reports.dsn(), reports.dsn(status="5.7.1"))
    )
    assert first.id == again.id != other.id


def test_no_address_and_no_words_of_the_report_are_kept() -> None:
    for raw in (reports.dsn(), reports.qmail(), reports.exim(), reports.arf()):
        [heard] = read(raw).heard
        assert "@" not in heard.detail
        assert "Recipient" not in heard.detail


@given(st.binary(max_size=2_000) | st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_is_sent_is_read_without_harm(junk: bytes) -> None:
    assert read(junk).heard == ()
    read(reports.dsn().replace(b"Action: failed", b"Action: " + junk.replace(b"\n", b"")))
    read(
        b"Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n" + junk
    )


def test_a_report_nested_a_thousand_deep_is_read_without_harm() -> None:
    deep = b"".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n'.encode() for n in range(3_000)
    )
    assert read(deep).heard == ()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("550 5.1.1 unknown", Verdict.HARD),
        ("550 no such user here", Verdict.HARD),
        ("550 rejected: spam content", Verdict.BLOCKED),
        ("450 4.2.1 try later", Verdict.SOFT),
        ("version 5.1.1.9 of the software", Verdict.SOFT),
        ("", Verdict.SOFT),
    ],
)
def test_free_words_are_read_by_their_code(words: str, meant: Verdict) -> None:
    assert of_failure(None, words) is meant
