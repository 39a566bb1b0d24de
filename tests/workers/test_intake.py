"""Mail that comes back by SMTP is answered with 250 only when its word is kept."""

import smtplib
import socket
import uuid
from collections.abc import Callable, Iterator

import pytest

from services.domain import verp
from services.pipeline import compose, deliver, feedback, match
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.factories import only, publish, reader, rows
from tests.services.domain import reports
from workers import intake

ANNA = "anna@mail.example"
Connect = Callable[[], smtplib.SMTP]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def connect(rt: Runtime) -> Iterator[Connect]:
    port = free_port()
    server = intake.controller(rt, host="127.0.0.1", port=port)
    server.start()
    try:
        yield lambda: smtplib.SMTP("127.0.0.1", port, timeout=10)
    finally:
        server.stop()


def sent(rt: Runtime) -> uuid.UUID:
    """The delivery of a letter to Anna that went out."""
    reader(rt, ANNA)
    publish(rt)
    for stage in (match.run, compose.run, deliver.run_mail):
        stage(rt)
    return uuid.UUID(str(only(rt, "SELECT uid FROM deliveries")["uid"]))


def test_a_bounce_by_smtp_silences_its_address(rt: Runtime, connect: Connect) -> None:
    delivery = sent(rt)
    to = verp.envelope_sender(rt.settings.secret_key, delivery, "goniec.example")
    with connect() as smtp:
        smtp.sendmail("", [to], reports.dsn(delivery=delivery))
        smtp.sendmail("", [to], reports.dsn(delivery=delivery))
    feedback.run(rt)
    assert only(rt, "SELECT kind, source, state FROM feedback") == {
        "kind": "hard", "source": "report", "state": "done",
    }  # fmt: skip
    assert only(rt, "SELECT reason FROM suppressions")["reason"] == "bounce"
    assert only(rt, "SELECT state FROM deliveries")["state"] == "failed"


def test_a_complaint_to_the_mailbox_for_them_silences_its_address(rt: Runtime, connect: Connect) -> None:
    delivery = sent(rt)
    with connect() as smtp:
        smtp.sendmail("feedback@provider.example", ["abuse@goniec.example"], reports.arf(delivery=delivery))
    feedback.run(rt)
    assert only(rt, "SELECT reason FROM suppressions")["reason"] == "complaint"
    assert only(rt, "SELECT state FROM deliveries")["state"] == "sent"


@pytest.mark.parametrize(
    "to",
    [
        "someone@goniec.example",
        "bounce@goniec.example",
        f"bounce+{reports.DELIVERY.hex}-0000000000000000@goniec.example",
    ],
)
def test_nothing_is_relayed_and_nobody_else_has_a_mailbox_here(
    rt: Runtime, connect: Connect, to: str
) -> None:
    with connect() as smtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail("x@y.example", [to], reports.dsn())
    assert next(iter(refused.value.recipients.values()))[0] == 550
    assert rows(rt, "SELECT 1 AS one FROM feedback") == []


def test_a_persons_letter_is_given_back_and_does_not_vanish(rt: Runtime, connect: Connect) -> None:
    with connect() as smtp, pytest.raises(smtplib.SMTPDataError) as told:
        smtp.sendmail("x@y.example", ["abuse@goniec.example"], b"Subject: Stop it\n\nPlease take me off.\n")
    assert told.value.smtp_code == 554
    assert rows(rt, "SELECT 1 AS one FROM feedback") == []


def test_what_cannot_be_kept_now_is_left_to_the_sender(open_runtime: OpenRuntime) -> None:
    rt = open_runtime()
    away = rt.settings.model_copy(
        update={"database_url": f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"}
    )
    dead = Runtime.open(away)
    port = free_port()
    server = intake.controller(dead, host="127.0.0.1", port=port)
    server.start()
    try:
        with (
            smtplib.SMTP("127.0.0.1", port, timeout=20) as smtp,
            pytest.raises(smtplib.SMTPDataError) as told,
        ):
            smtp.sendmail("", ["abuse@goniec.example"], reports.arf())
    finally:
        server.stop()
        dead.close()
    assert told.value.smtp_code == 451
