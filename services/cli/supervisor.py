"""`goniec up`: engines where no address is set, migration, then web, workers and scheduler under one parent.

Order matters: engines start first and stop last; a part is told to stop before what it stands on.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services import embedded, log
from services.errors import SettingsError
from services.settings import Settings, child_environment
from workers.children import ROOT, Child, Children, python

MODULE = "services.cli"
REVIVE_EVERY_S = 1.0
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Extra:
    """More parts (the demo's), started after ours and stopped after them, and addresses to print for them."""

    children: Sequence[Child] = ()
    addresses: Sequence[tuple[str, str]] = ()


def up(
    settings: Settings,
    *,
    worker_processes: int = 1,
    extra: Callable[[Settings], Extra] = lambda _: Extra(),
    say: Callable[[str], object] = print,
) -> int:
    """Run everything until SIGTERM or SIGINT; the exit code. `extra` is called after the migration."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    check_port(settings.port)
    with embedded.start(settings) as engines:
        if migrate(engines.settings) != 0:
            return 1
        more = extra(engines.settings)
        watch = Watch(engines, settings, more.addresses, say=say)
        children = Children(
            engines.settings,
            [*parts(worker_processes, settings), *more.children],
            each_round=watch.look,
        )
        return children.run()


def parts(worker_processes: int, settings: Settings) -> list[Child]:
    workers = [
        Child(f"worker {number}", python(MODULE, "worker"), drains_first=True)
        for number in range(1, worker_processes + 1)
    ]
    return [
        Child("web", python(MODULE, "web"), drains_first=True),
        *workers,
        Child("scheduler", python(MODULE, "scheduler"), drains_first=True),
        *([Child("intake", python(MODULE, "intake"), drains_first=True)] if settings.intake_port else []),
    ]


def migrate(settings: Settings) -> int:
    """Bring the database to this version, as a process of its own; its exit code."""
    command = embedded.bound_to_parent(python(MODULE, "migrate"), signal.SIGTERM)
    return subprocess.run(command, cwd=ROOT, env=child_environment(settings), check=False).returncode


def check_port(port: int) -> None:
    """SettingsError when somebody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise SettingsError(
                f"GONIEC_PORT {port} cannot be used ({error.strerror}): name another with --port."
            ) from error


class Watch:
    """What the parent does between looks at its children: revives engines, and tells once that all stands."""

    def __init__(
        self,
        engines: embedded.Engines,
        settings: Settings,
        addresses: Sequence[tuple[str, str]],
        *,
        say: Callable[[str], object],
    ) -> None:
        self._engines = engines
        self._settings = settings
        self._addresses = addresses
        self._say = say
        self._has_told = False
        self._revive_at = 0.0

    def look(self) -> None:
        if time.monotonic() >= self._revive_at:
            self._engines.revive()
            self._revive_at = time.monotonic() + REVIVE_EVERY_S
        if not self._has_told and _answers(self._settings.port):
            self._has_told = True
            self._say(announcement(self._settings, self._addresses))


def announcement(settings: Settings, more: Sequence[tuple[str, str]] = ()) -> str:
    """The addresses to open, one a line."""
    base = settings.base_url
    lines = [("Notices and sign-up", f"{base}/"), ("API", f"{base}/openapi.json")]
    if settings.mail == "outbox":
        lines.insert(1, ("Outbox (every e-mail sent)", f"{base}/outbox"))
    rows = [f"  {name:<30}{address}" for name, address in [*lines, *more]]
    return "\n".join(["", "Goniec is running. Open:", *rows, "Stop it with Ctrl-C.", ""])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def _leave(*_: object) -> None:
    raise SystemExit(0)
