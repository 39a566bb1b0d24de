"""The command `goniec`: its groups, and how it ends.

Exit codes: 0 done, 1 failed, 2 wrong use. Nobody is shown a traceback who did not ask for it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services import log
from services.cli import (
    care,
    console,
    endpoints,
    hub,
    institutions,
    interests,
    keys,
    opening,
    parts,
    sources,
    subscribers,
    suppressions,
    topics,
)
from services.errors import BadInput, GoniecError

app = typer.Typer(
    name="goniec",
    help=(
        "Goniec carries what institutions publish to the people and systems that asked for it.\n\n"
        "Begin with [bold]goniec up --demo[/bold]. Every command has --help; most take --json."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def before(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="The data folder (GONIEC_DATA_DIR). A Goniec that runs there is used.", show_default=False
        ),
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks of unexpected errors.")] = False,
) -> None:
    """Options for all commands."""
    opening.choices.data_dir = data_dir
    opening.choices.debug = debug


parts.add_to(app)
app.add_typer(institutions.app, name="institution", rich_help_panel="What there is")
app.add_typer(sources.app, name="source", rich_help_panel="What there is")
app.add_typer(topics.app, name="topic", rich_help_panel="What there is")
app.add_typer(keys.app, name="key", rich_help_panel="What there is")
app.add_typer(subscribers.app, name="subscriber", rich_help_panel="Who is told")
app.add_typer(endpoints.app, name="endpoint", rich_help_panel="Who is told")
app.add_typer(hub.app, name="hub", rich_help_panel="Who is told")
app.add_typer(suppressions.app, name="suppression", rich_help_panel="Who is told")
app.add_typer(interests.app, name="interest", rich_help_panel="Who is told")
care.add_to(app)


def main() -> NoReturn:
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        app(list(arguments), prog_name="goniec")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except GoniecError as error:
        (console.told_as_json if "--json" in arguments else console.told)(error)
        return 2 if isinstance(error, BadInput) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        if opening.choices.debug:
            raise
        _unexpected(error, as_json="--json" in arguments)
        return 1
    return 0


def _unexpected(error: Exception, *, as_json: bool) -> None:
    """What nobody foresaw, in one sentence; of the database's errors only that it was the database."""
    if type(error).__module__.startswith("sqlalchemy"):
        told = GoniecError("The database did not do what was asked. `goniec doctor` says more.")
    else:
        words = log.masked(f"{type(error).__name__}: {error}")
        told = GoniecError(f"Something unexpected went wrong ({words}). See more with `goniec --debug …`.")
    (console.told_as_json if as_json else console.told)(told)
