"""The real application behind a real socket, against everything schemathesis makes of its description."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api.app import make_app
from services.clock import FrozenClock
from services.manage import accounts
from services.runtime import Runtime
from tests.services.api.conftest import FREE
from tests.services.api.serving import served

ROOT = Path(__file__).parents[3]
SEED = "20261123"
EXAMPLES = "12"
HOSTS = {name: ["127.0.0.1"] for name in ("hooks.example", "um.example")}  # of the examples


def config(keys: dict[str, str]) -> str:
    """The keys; and links as described alone: inferred ones take a notice's id for its institution's key."""
    told = [f'[auth.openapi.{scheme}]\nbearer = "{key}"\n' for scheme, key in keys.items()]
    return "\n".join([*told, "[phases.stateful.inference]\nalgorithms = []\n"])


@pytest.fixture
def reached(rt: Runtime, clock: FrozenClock) -> Iterator[Runtime]:
    """The runtime, for which the hosts of the examples have an address."""
    found = Runtime.open(rt.settings, clock=clock, resolve=HOSTS)
    yield found
    found.close()


@pytest.mark.long
@pytest.mark.usefixtures("push")
def test_the_api_does_what_its_description_says(
    reached: Runtime,
    tmp_path: Path,
    institution_key: str,
    consumer_key: str,
    subscriber_token: str,
) -> None:
    keys = {
        "institutionKey": institution_key,
        "consumerKey": consumer_key,
        "anyKey": accounts.create_key(reached, operator=True).key,
        "operatorKey": accounts.create_key(reached, operator=True).key,
        "subscriberToken": subscriber_token,
    }
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(config(keys))
    with served(make_app(reached, limits=FREE)) as address:
        done = run(address, settings)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


def run(address: str, settings: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run",
        f"{address}/openapi.json", "--url", address, "--checks", "all", "--seed", SEED,
        "--max-examples", EXAMPLES, "--workers", "1", "--request-timeout", "10", "--no-color",
        "--generation-database", "none", "--suppress-health-check", "all",
    ]  # fmt: skip
    surroundings = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.services.api.schemathesis_hooks",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        env=surroundings,
        cwd=settings.parent,
        check=False,
    )
