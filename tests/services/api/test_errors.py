"""Every refusal is problem+json with a stable code, and repeats nothing of what was sent."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.runtime import Runtime
from tests.services.api.conftest import MakeClient

JSON = {"Content-Type": "application/json"}


def problem(answer: Any) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, object] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"] == f"urn:goniec:problem:{told['code']}"
    assert told["title"]
    assert told["detail"]
    return told


@pytest.mark.parametrize("key", ["", "gon_short", "gon_" + "x" * 43, "żółw", "a b"])
def test_a_wrong_key_is_refused_and_not_repeated(anyone: TestClient, key: str) -> None:
    answer = anyone.post("/v1/notices", json={}, headers={b"Authorization": f"Bearer {key}".encode()})
    assert answer.status_code == 401
    assert problem(answer)["code"] == "unauthorized"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "x" * 43 not in answer.text


def test_without_a_key_nothing_is_looked_at(anyone: TestClient) -> None:
    assert problem(anyone.post("/v1/notices", json={"nonsense": 1}))["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/notices/batch"), ("DELETE", "/v1/notices/a"), ("POST", "/v1/events")],
)
def test_a_consumer_publishes_nothing(consumer: TestClient, method: str, path: str) -> None:
    answer = consumer.request(method, path, json={})
    assert (answer.status_code, problem(answer)["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/v1/endpoints", "/v1/events"])
def test_an_institution_reads_nothing_of_consumers(institution: TestClient, path: str) -> None:
    assert problem(institution.get(path))["code"] == "forbidden"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
def test_a_body_that_is_not_called_json_is_refused(institution: TestClient, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = institution.post("/v1/notices", content=b'{"key": "a", "title": "x"}', headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b'{"key": ' + b"[" * 200_000, b"9" * 5_000, b"", b"{} {}", b"nul"]
)
def test_a_body_that_is_not_json_is_refused(institution: TestClient, body: bytes) -> None:
    answer = institution.post("/v1/notices", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    problem(answer)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("null", "body: This is not a JSON object."),
        (
            '{"key": "a", "title": "a\\u0000"}',
            "title: The text holds the NUL character, which cannot be stored.",
        ),
    ],
)
def test_a_fault_is_told_in_one_sentence(institution: TestClient, body: str, told: str) -> None:
    assert problem(institution.post("/v1/notices", content=body, headers=JSON))["detail"] == told


def test_a_fault_in_json_has_its_place(institution: TestClient) -> None:
    told = problem(institution.post("/v1/notices", content=b'{"key": oops}', headers=JSON))
    assert told["code"] == "malformed"
    assert "character 8" in str(told["detail"])


def test_an_oversized_body_is_refused(institution: TestClient) -> None:
    answer = institution.post("/v1/notices", content=b"[" + b" " * 1_000_001, headers=JSON)
    assert (answer.status_code, problem(answer)["code"]) == (413, "too-large")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/notices/", "/v1/%00", "/feeds/notices.xml"])
def test_what_is_nowhere_is_not_found(anyone: TestClient, path: str) -> None:
    answer = anyone.get(path)
    assert answer.status_code in (404, 405, 422)
    problem(answer)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/notices", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/v1/notices/7", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/v1/subscribers", "OPTIONS, POST"),
        ("TRACE", "/v1/events", "GET, HEAD, OPTIONS, POST"),
        ("PROPFIND", "/v1/endpoints/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    ],
)
def test_another_method_is_told_what_is_allowed(
    anyone: TestClient, method: str, path: str, allow: str
) -> None:
    answer = anyone.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert problem(answer)["code"] == "method-not-allowed"


def test_options_tells_the_methods(anyone: TestClient) -> None:
    answer = anyone.options("/v1/notices")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_head_is_get_without_the_body(anyone: TestClient) -> None:
    got, head = anyone.get("/v1/notices"), anyone.head("/v1/notices")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert anyone.head("/v1/subscribers").status_code == 405


@pytest.mark.parametrize(
    "path", ["/v1/notices", "/v1/nothing", "/healthz", "/feeds/notices.rss", "/openapi.json"]
)
def test_every_answer_carries_safe_headers(anyone: TestClient, path: str) -> None:
    headers = anyone.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"]
    assert headers["cache-control"]
    assert "server" not in headers


def test_over_https_browsers_are_told_to_stay_there(open_runtime: object) -> None:
    assert callable(open_runtime)
    rt: Runtime = open_runtime(base_url="https://goniec.example")
    with TestClient(make_app(rt)) as client:
        assert client.get("/healthz").headers["strict-transport-security"]


def test_a_fault_of_ours_tells_nothing_of_itself(rt: Runtime) -> None:
    app = make_app(rt)

    @app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("a secret: reader@example.com")

    with TestClient(app) as client:
        answer = client.get("/v1/broken")
    assert (answer.status_code, problem(answer)["code"]) == (500, "internal")
    assert "reader@example.com" not in answer.text


def test_without_its_database_the_service_says_so(open_runtime: object) -> None:
    assert callable(open_runtime)
    rt: Runtime = open_runtime(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    with TestClient(make_app(rt)) as client:
        answer = client.get("/v1/notices")
        assert (answer.status_code, problem(answer)["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert [one["name"] for one in ready.json()["checks"] if not one["is_ok"]] == ["database"]
        assert client.get("/healthz").status_code == 200
        assert client.get("/metrics").status_code == 200


def test_trouble_on_a_page_is_a_page(make_client: MakeClient) -> None:
    answer = make_client().get("/nowhere-at-all")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_the_batch_is_no_notice(anyone: TestClient, method: str) -> None:
    answer = anyone.request(method, "/v1/notices/batch")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
