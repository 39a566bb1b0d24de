"""Endpoints are told as much as they chose, and every body meets the schema that it names."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.domain import event_types
from services.domain.telling import FETCH_WITHIN
from services.manage import calls, endpoints
from services.pipeline import deliver, match
from services.runtime import Runtime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import carry, draft, listener, publish, withdraw
from tests.services.domain.test_telling import applied
from tests.services.schemas import BASE, check, fetched


@pytest.fixture
def client(rt: Runtime) -> Iterator[TestClient]:
    with TestClient(make_app(rt)) as made:
        yield made


def told(receiver: WebDouble) -> list[Any]:
    return [json.loads(call.body) for call in receiver.received]


def three_events(rt: Runtime) -> None:
    publish(rt, draft(title="pierwszy"))
    carry(rt)
    publish(rt, draft(title="drugi"))
    carry(rt)
    withdraw(rt)
    carry(rt)


@pytest.mark.parametrize("content", ["fat", "thin", "diff"])
@pytest.mark.parametrize("shape", endpoints.FORMATS)
def test_every_body_meets_the_schema_of_its_type(
    rt: Runtime, receiver: WebDouble, client: TestClient, content: str, shape: str
) -> None:
    uid = listener(rt, receiver.url("/hook"), format=shape, content=content).endpoint.uid
    three_events(rt)
    calls.test(rt, None, uid)
    assert len(receiver.received) == 4
    for call in receiver.received:
        schema, data = _data(shape, call)
        check(client, schema, data)
        if shape == "standard":
            check(client, schema.partition("#")[0] + "#payload", json.loads(call.body))
        if "test" not in schema:
            assert schema.endswith(f"#{content}")


def _data(shape: str, call: Received) -> tuple[str, Any]:
    """The schema that a call names (or its type does), and the data."""
    body = json.loads(call.body)
    if shape == "cloudevents-binary":
        return call.headers["ce-dataschema"], body
    event = body[0] if shape == "cloudevents-batch" else body
    if shape == "standard":
        name = event["type"]
        content = "" if "test" in name else "#diff" if "patch" in event["data"] else (
            "#thin" if "expires_at" in event["data"] else "#fat")  # fmt: skip
        return event_types.schema_url(BASE, name) + content, event["data"]
    return event["dataschema"], event["data"]


def test_a_schema_refuses_what_is_no_notice(client: TestClient) -> None:
    schema = event_types.schema_url(BASE, "pl.goniec.notice.published.v1")
    wrongs: list[Any] = [{}, {"id": 1, "title": "x"}, [], None]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            check(client, schema, wrong)


def test_a_thin_event_leads_to_its_revision_and_no_other_until_it_expires(
    rt: Runtime, receiver: WebDouble, client: TestClient, clock: FrozenClock
) -> None:
    listener(rt, receiver.url("/hook"), content="thin")
    three_events(rt)
    first, second, last = (event["data"] for event in told(receiver))
    assert "title" not in first
    assert fetched(client, first["url"])["title"] == "pierwszy"
    assert fetched(client, second["url"])["title"] == "drugi"
    assert fetched(client, last["url"])["withdrawn_at"] is not None

    other = first["url"][:-1] + ("A" if first["url"][-1] != "A" else "B")
    assert client.get(other.removeprefix(BASE)).status_code == 404
    clock.advance(FETCH_WITHIN - timedelta(seconds=1))
    assert client.get(first["url"].removeprefix(BASE)).status_code == 200
    clock.advance(timedelta(seconds=2))
    assert client.get(first["url"].removeprefix(BASE)).status_code == 404


def test_differences_applied_one_after_another_make_what_others_are_told_whole(
    rt: Runtime, receiver: WebDouble
) -> None:
    listener(rt, receiver.url("/diff"), content="diff")
    listener(rt, receiver.url("/fat"))
    three_events(rt)
    document: Any = None
    by_path = {
        path: [json.loads(call.body)["data"] for call in receiver.received if call.path == path]
        for path in ("/diff", "/fat")
    }
    for diff, whole in zip(by_path["/diff"], by_path["/fat"], strict=True):
        assert diff["from_revision"] == (document["revision"] if document else None)
        document = applied(document, diff["patch"])
        assert document == whole
    assert {step["path"] for step in by_path["/diff"][1]["patch"]} >= {"/title", "/revision"}
    assert "/summary" not in {step["path"] for step in by_path["/diff"][1]["patch"]}


def test_what_a_difference_is_told_against_does_not_move_between_attempts(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    def answer(_: Received) -> Answer:
        return Answer(status=500 if len(receiver.received) <= 2 else 204)

    receiver.answer("/hook", answer)
    listener(rt, receiver.url("/hook"), content="diff")
    publish(rt, draft(title="pierwszy"))
    match.run(rt)
    deliver.run_webhooks(rt)
    publish(rt, draft(title="drugi"))
    match.run(rt)
    deliver.run_webhooks(rt)
    clock.advance(timedelta(minutes=10))
    deliver.run_webhooks(rt)

    first, second, *again = receiver.received
    assert len(again) == 2
    bodies = {call.headers["webhook-id"]: call.body for call in (first, second)}
    for call in again:
        assert call.body == bodies[call.headers["webhook-id"]]
    assert [event["data"]["from_revision"] for event in told(receiver)] == [None] * 4


def test_an_endpoint_changes_what_it_is_told(rt: Runtime, receiver: WebDouble) -> None:
    uid = listener(rt, receiver.url("/hook")).endpoint.uid
    publish(rt, draft(title="pierwszy"))
    carry(rt)
    assert endpoints.patch(rt, None, uid, content="diff").content == "diff"
    publish(rt, draft(title="drugi"))
    carry(rt)
    whole, diff = (event["data"] for event in told(receiver))
    assert diff["from_revision"] == whole["revision"] == 1


def test_types_are_listed_with_their_changes(client: TestClient) -> None:
    found = client.get("/schemas").json()
    assert [one["type"] for one in found["items"]] == list(event_types.TYPES)
    for one in found["items"]:
        assert fetched(client, one["dataschema"])["title"] == one["type"]
    days = [one["at"] for one in found["changes"]]
    assert days == sorted(days, reverse=True)
    assert {one["type"] for one in found["changes"]} == set(event_types.TYPES)
    assert client.get("/schemas/pl.goniec.nothing.v1.json").status_code == 404
