"""Notices over HTTP: pushed once however often they come, taken back for good, read by anyone."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from services.manage import accounts
from services.runtime import Runtime
from tests.services.api.conftest import MakeClient, Push

NOTICE: dict[str, Any] = {"key": "2026/114", "title": "Nabór na bony", "kind": "call", "topics": ["funding"]}


def test_a_new_notice_is_published(institution: TestClient) -> None:
    answer = institution.post("/v1/notices", json=NOTICE)
    assert answer.status_code == 201
    told = answer.json()
    assert told["key"] == "2026/114"
    assert told["outcome"] == "published"
    assert told["revision"] == 1
    assert institution.get(answer.headers["location"]).json()["title"] == "Nabór na bony"


def test_the_same_notice_again_changes_nothing(institution: TestClient) -> None:
    first = institution.post("/v1/notices", json=NOTICE).json()
    again = institution.post("/v1/notices", json=NOTICE)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert again.json()["id"] == first["id"]


def test_a_changed_notice_is_revised(institution: TestClient) -> None:
    institution.post("/v1/notices", json=NOTICE)
    answer = institution.post("/v1/notices", json={**NOTICE, "title": "Nabór przedłużony"})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["revision"]) == (200, "revised", 2)


def test_a_withdrawn_notice_does_not_come_back(institution: TestClient) -> None:
    institution.post("/v1/notices", json=NOTICE)
    assert institution.delete("/v1/notices/2026/114").json()["outcome"] == "withdrawn"
    assert institution.delete("/v1/notices/2026%2F114").status_code == 200
    answer = institution.post("/v1/notices", json=NOTICE)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_only_its_own_institution_takes_a_notice_back(
    rt: Runtime, institution: TestClient, make_client: MakeClient
) -> None:
    from services.manage import institutions

    other = institutions.add(rt, name="Miasto Toruń", kind="local_government")
    institution.post("/v1/notices", json=NOTICE)
    client = make_client(key=accounts.create_key(rt, institution=other.slug).key)
    assert client.delete("/v1/notices/2026/114").status_code == 404


def test_every_field_of_a_notice_comes_out_again(institution: TestClient, anyone: TestClient) -> None:
    whole = {
        **NOTICE,
        "summary": "Wnioski do 15 stycznia.",
        "body_html": "<p>Treść<script>alert(1)</script></p>",
        "url": "https://um.example/nabor/114",
        "language": "pl",
        "places": ["0463011"],
        "audience": ["company"],
        "deadline_at": "2027-01-15T15:30:00+01:00",
        "starts_at": "2026-12-01T10:00:00Z",
        "ends_at": "2026-12-01T12:00:00Z",
        "commercial": True,
        "urgent": True,
    }
    notice_id = institution.post("/v1/notices", json=whole).json()["id"]
    told = anyone.get(f"/v1/notices/{notice_id}").json()
    for name in ("key", "title", "kind", "topics", "summary", "url", "language", "places", "audience"):
        assert told[name] == whole[name], name
    assert told["deadline_at"] == "2027-01-15T14:30:00Z"
    assert told["body_html"] == "<p>Treść</p>"
    assert told["commercial"] is True
    assert told["institution"] == {"slug": "urzad-marszalkowski", "name": "Urząd Marszałkowski"}


def test_one_bad_item_of_a_batch_harms_no_other(institution: TestClient) -> None:
    items = [NOTICE, {"key": "b"}, "text", {**NOTICE, "key": "c", "title": "Drugi"}, None, {**NOTICE, "x": 1}]
    answer = institution.post("/v1/notices/batch", json={"items": items})
    assert answer.status_code == 200
    found = answer.json()["items"]
    assert [one["index"] for one in found] == [0, 1, 2, 3, 4, 5]
    assert [one["outcome"] for one in found] == [
        "published", "refused", "refused", "published", "refused", "refused",
    ]  # fmt: skip
    assert found[1]["error"] == "title: This is missing."
    assert found[5]["error"] == "x: There is no such field."


def test_a_batch_may_be_a_bare_list(institution: TestClient) -> None:
    answer = institution.post("/v1/notices/batch", json=[{**NOTICE, "key": "a"}, {**NOTICE, "key": "b"}])

    assert [item["outcome"] for item in answer.json()["items"]] == ["published", "published"]


def test_a_batch_of_a_thousand_is_taken(institution: TestClient, anyone: TestClient) -> None:
    items = [{"key": str(n), "title": f"Notice {n}"} for n in range(1_000)]
    answer = institution.post("/v1/notices/batch", json={"items": items})
    assert {one["outcome"] for one in answer.json()["items"]} == {"published"}
    assert institution.post("/v1/notices/batch", json={"items": [*items, items[0]]}).status_code == 422
    first = anyone.get("/v1/notices?limit=200").json()
    rest = anyone.get("/v1/notices", params={"limit": 200, "after": first["next"]}).json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert len(set(ids)) == 400


def test_a_query_chooses_notices(push: Push, anyone: TestClient) -> None:
    push(key="a", title="Nabór na bony", topics=["funding"])
    push(key="b", title="Koncert w parku", topics=["social"])
    found = anyone.get("/v1/notices", params={"q": "topic:funding"}).json()
    assert [one["key"] for one in found["items"]] == ["a"]
    assert found["next"] is None


def test_a_broken_query_names_its_place(anyone: TestClient) -> None:
    answer = anyone.get("/v1/notices", params={"q": "topic:funding (place:torun"})
    assert answer.status_code == 422
    told = answer.json()
    assert told["code"] == "bad-query"
    assert isinstance(told["column"], int)
    assert told["expected"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"title": " \t"}, "/title"),
        ({"title": "\u0000"}, "/title"),
        ({"title": "x\u0000y"}, "/title"),
        ({"title": "x" * 501}, "/title"),
        ({"title": 5}, "/title"),
        ({"key": ""}, "/key"),
        ({"kind": "gossip"}, "/kind"),
        ({"url": "javascript:alert(1)"}, "/url"),
        ({"url": "https://user@host/"}, "/url"),
        ({"url": "http://[::1"}, "/url"),
        ({"url": "https://a.example/\r\nX: y"}, "/url"),
        ({"language": "polish"}, "/language"),
        ({"topics": ["gossip"]}, "/topics/0"),
        ({"topics": ["funding"] * 21}, "/topics"),
        ({"places": ["Atlantis"]}, "/places/0"),
        ({"audience": ["martian"]}, "/audience/0"),
        ({"deadline_at": "2026-12-01"}, "/deadline_at"),
        ({"deadline_at": "2026-12-01T10:00:00"}, "/deadline_at"),
        ({"deadline_at": 1_800_000_000}, "/deadline_at"),
        ({"deadline_at": "0001-01-01T00:00:00+14:00"}, "/deadline_at"),
        ({"deadline_at": "9999-12-31T23:59:59-14:00"}, "/deadline_at"),
        ({"deadline_at": "2026-02-30T10:00:00Z"}, "/deadline_at"),
        ({"commercial": "yes"}, "/commercial"),
        ({"commercial": 1}, "/commercial"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    institution: TestClient, wrong: dict[str, object], pointer: str
) -> None:
    answer = institution.post("/v1/notices", json={**NOTICE, **wrong})
    assert answer.status_code == 422
    told = answer.json()
    assert told["code"] == "invalid"
    assert pointer in [one["pointer"] for one in told["errors"]]


def test_half_a_character_is_refused(institution: TestClient) -> None:
    body = b'{"key": "a", "title": "\\ud800", "\\udfff": 1}'
    answer = institution.post("/v1/notices", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "The text holds half a character (a lone surrogate)."


@pytest.mark.parametrize("notice_id", ["0", "-1", "x", "9223372036854775808", "1e3", "%00"])
def test_what_is_no_id_is_refused(anyone: TestClient, notice_id: str) -> None:
    assert anyone.get(f"/v1/notices/{notice_id}").status_code == 422


def test_an_unknown_notice_is_not_found(anyone: TestClient) -> None:
    answer = anyone.get("/v1/notices/9223372036854775807")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("after", ["x", "AAAA", "%00", "9" * 30, "ą"])
def test_a_foreign_cursor_is_refused(anyone: TestClient, after: str) -> None:
    assert anyone.get(f"/v1/notices?after={after}").status_code == 422
