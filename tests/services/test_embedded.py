"""The engines of a data folder: held by one, clean at the end, mended after a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import create_engine, text

from services import embedded
from services.embedded import Engines
from services.errors import Conflict
from services.settings import Settings, of

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from services import embedded
from services.settings import of
given = {"secret_key": "s" * 32, "port": 8123, "allow_networks": "127.0.0.1"}
engines = embedded.start(of(data_dir=Path(sys.argv[1]), **given), durable=False)
print("held", flush=True)
time.sleep(60)
"""
Holding = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def hold() -> Iterator[Holding]:
    """Starts another process that holds a folder."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def settings_for(folder: Path) -> Settings:
    return of(data_dir=folder, secret_key="s" * 32)


def ask(engines: Engines, statement: str) -> object:
    engine = create_engine(engines.database_url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def ping(engines: Engines) -> bool:
    with redis.Redis.from_url(engines.redis_url) as client:
        return bool(client.ping())


def test_both_engines_answer_over_sockets_and_keep_what_they_were_given(tmp_path: Path) -> None:
    with embedded.start(settings_for(tmp_path / "data")) as engines:
        ask(engines, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert ask(engines, "SHOW listen_addresses") == ""
        assert ping(engines)
        assert engines.settings.database_url == engines.database_url
    with embedded.start(settings_for(tmp_path / "data")) as engines:
        assert ask(engines, "SELECT answer FROM kept") == 42


def test_nothing_runs_after_the_end(tmp_path: Path) -> None:
    with embedded.start_scratch(tmp_path) as engines:
        assert engines.postgres
        assert engines.redis
        pids = [engines.postgres.pid, engines.redis.pid]
    assert not [pid for pid in pids if pid and psutil.pid_exists(pid)]
    engines.stop()


def test_a_second_start_on_a_held_folder_says_who_holds_it(tmp_path: Path, hold: Holding) -> None:
    holder = hold(tmp_path)
    with pytest.raises(Conflict, match=f"in use by a running Goniec .process {holder.pid}"):
        embedded.start(settings_for(tmp_path))


def test_a_command_beside_a_running_goniec_uses_its_engines(tmp_path: Path, hold: Holding) -> None:
    hold(tmp_path)
    with embedded.connect(settings_for(tmp_path)) as engines:
        assert ask(engines, "SELECT 1") == 1
        assert ping(engines)
        assert engines.postgres is None
        assert engines.settings.base_url == "http://localhost:8123"
        assert [str(network) for network in engines.settings.allow_networks] == ["127.0.0.1/32"]
    with embedded.connect(settings_for(tmp_path)) as engines:
        assert ask(engines, "SELECT 1") == 1


def test_a_command_alone_starts_engines_for_its_while(tmp_path: Path) -> None:
    with embedded.connect(settings_for(tmp_path)) as engines:
        assert engines.postgres
        assert ask(engines, "SELECT 1") == 1


def test_a_holder_killed_outright_does_not_block_the_next(tmp_path: Path, hold: Holding) -> None:
    holder = hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with embedded.start(settings_for(tmp_path)) as engines:
        assert ask(engines, "SELECT 1") == 1
        assert ping(engines)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_engines_end_with_a_holder_that_is_killed_outright(tmp_path: Path, hold: Holding) -> None:
    holder = hold(tmp_path)
    engines = psutil.Process(holder.pid).children()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    gone, _ = psutil.wait_procs(engines, timeout=10)
    assert len(gone) == len(engines) == 2


def test_engines_that_outlived_their_goniec_are_ended_first(tmp_path: Path) -> None:
    with embedded.start_scratch(tmp_path) as first:
        assert first._lock
        first._lock.release()  # as after a kill, on a system that leaves the children be
        with embedded.start_scratch(tmp_path) as second:
            assert ask(second, "SELECT 1") == 1
            assert first.postgres
            assert not first.postgres.is_running()


def test_a_number_that_another_process_got_since_is_forgotten(tmp_path: Path) -> None:
    with embedded.start_scratch(tmp_path):
        pass
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path / 'postgres'}\n0\n5432\n\n\n")
    pid_file.chmod(0o644)
    with embedded.start_scratch(tmp_path) as engines:
        assert ask(engines, "SELECT 1") == 1


def test_an_unfinished_set_up_is_begun_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with embedded.start_scratch(tmp_path) as engines:
        assert ask(engines, "SELECT 1") == 1
    assert not half.exists()


def test_an_engine_that_died_is_started_again(tmp_path: Path) -> None:
    with embedded.start_scratch(tmp_path) as engines:
        assert engines.postgres
        assert engines.redis
        engines.postgres.kill()
        engines.redis.kill()
        assert engines.revive() == ["PostgreSQL", "Redis"]
        until = time.monotonic() + 20
        while not engines.postgres.is_running() and time.monotonic() < until:
            time.sleep(0.2)
            engines.revive()
        assert ask(engines, "SELECT 1") == 1
        assert ping(engines)


def test_a_redis_file_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"\x00nonsense" * 50)
    with embedded.start(settings_for(tmp_path)) as engines:
        assert ping(engines)


def test_a_long_or_odd_path_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("a folder, with Polish letters ąęł " * 3)
    with embedded.start_scratch(folder) as engines:
        assert ask(engines, "SELECT 1") == 1
        assert ping(engines)
        borrowed = Path(json.loads((folder / "lock").read_text())["socket_dir"])
        assert borrowed.exists()
    assert not borrowed.exists()


def test_what_has_an_address_is_not_started(tmp_path: Path) -> None:
    given = of(
        data_dir=tmp_path, secret_key="s" * 32, database_url="postgresql://db/x", redis_url="redis://r"
    )
    with embedded.start(given) as engines:
        assert engines.database_url == "postgresql+psycopg://db/x"
    assert not list(tmp_path.iterdir())
    half = given.model_copy(update={"redis_url": None})
    with embedded.start(half) as engines:
        assert engines.postgres is None
        assert ping(engines)
