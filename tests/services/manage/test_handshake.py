"""An endpoint that offers CloudEvents' handshake decides whether it is called, and how often."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.manage import accounts, endpoints, handshake
from services.manage.endpoints import EndpointView
from services.pipeline import deliver, match
from services.runtime import Runtime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import carry, draft, listener, publish


class Receiver(WebDouble):
    """Takes calls, and answers the handshake as `says`."""

    def __init__(self) -> None:
        super().__init__()
        self.says = Answer(status=405)
        self.answer("/hook", self._play)

    def _play(self, call: Received) -> Answer:
        return self.says if call.method == "OPTIONS" else Answer(status=204)

    def allow(self, origin: str, rate: str | None = None, status: int = 200) -> None:
        headers = [("WebHook-Allowed-Origin", origin), *([("WebHook-Allowed-Rate", rate)] if rate else [])]
        self.says = Answer(status=status, headers=tuple(headers))

    @property
    def asked(self) -> list[Received]:
        return [one for one in self.received if one.method == "OPTIONS"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def client(rt: Runtime) -> Iterator[TestClient]:
    key = accounts.create_key(rt, consumer="integrator").key
    with TestClient(make_app(rt), headers={"Authorization": f"Bearer {key}"}) as made:
        yield made


def asked(rt: Runtime, receiver: Receiver) -> EndpointView:
    return handshake.ask(rt, None, listener(rt, receiver.url("/hook")).endpoint.uid)


def callback(receiver: Receiver) -> str:
    return receiver.asked[-1].headers["webhook-request-callback"].removeprefix("http://goniec.example")


def test_the_question_is_the_standards(rt: Runtime, receiver: Receiver) -> None:
    asked(rt, receiver)
    (question,) = receiver.asked
    assert question.headers["webhook-request-origin"] == "goniec.example"
    assert question.headers["webhook-request-rate"] == "6000"
    assert question.headers["webhook-request-callback"].startswith("http://goniec.example/v1/consents/")
    assert question.body == b""


def test_who_offers_no_handshake_is_called_all_the_same(rt: Runtime, receiver: Receiver) -> None:
    view = asked(rt, receiver)
    assert (view.consent, view.state) == (None, "active")
    publish(rt)
    carry(rt)
    assert len(receiver.calls) == 1


def test_the_allowed_rate_becomes_the_throttle(rt: Runtime, receiver: Receiver, clock: FrozenClock) -> None:
    receiver.allow("goniec.example", "60")
    view = asked(rt, receiver)
    assert (view.consent, view.allowed_per_min) == ("granted", 60)
    publish(rt, *[draft(f"n-{n}") for n in range(4)])
    match.run(rt)
    for told in (1, 2, 3):
        deliver.run_webhooks(rt)
        deliver.run_webhooks(rt)
        assert len(receiver.calls) == told
        clock.advance(timedelta(seconds=1))


def test_the_slower_of_both_paces_counts(rt: Runtime, receiver: Receiver, clock: FrozenClock) -> None:
    receiver.allow("*", "600")
    view = asked(rt, receiver)
    endpoints.patch(rt, None, view.uid, max_per_s=2)
    publish(rt, *[draft(f"n-{n}") for n in range(20)])
    match.run(rt)
    deliver.run_webhooks(rt)
    assert len(receiver.calls) == 2
    endpoints.patch(rt, None, view.uid, max_per_s=100)
    clock.advance(timedelta(seconds=2))
    deliver.run_webhooks(rt)
    assert len(receiver.calls) == 12


@pytest.mark.parametrize("status", [200, 410])
def test_who_refuses_is_paused_says_so_and_loses_nothing(
    rt: Runtime, receiver: Receiver, status: int
) -> None:
    receiver.allow("other.example", status=status)
    view = asked(rt, receiver)
    assert (view.consent, view.state) == ("refused", "paused")
    assert view.state_because is not None
    assert "consent" in view.state_because
    publish(rt)
    carry(rt)
    assert receiver.calls == []

    receiver.allow("*")
    view = handshake.ask(rt, None, view.uid)
    carry(rt)
    assert (view.consent, view.state, len(receiver.calls)) == ("granted", "active", 1)


def test_setting_a_refused_endpoint_active_asks_again(client: TestClient, receiver: Receiver) -> None:
    receiver.allow("other.example")
    made = client.post("/v1/endpoints", json={"url": receiver.url("/hook"), "query": "kind:call"}).json()
    assert (made["consent"], made["state"]) == ("refused", "paused")
    path = f"/v1/endpoints/{made['id']}"
    assert client.patch(path, json={"state": "active"}).json()["state"] == "paused"
    assert len(receiver.asked) == 2
    receiver.allow("goniec.example")
    assert client.patch(path, json={"state": "active"}).json()["state"] == "active"
    assert client.patch(path, json={"url": receiver.url("/hook?2")}).json()["consent"] == "granted"
    assert client.patch(path, json={"label": "Portal"}).status_code == 200
    assert client.post(f"{path}/consent").json()["consent"] == "granted"
    assert len(receiver.asked) == 5


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_consent_may_come_later_by_the_link(
    rt: Runtime, client: TestClient, receiver: Receiver, method: str
) -> None:
    receiver.allow("other.example")
    uid = asked(rt, receiver).uid
    answer = client.request(method, callback(receiver), headers={"WebHook-Allowed-Rate": "30"})
    assert answer.status_code == 204
    view = endpoints.show(rt, None, uid)
    assert (view.consent, view.state, view.allowed_per_min) == ("granted", "active", 30)


def test_the_link_holds_for_one_address_alone(rt: Runtime, client: TestClient, receiver: Receiver) -> None:
    receiver.allow("other.example")
    uid = asked(rt, receiver).uid
    link = callback(receiver)
    assert client.post(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 404
    endpoints.patch(rt, None, uid, url=receiver.url("/other"))
    assert client.post(link).status_code == 404
    assert endpoints.show(rt, None, uid).consent == "refused"


def test_an_owner_who_paused_is_not_woken_by_consent(rt: Runtime, receiver: Receiver) -> None:
    uid = asked(rt, receiver).uid
    endpoints.patch(rt, None, uid, state="paused")
    receiver.allow("*")
    assert handshake.ask(rt, None, uid).state == "paused"


def test_an_owner_who_paused_what_refused_is_not_woken_by_the_receivers_link(
    rt: Runtime, client: TestClient, receiver: Receiver
) -> None:
    receiver.allow("other.example")
    uid = asked(rt, receiver).uid
    endpoints.patch(rt, None, uid, state="paused")
    assert handshake.ask(rt, None, uid).state_because == "paused by its owner"
    assert client.post(callback(receiver)).status_code == 204
    view = endpoints.show(rt, None, uid)
    assert (view.consent, view.state) == ("granted", "paused")


def test_a_refusal_does_not_hide_that_an_endpoint_was_disabled(
    rt: Runtime, client: TestClient, receiver: Receiver
) -> None:
    uid = asked(rt, receiver).uid
    with rt.begin() as session:
        session.execute(text("UPDATE endpoints SET state = 'disabled', state_because = 'it failed for days'"))
    receiver.allow("other.example")
    assert handshake.ask(rt, None, uid).state == "disabled"
    assert client.post(callback(receiver)).status_code == 204
    assert endpoints.show(rt, None, uid).state == "disabled"


def test_who_cannot_be_asked_is_left_as_it_is(rt: Runtime) -> None:
    made = listener(rt, "http://127.0.0.1:9/away")
    view = handshake.ask(rt, None, made.endpoint.uid)
    assert (view.consent, view.state) == (None, "active")
    assert view.consent_because is not None
    assert "could not be asked" in view.consent_because
