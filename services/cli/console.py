"""What commands print: tables for people, JSON for scripts, errors without tracebacks.

Answers go to standard output, everything about the work itself to standard error. Text from outside is never
read as markup, and loses its control characters.
"""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services import log
from services.domain.events import rfc3339
from services.errors import GoniecError, QueryError

MAX_ID = 2**63 - 1  # of any row
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def quiet() -> None:
    """One command's own work needs no log lines, only what went wrong."""
    log.configure("text")
    logging.getLogger().setLevel(logging.WARNING)


def out() -> Console:
    """Standard output; wide where nobody looks, so that no line is cut for a file."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def err() -> Console:
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One line of an answer."""
    out().print(Text(clean(text)), soft_wrap=True)


def note(text: str) -> None:
    """One line beside the answer: what to do next, what is still to come."""
    err().print(Text(clean(text), style="dim"), soft_wrap=True)


def as_json(value: object) -> None:
    print(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: object) -> Any:
    """A value as JSON has it: dataclasses as objects, times as RFC 3339, spans in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def listing(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence `empty` when there are no rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    if table.row_count:
        out().print(table)
    else:
        note(empty)


def facts(pairs: Mapping[str, object]) -> None:
    """One thing, a fact a line; facts that are missing are left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        if value not in (None, "", (), []):
            table.add_row(name, Text(cell(value)))
    out().print(table)


def cell(value: object) -> str:
    """How a value stands in a table."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M}"
        case list() | tuple():
            return ", ".join(str(one) for one in value) or "–"
        case _:
            return clean(str(value))


def clean(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c for c in text if c == "\n" or c.isprintable())


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show that something goes on, where a person looks."""
    console = err()
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} …"):
        yield


@contextmanager
def progress(what: str) -> Iterator["Bar"]:
    """A bar for what takes longer; the work tells it (done, of)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn("{task.fields[note]}"))  # fmt: skip
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(shown, what)


class Bar:
    """What a progress bar is told."""

    def __init__(self, shown: Progress, what: str) -> None:
        self._shown = shown
        self._task = shown.add_task(what, total=None, note="")

    def __call__(self, done: int, of: int, *, note: str = "") -> None:
        self._shown.update(self._task, completed=done, total=of, note=clean(note))


@contextmanager
def reading(query: str) -> Iterator[None]:
    """An error in the query is shown with the query under it."""
    try:
        yield
    except QueryError as error:
        error.data["query"] = query
        raise


def told(error: GoniecError) -> None:
    """An error for people: what is wrong, where, and what would be right."""
    console = err()
    console.print(Text("Error: ", style="bold red") + Text(clean(error.message)), soft_wrap=True)
    if isinstance(error, QueryError):
        query = error.data.get("query")
        if isinstance(query, str) and "\n" not in query:
            console.print(Text(f"  {query}\n  {' ' * (error.column - 1)}{'^' * max(1, error.length)}"))
        if error.expected:
            console.print(Text(f"  Expected: {error.expected}"))
        if error.suggestion:
            console.print(Text(f"  Did you mean: {error.suggestion}"))


def told_as_json(error: GoniecError) -> None:
    as_json({"error": {"code": error.code, "message": error.message, **error.data}})
