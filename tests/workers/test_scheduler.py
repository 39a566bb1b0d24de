"""The sweep's clock: it rings what is due and outlives every outage."""

from collections.abc import Iterable

import pytest

from services.queue import NAMESPACE, connect
from services.runtime import Runtime
from workers import scheduler


def rounds(number: int, waited: list[float]) -> scheduler.Wait:
    """Waits without waiting, and ends after some rounds."""

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) > number

    return wait


def test_due_stages_are_rung(rt: Runtime) -> None:
    scheduler.loop(rt, lambda _: ["poll", "deliver_mail"], wait=rounds(1, []))
    client = connect(rt.settings.redis_url or "")
    lengths = {stage: client.llen(f"{NAMESPACE}:{stage}") for stage in ("poll", "match", "deliver_mail")}
    client.close()
    assert lengths == {"poll": 1, "match": 0, "deliver_mail": 1}


def test_an_outage_is_waited_out_ever_longer_and_then_forgotten(rt: Runtime) -> None:
    answers: list[Iterable[str] | Exception] = [*[OSError("away")] * 5, [], []]
    waited: list[float] = []

    def due(_: Runtime) -> Iterable[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    scheduler.loop(rt, due, wait=rounds(7, waited))
    assert waited == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 1.0, 1.0]


@pytest.mark.parametrize(("failures", "delay_s"), [(0, 1.0), (1, 2.0), (3, 8.0), (4, 10.0), (10_000, 10.0)])
def test_the_delay_is_bounded(failures: int, delay_s: float) -> None:
    assert scheduler.delay_s(failures) == delay_s
