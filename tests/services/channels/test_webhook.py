"""Calls arrive signed as the standard says, and every answer of an endpoint has its outcome."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest
import standardwebhooks
import svix

from services.channels.base import Outcome, OutcomeKind
from services.channels.webhook import Call, WebhookChannel, outcome
from services.domain.signing import new_secret
from services.http import Client, Failure, FailureKind
from tests.doubles.web import Answer, WebDouble, redirect

BODY = '{"type":"notice.published","data":{"title":"Nabór wniosków"}}'.encode()

Send = Callable[..., Outcome]


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


@pytest.fixture
def channel() -> Iterator[WebhookChannel]:
    client = Client("Goniec-test/1", allow_networks=[ip_network("127.0.0.1/32")])
    yield WebhookChannel(client)
    client.close()


@pytest.fixture
def call(web: WebDouble) -> Call:
    return Call("0198c1f0", web.url("/hook"), (new_secret(),), BODY, "notice.published", datetime.now(UTC))


@pytest.fixture
def answer_with(web: WebDouble, channel: WebhookChannel, call: Call) -> Send:
    """The outcome of one call to an endpoint that answers so."""

    def send(answer: Answer) -> Outcome:
        web.answer("/hook", answer)
        [(_, result)] = channel.send([call])
        return result

    return send


def test_a_call_arrives_signed_so_that_the_receivers_libraries_accept_it(
    web: WebDouble, channel: WebhookChannel, call: Call
) -> None:
    web.answer("/hook", Answer(status=202))
    old, new = new_secret(), new_secret()
    rotated = replace(call, secrets=(new, old), content_type="application/cloudevents+json")
    [(same, result)] = channel.send([rotated])
    assert (same, result.state, result.status) == (rotated, OutcomeKind.SENT, 202)
    assert result.address == "127.0.0.1"
    assert result.took_ms > 0
    [received] = web.received
    assert (received.method, received.body) == ("POST", BODY)
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert received.headers["webhook-id"] == "0198c1f0"
    assert received.headers["webhook-timestamp"] == str(int(call.timestamp.timestamp()))
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(received.body, dict(received.headers))
        svix.Webhook(secret).verify(received.body, dict(received.headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret()).verify(received.body, dict(received.headers))


def test_the_content_type_is_json_unless_the_call_says_otherwise(web: WebDouble, answer_with: Send) -> None:
    answer_with(Answer())
    assert web.received[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *((200, OutcomeKind.SENT), (204, OutcomeKind.SENT), (299, OutcomeKind.SENT)),
        *(
            (304, OutcomeKind.RETRY),
            (400, OutcomeKind.RETRY),
            (401, OutcomeKind.RETRY),
            (404, OutcomeKind.RETRY),
        ),
        *((500, OutcomeKind.RETRY), (503, OutcomeKind.RETRY), (599, OutcomeKind.RETRY)),
    ],
)
def test_only_2xx_is_success(answer_with: Send, status: int, state: OutcomeKind) -> None:
    result = answer_with(Answer(status=status))
    assert (result.state, result.status, result.disable) == (state, status, False)


def test_a_redirect_is_a_failed_attempt_and_never_followed(web: WebDouble, answer_with: Send) -> None:
    for status in (301, 302, 303, 307, 308):
        result = answer_with(redirect("/elsewhere", status))
        assert (result.state, result.status) == (OutcomeKind.RETRY, status)
    assert {request.path for request in web.received} == {"/hook"}


def test_an_endpoint_that_is_gone_is_to_be_disabled(answer_with: Send) -> None:
    result = answer_with(Answer(status=410))
    assert (result.state, result.disable) == (OutcomeKind.FAILED, True)


@pytest.mark.parametrize(
    ("status", "retry_after", "wait_s"),
    [
        (429, None, 60),
        (429, "5", 60),
        (429, "300", 300),
        (429, "nonsense", 60),
        (503, "5", 5),
        (502, "10", 10),
        (504, "999999999", 86_400),
        (503, None, None),
        (503, "nonsense", None),
        (500, "300", None),
    ],
)
def test_retry_after_is_honoured(
    answer_with: Send, status: int, retry_after: str | None, wait_s: float | None
) -> None:
    headers = (("Retry-After", retry_after),) if retry_after else ()
    result = answer_with(Answer(status=status, headers=headers))
    assert (result.state, result.retry_after_s) == (OutcomeKind.RETRY, wait_s)


def test_retry_after_may_be_a_date(answer_with: Send, call: Call) -> None:
    at = format_datetime(call.timestamp + timedelta(seconds=120), usegmt=False)
    result = answer_with(Answer(status=503, headers=(("Retry-After", at),)))
    assert result.retry_after_s == pytest.approx(120, abs=1)


def test_of_an_answer_only_a_short_printable_piece_is_kept(answer_with: Send) -> None:
    result = answer_with(
        Answer(status=500, body="Błąd:\r\n\x1b[31m\x00\xff".encode() + b"\xfe" + b"x" * 60_000)
    )
    assert result.detail.startswith("HTTP 500: Błąd: [31m")
    assert result.detail.isprintable()
    assert len(result.detail) < 220


def test_an_endless_answer_is_cut_off_and_its_status_counts(answer_with: Send) -> None:
    assert answer_with(Answer(status=200, endless=True)).state is OutcomeKind.SENT
    result = answer_with(Answer(status=500, endless=True))
    assert (result.state, result.status) == (OutcomeKind.RETRY, 500)
    assert result.detail.startswith("too_large")


def test_an_endpoint_that_hangs_up_is_tried_again(answer_with: Send) -> None:
    result = answer_with(Answer(drop="silent"))
    assert (result.state, result.status) == (OutcomeKind.RETRY, None)
    assert result.detail.startswith("interrupted")


@pytest.mark.parametrize("kind", list(FailureKind))
def test_each_kind_of_failure_is_tried_again_except_a_refused_address(kind: FailureKind) -> None:
    result = outcome(Failure(kind, "because"), datetime.now(UTC))
    refused = kind is FailureKind.ADDRESS_REFUSED
    assert result.state is (OutcomeKind.FAILED if refused else OutcomeKind.RETRY)
    assert result.detail == f"{kind.value}: because"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[::1]/", "ftp://a.example/", "nonsense"]
)
def test_a_call_inside_is_never_made(channel: WebhookChannel, call: Call, url: str) -> None:
    [(_, result)] = channel.send([replace(call, url=url)])
    assert result.state is OutcomeKind.FAILED
    assert result.detail.startswith("address_refused")


def test_a_bad_call_harms_no_other(web: WebDouble, channel: WebhookChannel, call: Call) -> None:
    web.answer("/hook", Answer())
    calls = [
        replace(call, delivery_id="no secret", secrets=()),
        replace(call, delivery_id="bad secret", secrets=("whsec_short",)),
        replace(call, delivery_id="bad header", headers=(("a b", "c"),)),
        replace(call, delivery_id="nowhere", url="http://nobody.invalid/"),
        *(replace(call, delivery_id=f"good {number}") for number in range(20)),
    ]
    states = {done.delivery_id: result.state for done, result in channel.send(calls)}
    assert len(states) == 24
    assert {states[name] for name in ("no secret", "bad secret", "bad header")} == {OutcomeKind.FAILED}
    assert states["nowhere"] is OutcomeKind.RETRY
    assert {states[f"good {number}"] for number in range(20)} == {OutcomeKind.SENT}
    assert len(web.received) == 20


def test_no_secret_or_body_shows_in_an_outcome(channel: WebhookChannel, call: Call) -> None:
    [(_, result)] = channel.send([replace(call, secrets=("whsec_QUJDREVGRw==",))])
    assert "QUJDREVGRw" not in repr(result)
    assert "notice.published" not in repr(result)


def test_an_attempt_tells_where_its_time_went(answer_with: Send) -> None:
    result = answer_with(Answer(status=204, delay_s=0.15))
    assert result.phases_ms is not None
    assert list(result.phases_ms) == ["dns", "connect", "tls", "send", "wait", "read"]
    assert result.phases_ms["wait"] >= 100
    assert sum(result.phases_ms.values()) == pytest.approx(result.took_ms, rel=0.2)
    assert (result.fault, result.kind) == (None, "")
    result = answer_with(Answer(body=b"x" * 20, drip_s=0.01))
    assert result.phases_ms is not None
    assert result.phases_ms["read"] >= 100


def test_whose_fault_it_was_is_told(channel: WebhookChannel, call: Call, answer_with: Send) -> None:
    assert answer_with(Answer(status=500)).fault == "theirs"
    silent = answer_with(Answer(drop="silent"))
    assert (silent.fault, silent.kind) == ("network", "interrupted")
    for url, fault in (("http://nobody.invalid/", "network"), ("http://10.0.0.1/", "theirs")):
        [(_, result)] = channel.send([replace(call, url=url)])
        assert result.fault == fault
    [(_, result)] = channel.send([replace(call, secrets=())])
    assert (result.fault, result.kind) == ("ours", "unsent")


def test_of_an_answer_a_longer_piece_is_kept_for_the_log_and_it_is_printable(answer_with: Send) -> None:
    body = "<script>alert(1)</script>\r\n\x1b[31m\x00\u202eżółw ".encode() + b"x" * 60_000
    result = answer_with(Answer(status=500, body=body))
    assert result.answer.startswith("<script>alert(1)</script> [31m")
    assert result.answer.isprintable()
    assert len(result.answer) == 1_000
