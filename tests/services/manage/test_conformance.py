"""The test of a receiver finds each fault by the check that is meant for it, and leaves nothing behind."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.clock import SystemClock
from services.domain import signing
from services.errors import BadInput, NotFound, RateLimited
from services.manage import accounts, calls, conformance, endpoints
from services.manage.conformance import Report, Verdict
from services.runtime import WAITED_FOR_AT_ONCE, Runtime
from tests import factories
from tests.conftest import OpenRuntime
from tests.docs.test_receivers import EXAMPLES, RECEIVERS, Receiver, free_port, program, wait_for
from tests.doubles.web import Answer, Received, WebDouble

Behaviour = Callable[[Received], Answer]
FAULTS = {
    "believes every signature": "signature",
    "believes what has none": "unsigned",
    "knows no time": "timestamp",
    "reads one signature": "rotation",
    "takes a double for an error": "doubled",
    "has little room": "large",
    "fears the unknown": "unknown",
    "breaks on text": "content_type",
    "works before it answers": "slow",
}


@pytest.fixture
def rt(open_runtime: OpenRuntime) -> Runtime:
    return open_runtime(at=SystemClock())


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def receiver(secret: str, fault: str = "") -> Behaviour:
    """A receiver that does everything right but for its fault."""
    seen: set[str] = set()

    def take(call: Received) -> Answer:
        if fault == "has little room" and len(call.body) > 100_000:
            return Answer(status=413)
        signature = call.headers.get("webhook-signature", "")
        if not (signature or fault == "believes what has none") or not is_genuine(call, signature):
            return Answer(status=401)
        uid = call.headers.get("webhook-id", "")
        is_double, delay_s = uid in seen, 0.5 if fault == "works before it answers" and not seen else 0.0
        seen.add(uid)
        try:
            kind = json.loads(call.body)["type"]
        except ValueError:
            return Answer(status=500 if fault == "breaks on text" else 400)
        if fault == "fears the unknown" and kind != "pl.goniec.test.v1":
            return Answer(status=422)
        return Answer(
            status=409 if is_double and fault == "takes a double for an error" else 204, delay_s=delay_s
        )

    def is_genuine(call: Received, signature: str) -> bool:
        if not signature:
            return True
        at, now = call.headers.get("webhook-timestamp", "0"), SystemClock().now()
        if fault == "believes every signature":
            return abs(now.timestamp() - int(at)) < 300
        try:
            signing.verify(
                [secret],
                message_id=call.headers.get("webhook-id", ""),
                timestamp=at,
                signatures=signature.split()[0] if fault == "reads one signature" else signature,
                body=call.body,
                now=datetime.fromtimestamp(int(at), UTC) if fault == "knows no time" else now,
            )
        except BadInput:
            return False
        return True

    return take


def failed(report: Report) -> list[str]:
    return [one.code for one in report.checks if one.verdict is Verdict.FAILED]


def test_a_receiver_that_does_it_right_passes_every_check(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    web.answer("/hook", receiver(made.secret))
    report = conformance.check(rt, None, made.endpoint.uid)
    assert (failed(report), report.is_ok) == ([], True)
    assert {one.verdict for one in report.checks} == {Verdict.PASSED}
    assert {one.code for one in report.checks} == {"good", *FAULTS.values()}


@pytest.mark.parametrize(("fault", "code"), FAULTS.items())
def test_each_fault_is_found_by_its_own_check_alone(
    rt: Runtime, web: WebDouble, fault: str, code: str
) -> None:
    made = factories.listener(rt, web.url("/hook"))
    web.answer("/hook", receiver(made.secret, fault))
    report = conformance.check(rt, None, made.endpoint.uid, quick_s=0.4)
    assert failed(report) == [code]
    [one] = [check for check in report.checks if check.code == code]
    assert one.sent
    assert one.expected
    assert one.came
    assert one.advice


@pytest.mark.parametrize("example", RECEIVERS)
def test_the_receivers_of_the_guide_pass(rt: Runtime, example: str) -> None:
    port = free_port()
    made = factories.listener(rt, f"http://127.0.0.1:{port}/")
    environment = {**os.environ, "WEBHOOK_SECRET": made.secret, "PORT": str(port)}
    with subprocess.Popen(
        [program(example), str(EXAMPLES / example)], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            wait_for(Receiver(process, port))
            report = conformance.check(rt, None, made.endpoint.uid)
        finally:
            process.terminate()
    assert {one.code: one.came for one in report.checks if one.verdict is not Verdict.PASSED} == {}


@pytest.mark.parametrize("shape", endpoints.FORMATS)
def test_every_format_and_kind_of_signature_can_be_tested(rt: Runtime, web: WebDouble, shape: str) -> None:
    made = endpoints.add(
        rt, "integrator", url=web.url("/hook"), query="kind:call", format=shape, signatures="both"
    )

    def take(call: Received) -> Answer:
        for keys in ([made.secret], made.endpoint.public_keys):
            try:
                signing.verify(
                    keys,
                    message_id=call.headers.get("webhook-id", ""),
                    timestamp=call.headers.get("webhook-timestamp", ""),
                    signatures=call.headers.get("webhook-signature", ""),
                    body=call.body,
                    now=SystemClock().now(),
                )
            except BadInput:
                return Answer(status=401)
        return Answer(status=204)

    web.answer("/hook", take)
    assert failed(conformance.check(rt, None, made.endpoint.uid)) == []


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=301), Answer(drop="silent")])
def test_where_the_good_call_is_not_taken_the_rest_is_left_out(
    rt: Runtime, web: WebDouble, answer: Answer
) -> None:
    web.answer("/hook", answer)
    made = factories.listener(rt, web.url("/hook"))
    report = conformance.check(rt, None, made.endpoint.uid)
    assert failed(report) == ["good"]
    assert {one.verdict for one in report.checks[1:]} == {Verdict.LEFT_OUT}
    assert len(web.received) <= 2


def test_health_deliveries_and_attempts_stay_as_they_are(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    before = factories.only(rt, "SELECT * FROM endpoints")
    web.answer("/hook", Answer(status=500))
    conformance.check(rt, None, made.endpoint.uid)
    web.answer("/hook", receiver(made.secret))
    conformance.check(rt, None, made.endpoint.uid)
    assert factories.only(rt, "SELECT * FROM endpoints") == before
    assert factories.rows(rt, "SELECT id FROM deliveries") == []
    assert factories.rows(rt, "SELECT delivery_id FROM attempts") == []


def test_every_call_says_that_it_is_a_test(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    web.answer("/hook", receiver(made.secret))
    conformance.check(rt, None, made.endpoint.uid)
    named = [call.headers["webhook-id"] for call in web.received if "webhook-id" in call.headers]
    assert len(named) == len(web.received) - 1
    assert all(one.startswith("msg_test_") for one in named)
    told = [json.loads(call.body) for call in web.received if call.body.startswith(b"{")]
    assert all(one["type"].startswith("pl.goniec.test.") for one in told)
    assert all("This is a test" in one["data"]["message"] for one in told)


def test_to_others_the_endpoint_is_not_there(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    other = accounts.authenticate(rt, accounts.create_key(rt, consumer="other").key)
    with pytest.raises(NotFound):
        conformance.check(rt, other, made.endpoint.uid)
    assert web.received == []


def test_who_hangs_takes_no_thread_of_others(rt: Runtime, web: WebDouble) -> None:
    uid = factories.listener(rt, web.url("/hook")).endpoint.uid
    with ExitStack() as waiting:
        for _ in range(WAITED_FOR_AT_ONCE):
            waiting.enter_context(rt.room_to_wait())
        for ask in (conformance.check, calls.test):
            with pytest.raises(RateLimited):
                ask(rt, None, uid)
    assert web.received == []
    assert calls.test(rt, None, uid).status is not None  # who is done makes room


def test_a_receiver_that_hangs_is_not_waited_for_call_by_call(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    take = receiver(made.secret)

    def hang(call: Received) -> Answer:
        is_first = len(web.received) == 1
        return take(call) if is_first else replace(take(call), delay_s=1.0)

    web.answer("/hook", hang)
    began = time.monotonic()
    report = conformance.check(rt, None, made.endpoint.uid, quick_s=0.2, patience_s=0.0)
    assert time.monotonic() - began < 8.0
    assert not report.is_ok
