"""A command with no address set: it uses the Goniec that runs on its folder, or brings its own engines."""

import json
import os
import subprocess
import sys
from pathlib import Path

from services import embedded, settings
from workers.children import ROOT


def goniec(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith("GONIEC_")}
    return subprocess.run(
        [sys.executable, "-m", "services.cli", f"--data-dir={folder}", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_fresh_folder_becomes_a_working_one_and_nothing_stays_running(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = goniec(folder, "institution", "add", "Urząd", "--kind", "local_government")
    assert made.returncode == 0, made.stderr
    listed = goniec(folder, "institution", "list", "--json")
    assert [one["slug"] for one in json.loads(listed.stdout)] == ["urzad"]
    embedded.start(settings.of(data_dir=folder, secret_key="x" * 20)).stop()  # nobody holds it


def test_commands_use_the_engines_that_run_on_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded.start(settings.of(data_dir=folder, secret_key="x" * 20), durable=False):
        migrated = goniec(folder, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        made = goniec(folder, "key", "create", "--consumer", "Portal")
        assert made.stdout.startswith("gon_"), made.stderr
