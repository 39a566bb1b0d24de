"""The operator sees who is not written to, and may lift it; nobody else may."""

from starlette.testclient import TestClient

from services.manage import suppressions
from services.runtime import Runtime
from tests.factories import reader

ANNA, BEA = "anna@mail.example", "bea@mail.example"


def test_the_operator_sees_and_lifts(rt: Runtime, operator: TestClient) -> None:
    reader(rt, ANNA)
    suppressions.add(rt, ANNA)
    suppressions.add(rt, BEA)
    first = operator.get("/v1/suppressions", params={"limit": 1}).json()
    second = operator.get("/v1/suppressions", params={"limit": 1, "after": first["next"]}).json()
    assert [one["email"] for one in first["items"] + second["items"]] == [None, ANNA]
    assert second["next"] is None
    assert operator.delete(f"/v1/suppressions/{BEA}").status_code == 204
    assert operator.delete(f"/v1/suppressions/{BEA}").status_code == 404
    assert len(operator.get("/v1/suppressions").json()["items"]) == 1


def test_nobody_else_may(consumer: TestClient, institution: TestClient, anyone: TestClient) -> None:
    assert anyone.get("/v1/suppressions").status_code == 401
    for client in (consumer, institution):
        assert client.get("/v1/suppressions").status_code == 403
        assert client.delete(f"/v1/suppressions/{ANNA}").status_code == 403
