"""Endpoints are told of each event in the format they chose, signed, and asked again with patience."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from services.channels.webhook import WebhookChannel
from services.clock import FrozenClock
from services.domain import retries, signing
from services.manage import endpoints, replays
from services.pipeline import deliver, match
from services.pipeline.calls import call
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import calls as limits
from services.storage import deliveries as store
from services.storage.work import Claim
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import carry, counts, draft, listener, only, publish, withdraw

STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"


def verified(secret: str, call: Received) -> Any:
    """The payload, once the reference implementation of Standard Webhooks accepts its signature."""
    hook = standardwebhooks.Webhook(secret)
    headers = dict(call.headers)
    # The test's clock stands still; what is checked here is the signature, not its age.
    signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert (
        hook.sign(headers["webhook-id"], signed_at, call.body.decode())
        in headers["webhook-signature"].split()
    )
    return json.loads(call.body)


def delivery(rt: Runtime) -> dict[str, Any]:
    return dict(only(rt, "SELECT * FROM deliveries"))


def test_an_endpoint_is_told_and_can_verify_it(rt: Runtime, receiver: WebDouble) -> None:
    created = listener(rt, receiver.url("/hook"))
    publish(rt, draft(title="Dotacje dla firm", topics=("funding",)))
    carry(rt)

    (call,) = receiver.received
    told = verified(created.secret, call)
    assert call.method == "POST"
    assert told["type"] == "pl.goniec.notice.published.v1"
    assert told["data"]["title"] == "Dotacje dla firm"
    assert call.headers["webhook-id"] == f"msg_{delivery(rt)['uid'].hex}"
    assert delivery(rt)["state"] == "sent"


def test_every_kind_of_event_is_told_once(rt: Runtime, receiver: WebDouble) -> None:
    listener(rt, receiver.url("/hook"))
    publish(rt, draft(title="pierwszy"))
    carry(rt)
    publish(rt, draft(title="drugi"))
    carry(rt)
    withdraw(rt)
    carry(rt)
    carry(rt)

    types = [json.loads(call.body)["type"].split(".")[3] for call in receiver.received]
    assert types == ["published", "revised", "withdrawn"]


def test_formats_tell_the_same_event(rt: Runtime, receiver: WebDouble) -> None:
    for shape in endpoints.FORMATS:
        listener(rt, receiver.url(f"/{shape}"), format=shape)
    publish(rt, draft(title="Żółć %"))
    carry(rt)
    calls = {call.path.strip("/"): call for call in receiver.received}

    structured = json.loads(calls["cloudevents"].body)
    assert calls["cloudevents"].headers["content-type"].startswith("application/cloudevents+json")
    assert (structured["specversion"], structured["data"]["title"]) == ("1.0", "Żółć %")
    assert json.loads(calls["cloudevents-batch"].body) == [structured]
    assert calls["cloudevents-batch"].headers["content-type"].startswith("application/cloudevents-batch+json")
    binary = calls["cloudevents-binary"]
    assert binary.headers["ce-id"] == structured["id"]
    assert binary.headers["ce-type"] == structured["type"]
    assert (binary.headers["content-type"], json.loads(binary.body)) == (
        "application/json",
        structured["data"],
    )
    standard = json.loads(calls["standard"].body)
    assert (standard["type"], standard["data"]) == (structured["type"], structured["data"])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(status=200), "sent"),
        (Answer(status=500), "retry"),
        (Answer(status=404), "retry"),
        (Answer(status=302, headers=(("Location", "http://169.254.169.254/"),)), "retry"),
        (Answer(drop="silent"), "retry"),
        (Answer(status=410), "failed"),
    ],
)
def test_what_the_endpoint_answers_decides(
    rt: Runtime, receiver: WebDouble, answer: Answer, state: str
) -> None:
    receiver.answer("/hook", answer)
    listener(rt, receiver.url("/hook"))
    publish(rt)
    carry(rt)

    assert delivery(rt)["state"] == state
    assert only(rt, "SELECT outcome FROM attempts")["outcome"] == state


def test_a_call_is_repeated_with_its_id_along_the_schedule_and_then_given_up(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    receiver.answer("/hook", Answer(status=503))
    listener(rt, receiver.url("/hook"))
    publish(rt)
    match.run(rt)
    waits = []
    while True:
        deliver.run_webhooks(rt)
        row = delivery(rt)
        if row["state"] != "retry":
            break
        waits.append((row["due_at"] - clock.now()).total_seconds())
        assert deliver.run_webhooks(rt) == 0
        clock.set(row["due_at"])

    assert row["state"] == "failed"
    assert len(receiver.received) == len(retries.SCHEDULE_S) == row["attempts"]
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 1
    assert len({call.body for call in receiver.received}) == 1
    for wait_s, planned_s in zip(waits, retries.SCHEDULE_S[1:], strict=True):
        assert 0.8 * planned_s <= wait_s <= 1.2 * planned_s
    assert only(rt, "SELECT failures FROM endpoints")["failures"] == len(retries.SCHEDULE_S)


def test_a_retry_after_is_honoured(rt: Runtime, receiver: WebDouble, clock: FrozenClock) -> None:
    receiver.answer("/hook", Answer(status=429, headers=(("Retry-After", "3600"),)), Answer(status=204))
    listener(rt, receiver.url("/hook"))
    publish(rt)
    carry(rt)
    assert delivery(rt)["due_at"] == clock.now() + timedelta(hours=1)

    clock.advance(timedelta(minutes=59))
    carry(rt)
    assert len(receiver.received) == 1
    clock.advance(timedelta(minutes=1))
    carry(rt)

    assert delivery(rt)["state"] == "sent"
    assert only(rt, "SELECT failures FROM endpoints")["failures"] == 0


def test_an_endpoint_that_is_gone_is_disabled_and_told_no_more(rt: Runtime, receiver: WebDouble) -> None:
    receiver.answer("/hook", Answer(status=410))
    listener(rt, receiver.url("/hook"))
    publish(rt, draft("a"))
    carry(rt)
    publish(rt, draft("b"))
    carry(rt)

    assert len(receiver.received) == 1
    endpoint = only(rt, "SELECT state, state_because FROM endpoints")
    assert endpoint["state"] == "disabled"
    assert "410" in endpoint["state_because"]


def test_what_waits_for_a_paused_endpoint_is_sent_when_it_is_active_again(
    rt: Runtime, receiver: WebDouble
) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    endpoints.patch(rt, None, uid, state="paused")
    publish(rt)
    carry(rt)
    assert receiver.received == []

    endpoints.patch(rt, None, uid, state="active")
    carry(rt)

    assert len(receiver.received) == 1


def test_a_secret_in_rotation_signs_beside_the_new_one(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    created = listener(rt, receiver.url("/hook"))
    fresh = endpoints.rotate(rt, None, created.endpoint.uid, overlap_hours=1).secret
    publish(rt, draft("a"))
    carry(rt)
    verified(created.secret, receiver.received[0])
    verified(fresh, receiver.received[0])

    clock.advance(timedelta(hours=2))
    publish(rt, draft("b"))
    carry(rt)

    verified(fresh, receiver.received[1])
    with pytest.raises(AssertionError):
        verified(created.secret, receiver.received[1])


def test_one_bad_endpoint_harms_no_other(rt: Runtime, receiver: WebDouble) -> None:
    receiver.answer("/bad", Answer(drop="half", body=b"x" * 100))
    listener(rt, receiver.url("/bad"))
    listener(rt, "http://127.0.0.1:9/away")
    listener(rt, receiver.url("/good"))
    publish(rt)
    carry(rt)

    assert counts(rt, STATES) == {"retry": 2, "sent": 1}


def test_a_deliverer_that_dies_repeats_only_what_was_in_flight_and_loses_nothing(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    for number in range(12):
        listener(rt, receiver.url(f"/hook-{number}"))
    publish(rt)
    match.run(rt)
    with rt.begin() as session:
        dead = Claim("dead", tuple(limits.claim(session, "dead", now=clock.now(), lease=LEASE, limit=5)))
        due = store.claimed_calls(session, dead)
    calls = [call(rt, one) for one in due[:2]]
    assert len(list(WebhookChannel(rt.http).send(calls))) == 2  # and there it dies, nothing written

    assert deliver.run_webhooks(rt) == 7
    clock.advance(LEASE + timedelta(seconds=1))
    assert deliver.run_webhooks(rt) == 5

    times = Counter(call.path for call in receiver.received)
    assert len(times) == 12
    assert sorted(times.values()) == [1] * 10 + [2] * 2
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 12


def test_an_address_that_became_private_is_not_called(
    open_runtime: OpenRuntime, rt: Runtime, receiver: WebDouble
) -> None:
    listener(rt, receiver.url("/hook"))
    publish(rt)
    match.run(rt)
    strict = open_runtime(allow_networks="")

    deliver.run_webhooks(strict)

    assert receiver.received == []
    assert delivery(rt)["state"] == "failed"
    assert "address_refused" in delivery(rt)["detail"]


def test_who_is_asked_to_stop_ends_the_calls_in_flight_and_gives_the_rest_back(
    rt: Runtime, receiver: WebDouble
) -> None:
    def stop(_: Received) -> Answer:
        rt.stopping.set()
        return Answer(status=204, delay_s=0.1)

    receiver.answer("*", stop)
    for number in range(30):
        listener(rt, receiver.url(f"/hook-{number}"))
    publish(rt)
    match.run(rt)

    deliver.run_webhooks(rt)

    begun = len(receiver.received)
    assert 1 <= begun < 30
    assert counts(rt, STATES) == {"sent": begun, "pending": 30 - begun}
    receiver.answer("*", Answer(status=204))
    rt.stopping.clear()
    deliver.run_webhooks(rt)
    assert Counter(call.path for call in receiver.received) == {f"/hook-{n}": 1 for n in range(30)}


def test_an_endpoint_signed_for_by_ed25519_shares_no_secret(rt: Runtime, receiver: WebDouble) -> None:
    created = endpoints.add(rt, "integrator", url=receiver.url("/hook"), query="kind:call", signatures="v1a")
    publish(rt)
    carry(rt)
    [call] = receiver.received
    assert created.secret == ""
    assert [one.partition(",")[0] for one in call.headers["webhook-signature"].split()] == ["v1a"]
    keys = endpoints.public_keys(rt, created.endpoint.uid)
    assert keys == created.endpoint.public_keys
    _check(keys, call, rt)

    fresh = endpoints.rotate(rt, None, created.endpoint.uid, overlap_hours=1, signatures="both")
    verified_by = endpoints.public_keys(rt, created.endpoint.uid)
    assert len(verified_by) == 2
    replays.resend(rt, None, created.endpoint.uid, call.headers["webhook-id"])
    carry(rt)
    again = receiver.received[-1]
    kinds = [one.partition(",")[0] for one in again.headers["webhook-signature"].split()]
    assert kinds == ["v1", "v1a", "v1a"]
    verified(fresh.secret, again)
    for key in verified_by:
        _check([key], again, rt)


def _check(keys: list[str], call: Received, rt: Runtime) -> None:
    signing.verify(
        keys,
        message_id=call.headers["webhook-id"],
        timestamp=call.headers["webhook-timestamp"],
        signatures=call.headers["webhook-signature"],
        body=call.body,
        now=rt.clock.now(),
    )
