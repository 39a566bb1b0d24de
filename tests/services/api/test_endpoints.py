"""Webhook endpoints over HTTP: made, changed, tested, rotated, replayed; and seen by nobody else."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from services.clock import FrozenClock, SystemClock
from services.manage import accounts
from services.runtime import Runtime
from tests.doubles.web import Answer, WebDouble
from tests.services.api.conftest import MakeClient, Push


@pytest.fixture
def receiver() -> Iterator[WebDouble]:
    with WebDouble() as web:
        web.answer("/hook", Answer(status=204))
        yield web


@pytest.fixture
def endpoint(consumer: TestClient, receiver: WebDouble) -> dict[str, Any]:
    answer = consumer.post("/v1/endpoints", json={"url": receiver.url("/hook"), "query": "topic:funding"})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def test_a_secret_is_told_once(consumer: TestClient, endpoint: dict[str, Any]) -> None:
    assert endpoint["secret"].startswith("whsec_")
    shown = consumer.get(f"/v1/endpoints/{endpoint['id']}")
    assert endpoint["secret"] not in shown.text
    assert {**shown.json(), "secret": endpoint["secret"]} == endpoint
    assert consumer.get("/v1/endpoints").json()["items"] == [shown.json()]


def test_an_endpoint_is_changed_and_taken_out(consumer: TestClient, endpoint: dict[str, Any]) -> None:
    path = f"/v1/endpoints/{endpoint['id']}"
    changed = consumer.patch(
        path, json={"label": "Portal", "state": "paused", "query": "topic:health"}
    ).json()
    assert (changed["label"], changed["state"], changed["query"]) == ("Portal", "paused", "topic:health")
    assert consumer.patch(path, json={}).json() == changed
    assert consumer.patch(path, json={"state": "active"}).json()["state"] == "active"
    assert consumer.delete(path).status_code == 204
    assert consumer.get(path).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2852039166/",
        "http://user:pass@127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/\r\nX-Evil: 1",
        "not an address",
    ],
)
def test_an_address_that_must_not_be_dialled_is_refused(consumer: TestClient, url: str) -> None:
    answer = consumer.post("/v1/endpoints", json={"url": url, "query": "topic:funding"})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("address-refused", "invalid")
    assert consumer.get("/v1/endpoints").json()["items"] == []


def test_a_test_event_is_signed(
    consumer: TestClient, endpoint: dict[str, Any], receiver: WebDouble, clock: FrozenClock
) -> None:
    clock.set(SystemClock().now())
    answer = consumer.post(f"/v1/endpoints/{endpoint['id']}/test").json()
    assert (answer["is_ok"], answer["status"]) == (True, 204)
    (call,) = receiver.calls
    told = Webhook(endpoint["secret"]).verify(call.body, dict(call.headers))
    assert told["type"] == "pl.goniec.test.v1"


def test_both_secrets_sign_for_a_while_after_a_rotation(
    consumer: TestClient, endpoint: dict[str, Any], receiver: WebDouble, clock: FrozenClock
) -> None:
    clock.set(SystemClock().now())
    path = f"/v1/endpoints/{endpoint['id']}"
    fresh = consumer.post(f"{path}/rotate", json={"overlap_hours": 1}).json()
    assert fresh["secret"] != endpoint["secret"]
    consumer.post(f"{path}/test")
    (call,) = receiver.calls
    for secret in (endpoint["secret"], fresh["secret"]):
        Webhook(secret).verify(call.body, dict(call.headers))
    assert consumer.post(f"{path}/rotate", json={"overlap_hours": 169}).status_code == 422
    assert consumer.post(f"{path}/rotate").status_code == 415


def test_a_replay_is_begun_watched_and_ended(
    push: Push, consumer: TestClient, receiver: WebDouble, clock: FrozenClock
) -> None:
    push(key="a", topics=["funding"])
    push(key="b", topics=["social"], title="Koncert")
    endpoint = consumer.post(
        "/v1/endpoints", json={"url": receiver.url("/hook"), "query": "topic:funding"}
    ).json()
    path = f"/v1/endpoints/{endpoint['id']}/replays"
    long_ago = {"since": (clock.now() - timedelta(days=400)).isoformat()}
    begun = consumer.post(path, json=long_ago)
    assert (begun.status_code, begun.json()["state"]) == (202, "gathering")
    assert consumer.post(path, json=long_ago).status_code == 409
    one = f"{path}/{begun.json()['id']}"
    assert consumer.get(path).json()["items"] == [consumer.get(one).json()]
    ended = consumer.delete(one).json()
    assert (ended["state"], ended["left"]) == ("cancelled", 0)
    turned = {"since": clock.now().isoformat(), "until": "2026-11-01T00:00:00Z"}
    assert consumer.post(path, json=turned).status_code == 202
    assert consumer.get(f"{path}/{UUID(int=1)}").status_code == 404


def test_to_everybody_else_an_endpoint_is_not_there(
    rt: Runtime, make_client: MakeClient, endpoint: dict[str, Any]
) -> None:
    stranger = make_client(key=accounts.create_key(rt, consumer="Somebody else").key)
    path = f"/v1/endpoints/{endpoint['id']}"
    assert stranger.get("/v1/endpoints").json()["items"] == []
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"label": "mine"}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate", {}),
        ("GET", "/deliveries", None),
        ("POST", "/replays", {"since": "2026-11-22T00:00:00Z"}),
        ("POST", "/check", None),
        ("GET", "/replays", None),
        ("GET", f"/replays/{UUID(int=1)}", None),
        ("DELETE", f"/replays/{UUID(int=1)}", None),
        ("POST", f"/deliveries/msg_{UUID(int=1).hex}/resend", None),
    ):
        assert stranger.request(method, path + rest, json=body).status_code == 404, (method, rest)


def test_why_is_told_to_the_operator_and_to_whom_it_concerns(
    push: Push,
    operator: TestClient,
    institution: TestClient,
    consumer: TestClient,
    subscriber: TestClient,
    endpoint: dict[str, Any],
) -> None:
    notice = push(key="a", topics=["funding"])["id"]

    def status(client: TestClient, recipient: str) -> int:
        answer = client.get("/v1/deliveries/why", params={"notice": notice, "recipient": recipient})
        return answer.status_code

    assert status(operator, "reader@example.com") == 200
    assert status(operator, endpoint["id"]) == 200
    assert status(consumer, endpoint["id"]) == 200
    assert status(consumer, "reader@example.com") == 404
    assert status(subscriber, "Reader@example.com") == 200
    assert status(subscriber, "other@example.com") == 403
    assert status(subscriber, endpoint["id"]) == 403
    assert status(institution, endpoint["id"]) == 200
    assert status(institution, "reader@example.com") == 403


def test_why_is_told_in_steps(push: Push, operator: TestClient, subscriber_token: str) -> None:
    assert subscriber_token
    notice = push(key="a", topics=["funding"])["id"]
    told = operator.get(
        "/v1/deliveries/why", params={"notice": notice, "recipient": "reader@example.com"}
    ).json()
    assert told["notice_id"] == notice
    assert told["steps"][0]["name"] == "published"
    assert told["verdict"]


def test_the_public_keys_of_an_endpoint_are_told_to_anybody(
    consumer: TestClient, anyone: TestClient, receiver: WebDouble
) -> None:
    made = consumer.post(
        "/v1/endpoints",
        json={"url": receiver.url("/hook"), "query": "kind:call", "signatures": "v1a"},
    ).json()
    keys = anyone.get(f"/.well-known/webhook-keys/{made['id']}").json()["keys"]
    assert [one["whpk"] for one in keys] == made["public_keys"]
    raw = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    assert base64.b64encode(raw).decode() == made["public_keys"][0].removeprefix("whpk_")
    assert anyone.get("/.well-known/webhook-keys/00000000-0000-0000-0000-000000000000").json() == {"keys": []}


def test_a_contact_is_named_seen_and_taken_away_by_the_owner_alone(
    make_client: MakeClient, rt: Runtime, consumer: TestClient, endpoint: dict[str, Any]
) -> None:
    path = f"/v1/endpoints/{endpoint['id']}/contact"
    asked = consumer.put(path, json={"email": "Ops@portal.example"})
    assert (asked.status_code, list(asked.json())) == (202, ["detail"])
    shown = consumer.get(f"/v1/endpoints/{endpoint['id']}").json()
    assert (shown["contact"], shown["contact_confirmed_at"]) == ("ops@portal.example", None)
    stranger = make_client(key=accounts.create_key(rt, consumer="stranger").key)
    assert stranger.put(path, json={"email": "a@b.example"}).status_code == 404
    assert stranger.delete(path).status_code == 404
    assert consumer.put(path, json={"email": "no address"}).status_code == 422
    assert consumer.delete(path).status_code == 204
    assert consumer.get(f"/v1/endpoints/{endpoint['id']}").json()["contact"] is None
