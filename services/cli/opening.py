"""How a command comes by a runtime: the engines that run already, else its own for as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services import embedded
from services import settings as settings_module
from services.cli import console
from services.errors import Unavailable
from services.manage import tables
from services.runtime import Runtime
from services.settings import Settings


@dataclass(slots=True)
class Choices:
    """Options that stand before the command, and hold for all of them."""

    data_dir: Path | None = None
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A runtime; `is_alone` when its engines were started for it, so that no worker answers a ring."""

    rt: Runtime
    is_alone: bool


choices = Choices()


def settings(**given: Any) -> Settings:
    """The settings of this command: its options before the environment before `.env`."""
    return settings_module.load(**{"data_dir": choices.data_dir, **given})


@contextmanager
def engines(wanted: Settings) -> Iterator[embedded.Engines]:
    """Engines for `wanted`: those that run on its data folder, else started here and stopped after."""
    with console.busy("Connecting to the database and Redis"):
        found = embedded.connect(wanted)
    with found:
        yield found


@contextmanager
def engines_of_part(wanted: Settings) -> Iterator[embedded.Engines]:
    """The same for a part that runs alone: engines of its own get their tables before it begins."""
    with engines(wanted) as found:
        if found.postgres is not None:
            rt = Runtime.open(found.settings)
            try:
                tables.migrate(rt)
            finally:
                rt.close()
        yield found


@contextmanager
def opened(*, needs_tables: bool = True) -> Iterator[Opened]:
    """A runtime over current tables; those of engines that were started here are made when they lack."""
    console.quiet()
    with engines(settings()) as found:
        rt = Runtime.open(found.settings)
        is_alone = found.postgres is not None
        try:
            if needs_tables:
                _need_tables(rt, is_ours=is_alone)
            yield Opened(rt, is_alone)
        finally:
            rt.close()


@contextmanager
def runtime() -> Iterator[Runtime]:
    """The same, for commands that need not know who else is there."""
    with opened() as found:
        yield found.rt


def _need_tables(rt: Runtime, *, is_ours: bool) -> None:
    if tables.are_current(rt):
        return
    if not is_ours:
        raise Unavailable("The tables are not those of this version: run `goniec migrate`.")
    with console.busy("Making the tables"):
        tables.migrate(rt)
