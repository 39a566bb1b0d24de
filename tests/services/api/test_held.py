"""The operator sees readings that are held and decides; nobody else may."""

import pytest
from starlette.testclient import TestClient

from services.domain.drafts import Draft
from services.manage import source_health
from services.runtime import Runtime
from services.storage import held
from tests.factories import counts, feed, rows

EVENTS = "SELECT kind, count(*) FROM notices GROUP BY kind"


@pytest.fixture
def held_id(rt: Runtime) -> int:
    """A reading of three that waits."""
    source_id = feed(rt, "http://127.0.0.1:9/feed.xml?key=sesame")
    drafts = [Draft(key=str(n), title=f"Wpis {n}", url=f"https://miasto.example/{n}") for n in range(3)]
    with rt.begin() as session:
        made = held.hold(session, source_id, drafts, reason="flood", now=rt.clock.now())
    assert made is not None
    return made


def test_what_is_held_is_shown_and_released_once(rt: Runtime, operator: TestClient, held_id: int) -> None:
    [one] = operator.get("/v1/held").json()["items"]
    assert (one["id"], one["reason"], [e["title"] for e in one["entries"]]) == (
        held_id, "flood", ["Wpis 0", "Wpis 1", "Wpis 2"],
    )  # fmt: skip
    answer = operator.post(f"/v1/held/{held_id}/release")
    assert (answer.status_code, answer.json()) == (200, {"id": held_id, "published": 3, "dropped": 0})
    assert operator.post(f"/v1/held/{held_id}/release").status_code == 409
    assert operator.get("/v1/held").json() == {"items": [], "next": None}
    assert counts(rt, EVENTS) == {"news": 3}


def test_what_is_dropped_is_never_published(rt: Runtime, operator: TestClient, held_id: int) -> None:
    assert operator.post(f"/v1/held/{held_id}/drop").json()["dropped"] == 3
    assert operator.post(f"/v1/held/{held_id + 1}/drop").status_code == 404
    assert counts(rt, EVENTS) == {}
    [line] = rows(rt, "SELECT actor, action FROM audit_lines WHERE action LIKE 'held.%'")
    assert line["action"] == "held.dropped"
    assert line["actor"] != "operator"  # the key that did it


def test_nobody_else_may(
    consumer: TestClient, institution: TestClient, anyone: TestClient, held_id: int
) -> None:
    assert anyone.get("/v1/held").status_code == 401
    for client in (consumer, institution):
        assert client.get("/v1/held").status_code == 403
        for way in ("release", "drop"):
            assert client.post(f"/v1/held/{held_id}/{way}").status_code == 403


@pytest.mark.usefixtures("held_id")
def test_the_operator_gets_word_of_a_held_reading_once(rt: Runtime) -> None:
    assert source_health.watch(rt) == 1
    assert source_health.watch(rt) == 0
    [told] = rows(rt, "SELECT kind, title, summary FROM notices")
    assert told["kind"] == "operation"
    assert told["title"].startswith("A reading of source ")
    assert "five times" in told["summary"]
    assert "sesame" not in told["title"] + told["summary"]  # anyone may ask for kind:operation
