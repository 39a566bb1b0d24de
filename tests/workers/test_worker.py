"""A worker answers rings, outlives Redis, and drains when it is asked to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dramatiq import Worker
from structlog.testing import capture_logs

from services import embedded
from services.embedded import Engines
from services.errors import Unavailable
from services.queue import Doorbell, Stage
from services.runtime import Runtime
from workers import actors
from workers.broker import make_worker, open_worker_broker
from workers.main import drain

Stages = dict[Stage, Callable[[Runtime], object]]
StartWorker = Callable[[Runtime, Stages], Worker]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    started: list[Worker] = []

    def begin(rt: Runtime, stages: Stages) -> Worker:
        broker = open_worker_broker(rt.settings.redis_url or "")
        actors.declare(broker, rt, stages)
        worker = make_worker(broker, queues=frozenset(stages), threads=2)
        worker.start()
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        drain(worker, within_s=5)
        worker.broker.client.close()  # type: ignore[attr-defined]


def test_a_ring_runs_its_stage(rt: Runtime, start_worker: StartWorker) -> None:
    ran = threading.Event()
    start_worker(rt, {Stage.MATCH: lambda _: ran.set()})
    rt.bell.ring(Stage.MATCH)
    assert ran.wait(5)


def test_a_ring_while_the_stage_runs_makes_it_run_again(rt: Runtime, start_worker: StartWorker) -> None:
    runs: list[float] = []
    twice = threading.Event()

    def run(rt: Runtime) -> None:
        runs.append(time.monotonic())
        if len(runs) == 1:
            rt.bell.ring(Stage.MATCH)  # what is committed now came too late for this run
        else:
            twice.set()

    start_worker(rt, {Stage.MATCH: run})
    rt.bell.ring(Stage.MATCH)
    assert twice.wait(5)


def test_a_stage_that_fails_does_not_end_the_worker(rt: Runtime, start_worker: StartWorker) -> None:
    runs: list[int] = []
    recovered = threading.Event()

    def run(_: Runtime) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("the first time is bad luck")
        recovered.set()

    start_worker(rt, {Stage.MATCH: run})
    rt.bell.ring(Stage.MATCH)
    while not runs:
        time.sleep(0.01)
    rt.bell.ring(Stage.MATCH)
    assert recovered.wait(5)


def test_a_database_that_is_away_is_told_in_one_line(
    rt: Runtime, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def run(_: Runtime) -> None:
        raise Unavailable("The database cannot be reached.")

    worker = start_worker(rt, {Stage.MATCH: run})
    with capture_logs() as said:
        rt.bell.ring(Stage.MATCH)
        until = time.monotonic() + 5
        while not said and time.monotonic() < until:
            time.sleep(0.01)
        drain(worker, within_s=5)
    assert [line["event"] for line in said] == ["stage.interrupted"]
    assert "Traceback" not in caplog.text


def test_a_drained_worker_has_finished_what_it_had_in_hand(rt: Runtime, start_worker: StartWorker) -> None:
    begun, finished = threading.Event(), threading.Event()

    def run(rt: Runtime) -> None:
        begun.set()
        rt.stopping.wait(5)
        finished.set()

    worker = start_worker(rt, {Stage.DELIVER_MAIL: run})
    rt.bell.ring(Stage.DELIVER_MAIL)
    assert begun.wait(5)
    rt.stopping.set()
    assert drain(worker, within_s=5)
    assert finished.is_set()


def test_a_stopping_worker_begins_nothing(rt: Runtime, start_worker: StartWorker) -> None:
    ran = threading.Event()
    rt.stopping.set()
    worker = start_worker(rt, {Stage.MATCH: lambda _: ran.set()})
    rt.bell.ring(Stage.MATCH)
    time.sleep(0.5)
    assert not ran.is_set()
    assert drain(worker, within_s=5)


@pytest.fixture
def own_engines(tmp_path: Path) -> Iterator[Engines]:
    with embedded.start_scratch(tmp_path / "own") as engines:
        yield engines


def test_a_redis_that_dies_and_returns_does_not_end_the_worker(
    own_engines: Engines, start_worker: StartWorker
) -> None:
    rt = Runtime.open(own_engines.settings)
    ran = threading.Event()
    start_worker(rt, {Stage.MATCH: lambda _: ran.set()})
    assert own_engines.redis
    own_engines.redis.kill()
    rt.bell.ring(Stage.MATCH)
    own_engines.revive()
    bell = Doorbell(own_engines.redis_url)
    bell.ring(Stage.MATCH)
    assert ran.wait(15)
    bell.close()
    rt.close()
