"""The five minutes of an integrator, played for real: the example receiver passes and gets events."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import SystemClock
from services.manage import accounts, consumers, replays
from services.pipeline import deliver, replay
from services.runtime import Runtime
from tests import factories
from tests.conftest import OpenRuntime
from tests.docs import guides
from tests.docs.test_calls import HOOK, play
from tests.docs.test_receivers import EXAMPLES, Receiver, free_port, wait_for


@dataclass
class Integrator:
    """A client who starts the receiver as soon as there is a secret for it."""

    client: TestClient
    port: int
    printed: Path
    started: list[Receiver] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def request(self, method: str, url: str, **given: Any) -> Any:
        answer = self.client.request(method, url, **given)
        self.answers.append(answer.json())
        if "secret" in self.answers[-1]:
            self.start(self.answers[-1]["secret"])
        return answer

    def start(self, secret: str) -> None:
        with self.printed.open("wb") as out:  # a pipe that nobody reads would hold the receiver up
            process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / "receiver.py")],
                env={**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(self.port)},
                stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.started.append(Receiver(process, self.port))
        wait_for(self.started[-1])


@pytest.fixture
def rt(open_runtime: OpenRuntime) -> Runtime:
    return open_runtime(at=SystemClock())


@pytest.fixture
def integrator(rt: Runtime, tmp_path: Path) -> Iterator[Integrator]:
    with TestClient(make_app(rt)) as client:
        one = Integrator(client, free_port(), tmp_path / "printed")
        yield one
    for receiver in one.started:
        receiver.process.terminate()
        receiver.process.wait(10)


def test_the_five_minutes_end_with_verified_events(rt: Runtime, integrator: Integrator) -> None:
    factories.publish(rt, factories.draft("before", topics=("funding",)))
    factories.carry(rt)
    key = accounts.create_key(rt, consumer="Portal").key
    given = {"$KEY": key, HOOK: f"http://127.0.0.1:{integrator.port}/goniec", "2026-11-20": today(rt)}

    assert play("integrators.md", cast(TestClient, integrator), given) == 4

    report = integrator.answers[2]
    assert [(one["code"], one["came"]) for one in report["checks"] if one["verdict"] != "passed"] == []
    assert (report["is_ok"], len(report["checks"])) == (True, 10)
    replay.run(rt)
    deliver.run_webhooks(rt)
    factories.publish(rt, factories.draft("after", topics=("funding",)))
    factories.carry(rt)
    printed = integrator.printed.read_text(encoding="utf-8").splitlines()
    assert [sum(f'"key":"{name}"' in line for line in printed) for name in ("before", "after")] == [1, 1]


def today(rt: Runtime) -> str:
    """The day of the guide, as a day on which a replay can begin."""
    return f"{rt.clock.now() - replays.MAX_REPLAY / 2:%Y-%m-%d}"


def test_the_link_lasts_as_long_as_the_guide_says() -> None:
    assert f"works for {('seven' if consumers.LASTS.days == 7 else '?')} days" in guides.read(
        "integrators.md"
    )
