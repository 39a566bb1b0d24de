"""Parts as processes: kept alive, drained in order, gone with their parent."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from services.settings import Settings, of
from workers.children import ROOT, Child, Children

STAY = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(60)"
NOTE = (
    "import pathlib, signal, sys, time\n"
    "def leave(*_):\n"
    "    time.sleep(float(sys.argv[3]))\n"
    "    with pathlib.Path(sys.argv[1]).open('a') as notes: notes.write(sys.argv[2])\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, leave)\n"
    "pathlib.Path(sys.argv[1] + sys.argv[2]).touch()\n"
    "time.sleep(60)"
)
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"
PARENT = """
import sys, time
from pathlib import Path
from services import log
from services.settings import of
from workers.children import Child, Children
log.configure("text")
stay = Child("stay", (sys.executable, "-c", "import time; time.sleep(60)"))
children = Children(of(data_dir=Path(sys.argv[1])), [stay])
children.tend()
time.sleep(0.5)
print(children.pids()["stay"], flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return of(data_dir=tmp_path / "data")


def script(code: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *(str(argument) for argument in arguments))


def wait_until(is_so: Callable[[], object], within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)


def test_a_part_that_dies_is_started_again_after_a_while(settings: Settings) -> None:
    children = Children(settings, [Child("stay", script(STAY))])
    children.tend()
    first = children.pids()["stay"]
    psutil.Process(first).kill()

    def is_another() -> bool:
        children.tend()
        return children.pids().get("stay", first) != first

    wait_until(is_another)
    children.drain()


def test_what_dies_at_once_is_not_started_in_a_frenzy(settings: Settings, tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    child = Child("brief", script(f"open({str(tally)!r}, 'a').write('x')"))
    children = Children(settings, [child])
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        children.tend()
        time.sleep(0.02)
    children.drain()
    assert 1 <= len(tally.read_text()) <= 3


def test_those_that_drain_first_have_ended_before_the_others_are_asked(
    settings: Settings, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    children = Children(
        settings,
        [
            Child("stands under", script(NOTE, notes, "b", 0)),
            Child("stands above", script(NOTE, notes, "a", 0.3), drains_first=True),
        ],
    )
    children.tend()
    wait_until(lambda: all((tmp_path / f"notes{mark}").exists() for mark in "ab"))
    children.drain()
    assert notes.read_text() == "ab"


def test_a_part_that_will_not_go_is_killed(settings: Settings) -> None:
    children = Children(settings, [Child("deaf", script(DEAF))])
    children.tend()
    time.sleep(0.3)
    pid = children.pids()["deaf"]
    children.drain(within_s=0.3)
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_parts_end_with_a_parent_that_is_killed_outright(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout
    part = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([part], timeout=5)
    assert gone
