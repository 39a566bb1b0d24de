"""The worker and scheduler processes: they end when asked, whatever else is going on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services import embedded
from services.embedded import Engines
from services.settings import Settings, child_environment
from workers.children import ROOT

WORKER = "from services import log, settings; from workers import main; log.configure('text'); "
WORKER += "raise SystemExit(main.run(settings.load()))"
SCHEDULER = "from services import log, settings; from workers import scheduler; log.configure('text'); "
SCHEDULER += "raise SystemExit(scheduler.run(settings.load()))"
Start = Callable[[str, Settings, str], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process and waits until it says that it has started."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, settings: Settings, sign: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=child_environment(settings),
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr
        said = ""
        while sign not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("code", "sign"), [(WORKER, "worker.started"), (SCHEDULER, "scheduler.started")])
def test_a_process_ends_within_seconds_when_asked(
    make_settings: Callable[..., Settings], start: Start, code: str, sign: str, number: signal.Signals
) -> None:
    process = start(code, make_settings(), sign)
    time.sleep(0.5)
    asked_at = time.monotonic()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert time.monotonic() - asked_at < 5


@pytest.fixture
def own_engines(tmp_path: Path) -> Iterator[Engines]:
    with embedded.start_scratch(tmp_path / "own") as engines:
        yield engines


@pytest.mark.parametrize(("code", "sign"), [(WORKER, "worker.started"), (SCHEDULER, "scheduler.started")])
def test_a_process_outlives_its_engines_and_still_ends_when_asked(
    own_engines: Engines, start: Start, code: str, sign: str
) -> None:
    process = start(code, own_engines.settings, sign)
    assert own_engines.redis
    assert own_engines.postgres
    own_engines.redis.kill()
    own_engines.postgres.kill()
    time.sleep(3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(25) == 0
