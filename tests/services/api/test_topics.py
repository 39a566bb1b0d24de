"""What topics mean, read by anybody and defined by the operator."""

import pytest
from starlette.testclient import TestClient

from services.domain import topics


@pytest.mark.parametrize("topic", topics.TOPICS)
def test_a_definition_that_was_read_can_be_sent_back(
    anyone: TestClient, operator: TestClient, topic: str
) -> None:
    query = anyone.get(f"/v1/topics/{topic}").json()["query"]
    told = operator.put(f"/v1/topics/{topic}", json={"query": query}, params={"preview": True})
    assert (told.status_code, told.json()["gained"], told.json()["lost"]) == (200, 0, 0)


def test_a_topic_is_not_defined_by_topics(operator: TestClient) -> None:
    told = operator.put("/v1/topics/food", json={"query": "miód OR topic:health"})
    assert (told.status_code, told.json()["column"], told.json()["reason"]) == (422, 9, "topic_field")
