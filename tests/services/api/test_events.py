"""CloudEvents over HTTP, in and out."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.services.api.conftest import Push

STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def event(**given: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "https://um.example",
        "type": "pl.goniec.notice.published.v1",
        "data": {"key": "a", "title": "Nabór na bony", "topics": ["funding"]},
        **given,
    }


def test_a_structured_event_publishes(institution: TestClient) -> None:
    answer = institution.post("/v1/events", content=json.dumps(event(ext="x")), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "published")
    again = institution.post("/v1/events", content=json.dumps(event(id="2")), headers=STRUCTURED)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")


def test_a_binary_event_has_its_key_in_the_subject(institution: TestClient, anyone: TestClient) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/um",
        "ce-type": "pl.goniec.notice.revised.v1",
        "ce-subject": "nab%C3%B3r%201",
    }
    answer = institution.post("/v1/events", json={"title": "Nabór"}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["key"] == "nabór 1"
    assert anyone.get("/v1/notices").json()["items"][0]["title"] == "Nabór"


def test_an_event_withdraws(institution: TestClient) -> None:
    gone = event(type="pl.goniec.notice.withdrawn.v1", data={"key": "a"})
    assert institution.post("/v1/events", content=json.dumps(gone), headers=STRUCTURED).status_code == 404
    institution.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    answer = institution.post("/v1/events", content=json.dumps(gone), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "withdrawn")
    assert institution.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED).status_code == 409


def test_each_event_of_a_batch_has_its_outcome_in_order(institution: TestClient) -> None:
    batch = [
        event(),
        event(type="pl.goniec.notice.withdrawn.v1", data={"key": "a"}),
        event(type="pl.goniec.notice.withdrawn.v1", data={"key": "unknown"}),
        event(type="com.example.other"),
        5,
        event(data={"key": "b", "title": "Drugi"}),
        event(),
    ]
    answer = institution.post("/v1/events", content=json.dumps(batch), headers=BATCHED)
    assert answer.status_code == 200
    assert [one["outcome"] for one in answer.json()["items"]] == [
        "published", "withdrawn", "refused", "refused", "refused", "published", "withdrawn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{}", {"Content-Type": "application/json"}, 415),
        ("{}", {"Content-Type": "text/plain"}, 415),
        ("{", STRUCTURED, 400),
        ("{}", STRUCTURED, 422),
        ("[]", STRUCTURED, 422),
        ("{}", BATCHED, 422),
        (json.dumps(event(specversion="0.3")), STRUCTURED, 422),
        (json.dumps(event(time="yesterday")), STRUCTURED, 422),
        (json.dumps(event(data={"key": "a"})), STRUCTURED, 422),
        (json.dumps(event(data=None)), STRUCTURED, 422),
        (json.dumps([event()] * 1_001), BATCHED, 422),
    ],
)
def test_what_is_no_event_of_ours_is_refused(
    institution: TestClient, body: str, headers: dict[str, str], status: int
) -> None:
    answer = institution.post("/v1/events", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_log_is_read_from_a_cursor(push: Push, institution: TestClient, consumer: TestClient) -> None:
    push(key="a", title="Nabór na bony")
    push(key="a", title="Nabór przedłużony")
    institution.delete("/v1/notices/a")
    first = consumer.get("/v1/events?limit=2").json()
    assert [one["type"] for one in first["items"]] == [
        "pl.goniec.notice.published.v1",
        "pl.goniec.notice.revised.v1",
    ]
    assert first["items"][0]["data"]["title"] == "Nabór na bony"
    rest = consumer.get("/v1/events", params={"after": first["next"]}).json()
    assert [one["type"] for one in rest["items"]] == ["pl.goniec.notice.withdrawn.v1"]
    assert consumer.get("/v1/events", params={"after": rest["next"]}).json() == {
        "items": [],
        "next": rest["next"],
    }


@pytest.mark.parametrize("after", ["x", "1-", "-1", "1-99999999999999999999", "%00"])
def test_a_foreign_cursor_is_refused(consumer: TestClient, after: str) -> None:
    assert consumer.get(f"/v1/events?after={after}").status_code == 422
