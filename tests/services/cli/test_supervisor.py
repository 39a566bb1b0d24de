"""`goniec up`: one command, everything under one parent, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.cli import supervisor
from services.errors import SettingsError
from services.settings import of
from workers.children import ROOT

Up = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def up(tmp_path: Path, port: int) -> Iterator[Up]:
    """Starts `goniec up` in a folder of its own; ends what is left of it afterwards."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("GONIEC_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up", f"--port={port}", f"--data-dir={tmp_path / 'data'}"],
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def answers(port: int, within_s: float = 60.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def until_told(process: subprocess.Popen[str]) -> str:
    """What `goniec up` prints, as far as the last line of its announcement."""
    assert process.stdout
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("Stop it with"):
            break
    return "".join(told)


@pytest.mark.long
def test_everything_comes_up_mends_itself_and_leaves_nothing_behind(up: Up, port: int) -> None:
    process = up()
    said = until_told(process)
    assert answers(port)
    web = next(part for part in psutil.Process(process.pid).children() if part.cmdline()[-1:] == ["web"])
    web.kill()
    web.wait(10)
    assert answers(port)
    parts = psutil.Process(process.pid).children(recursive=True)
    assert len(parts) >= 5
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=40)
    assert process.returncode == 0, rest
    assert f"http://localhost:{port}/" in said
    assert not [part for part in parts if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.long
def test_all_end_with_a_parent_that_is_killed_outright(up: Up, port: int) -> None:
    process = up()
    assert answers(port)
    parts = psutil.Process(process.pid).children()
    process.kill()
    gone, left = psutil.wait_procs(parts, timeout=30)
    assert gone
    assert not left


def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="GONIEC_PORT"):
            supervisor.check_port(taken.getsockname()[1])


def test_the_addresses_are_told_plainly(tmp_path: Path) -> None:
    said = supervisor.announcement(of(data_dir=tmp_path), [("Webhook receiver", "http://localhost:9009/")])
    assert "http://localhost:8000/outbox" in said
    assert "Webhook receiver" in said
    elsewhere = of(
        data_dir=tmp_path,
        mail="smtp",
        smtp_url="smtp://mail",
        mail_from="a@b.example",
        base_url="https://g.example",
    )
    assert "outbox" not in supervisor.announcement(elsewhere)
