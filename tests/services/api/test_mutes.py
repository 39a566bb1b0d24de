"""What a person mutes over the API."""

import pytest
from starlette.testclient import TestClient


def test_a_person_mutes_a_word_and_lifts_it(subscriber: TestClient) -> None:
    made = subscriber.post("/v1/mutes", json={"kind": "word", "value": "hulajnoga"})
    assert (made.status_code, made.json()["label"]) == (201, "hulajnoga")
    assert [one["id"] for one in subscriber.get("/v1/mutes").json()["items"]] == [made.json()["id"]]
    assert subscriber.delete(f"/v1/mutes/{made.json()['id']}").status_code == 204
    assert subscriber.get("/v1/mutes").json()["items"] == []
    assert subscriber.delete(f"/v1/mutes/{made.json()['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"kind": "word", "value": "(x"}, 422), ({"kind": "colour", "value": "x"}, 422),
        ({"kind": "institution", "value": "nobody"}, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_muted_is_told(subscriber: TestClient, wrong: dict[str, str], status: int) -> None:
    assert subscriber.post("/v1/mutes", json=wrong).status_code == status


def test_a_time_that_has_passed_ends_a_mute(subscriber: TestClient) -> None:
    subscriber.post("/v1/mutes", json={"kind": "word", "value": "hulajnoga"})
    over = {"kind": "word", "value": "hulajnoga", "until": "2020-01-01T00:00:00Z"}
    assert subscriber.post("/v1/mutes", json=over).status_code == 201
    assert subscriber.get("/v1/mutes").json()["items"] == []


def test_nobody_mutes_without_a_token(anyone: TestClient) -> None:
    assert anyone.get("/v1/mutes").status_code == 401
