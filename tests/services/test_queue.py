"""The doorbell: it wakes, it does not pile up, and it never raises."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from services.embedded import Engines
from services.queue import NAMESPACE, Doorbell, Stage, connect


@pytest.fixture
def client(engines: Engines) -> Iterator["redis.Redis"]:
    connected = connect(engines.redis_url)
    connected.flushall()
    yield connected
    connected.close()


@pytest.fixture
def bell(engines: Engines, client: "redis.Redis") -> Iterator[Doorbell]:  # noqa: ARG001  # flushed first
    built = Doorbell(engines.redis_url)
    yield built
    built.close()


def waiting(client: "redis.Redis", stage: str) -> int:
    return int(client.llen(f"{NAMESPACE}:{stage}"))


def test_a_ring_waits_in_the_queue_of_its_stage(bell: Doorbell, client: "redis.Redis") -> None:
    bell.ring(Stage.MATCH)
    bell.ring("deliver_mail")
    assert (waiting(client, "match"), waiting(client, "deliver_mail"), waiting(client, "poll")) == (1, 1, 0)


def test_rings_that_nobody_answered_yet_are_one(bell: Doorbell, client: "redis.Redis") -> None:
    for _ in range(100):
        bell.ring(Stage.MATCH)
    assert waiting(client, "match") == 1


def test_a_ring_after_the_answer_counts(bell: Doorbell, client: "redis.Redis") -> None:
    bell.ring(Stage.MATCH)
    bell.answered(Stage.MATCH)
    bell.ring(Stage.MATCH)
    assert waiting(client, "match") == 2


def test_an_unanswered_ring_does_not_silence_the_stage_for_long(
    bell: Doorbell, client: "redis.Redis"
) -> None:
    bell.ring(Stage.MATCH)
    left_ms = client.pttl("goniec:rung:match")
    assert 0 < int(left_ms) <= 3_000


def test_an_emptied_redis_is_no_harm(bell: Doorbell, client: "redis.Redis") -> None:
    bell.ring(Stage.MATCH)
    client.flushall()
    bell.ring(Stage.MATCH)
    assert waiting(client, "match") == 1


def test_a_dead_redis_is_no_harm(tmp_path: Path) -> None:
    bell = Doorbell(f"unix://{tmp_path}/nobody.sock")
    bell.ring(Stage.MATCH)
    bell.answered(Stage.MATCH)
    assert not bell.is_there()
    bell.close()


def test_an_unknown_stage_is_a_mistake_of_ours(bell: Doorbell) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        bell.ring("nonsense")
