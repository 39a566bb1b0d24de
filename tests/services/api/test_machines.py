"""What watching machines read, and the description of it all."""

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from services.runtime import Runtime
from tests.services.api.conftest import Push


def test_a_living_process_says_so(anyone: TestClient) -> None:
    assert anyone.get("/healthz").json() == {"status": "alive"}


def test_a_ready_process_names_what_it_checked(anyone: TestClient) -> None:
    answer = anyone.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["is_ok"] is True
    assert {"database", "redis", "disk"} <= {one["name"] for one in answer.json()["checks"]}


def test_figures_tell_what_waits(rt: Runtime, push: Push, anyone: TestClient) -> None:
    rt.metrics.attempts("email", "sent", 3)
    push(key="a")
    answer = anyone.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}
    waiting = {one.labels["stage"]: one.value for one in families["goniec_rows_waiting"].samples}
    assert waiting["match"] == 1
    assert families["goniec_attempts"].samples[0].value == 3


def test_the_description_names_every_call(anyone: TestClient) -> None:
    told = anyone.get("/openapi.json").json()
    calls = {f"{method.upper()} {path}" for path, known in told["paths"].items() for method in known}
    assert calls >= {
        "POST /v1/notices",
        "POST /v1/notices/batch",
        "DELETE /v1/notices/{notice}",
        "GET /v1/notices",
        "GET /v1/notices/{notice}",
        "POST /v1/events",
        "GET /v1/events",
        "GET /v1/interests/check",
        "POST /v1/subscribers",
        "GET /v1/subscriptions",
        "PATCH /v1/subscriptions/{subscription}",
        "DELETE /v1/subscriptions/{subscription}",
        "POST /v1/endpoints",
        "GET /v1/endpoints",
        "PATCH /v1/endpoints/{endpoint}",
        "DELETE /v1/endpoints/{endpoint}",
        "POST /v1/endpoints/{endpoint}/test",
        "POST /v1/endpoints/{endpoint}/rotate",
        "GET /v1/endpoints/{endpoint}/deliveries",
        "POST /v1/endpoints/{endpoint}/check",
        "POST /v1/endpoints/{endpoint}/replays",
        "DELETE /v1/endpoints/{endpoint}/replays/{replay}",
        "POST /v1/endpoints/{endpoint}/deliveries/{delivery}/resend",
        "GET /v1/deliveries/why",
        "GET /feeds/notices.rss",
        "GET /feeds/notices.atom",
        "GET /feeds/notices.json",
        "GET /feeds/notices.ics",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    }
    schemas = told["components"]["schemas"]
    assert "Problem" in schemas
    assert "HTTPValidationError" not in schemas
    for path, known in told["paths"].items():
        for method, call in known.items():
            assert call.get("description"), (method, path)
            assert path in ("/healthz", "/readyz") or "429" in call["responses"], (method, path)
