"""A whole Goniec as `goniec up` runs it, in a folder of its own, between a mail server and a receiver.

Nothing is put in behind its back: notices come by feed or push, and what counts is what arrives outside.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import redis

from services import embedded
from services import settings as settings_module
from services.runtime import Runtime
from services.settings import Settings, child_environment
from workers.children import ROOT

WORKERS = 2
START_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class House:
    """Use as a context manager; `rt` looks at the same database from outside.

    `given` are further settings.
    """

    def __init__(self, folder: Path, *, smtp_url: str, workers: int = WORKERS, **given: Any) -> None:
        self.settings = settings_module.of(
            data_dir=folder / "data",
            port=_free_port(),
            secret_key="a secret for journeys that nobody knows",
            mail="smtp",
            smtp_url=smtp_url,
            mail_from="Goniec <goniec@goniec.example>",
            allow_networks="127.0.0.0/8",
            log="json",
            **given,
        )
        self._log = folder / "house.log"
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None
        self._rt: Runtime | None = None

    @property
    def rt(self) -> Runtime:
        assert self._rt is not None
        return self._rt

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        self._rt = Runtime.open(self.connected())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rt is not None:
            self._rt.close()
        self.stop()

    def start(self) -> None:
        command = [sys.executable, "-m", "services.cli", "up", f"--workers={self._workers}"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=child_environment(self.settings), stdout=output, stderr=output
            )
        self.wait(self.is_ready, within_s=START_WITHIN_S)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def connected(self) -> Settings:
        """The settings with the addresses of the engines that run there."""
        return embedded.connect(self.settings).settings

    def is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it did not start:\n{self.log[-3000:]}"
        try:
            return self.ask("GET", "/readyz").status == 200 and len(self.pids("worker")) == self._workers
        except OSError:
            return False

    def wait(self, until: Callable[[], bool], *, within_s: float = 30.0) -> float:
        """Seconds until it came true; an AssertionError when it does not."""
        began = time.monotonic()
        while not until():
            assert time.monotonic() - began < within_s, f"not within {within_s} s:\n{self.log[-3000:]}"
            time.sleep(0.05)
        return time.monotonic() - began

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        raw: bytes | None = None,
        media_type: str = "application/json",
    ) -> Answer:
        """One call of the API, or one form."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=20)
        headers = {"Content-Type": media_type}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, path, raw if raw is not None else _encoded(body), headers)
            given = connection.getresponse()
            named = {name.lower(): value for name, value in given.getheaders()}
            return Answer(given.status, named, given.read())
        finally:
            connection.close()

    def pids(self, part: str) -> list[int]:
        """The processes of a part: worker, scheduler, web, postgres, redis-server."""
        assert self._process is not None
        found = []
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.Error):
                if child.name() == part or part in child.cmdline():
                    found.append(child.pid)
        return found

    def busy_worker(self) -> int:
        """A worker that is talking to the mail server now, if there is one."""
        port = int((self.settings.smtp_url or "").rpartition(":")[2])
        workers = self.pids("worker")
        for pid in workers:
            if any(one.raddr and one.raddr.port == port for one in psutil.Process(pid).net_connections()):
                return pid
        return workers[0]

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one process of a part; of workers to a busy one."""
        os.kill(self.busy_worker() if part == "worker" else self.pids(part)[0], number)

    def crash(self) -> None:
        """End every process of the house at once, as a power cut would."""
        assert self._process is not None
        everything = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        for process in everything:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(everything, timeout=10)

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self.rt.settings.redis_url or "") as client:
            client.flushall()


def _encoded(body: object) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
