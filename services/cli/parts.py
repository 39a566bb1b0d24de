"""`goniec up` and the parts it is made of. `up` runs them all; each also runs alone, for larger houses."""

import signal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from services import log
from services.cli import console, opening, serving, supervisor
from services.errors import BadInput
from services.manage import tables
from services.queue import Stage
from services.runtime import Runtime
from services.settings import Settings
from workers import intake as receiving
from workers import main as working
from workers import scheduler as sweeping
from workers.children import Child, python

PANEL = "Running"
KEEP_ALIVE_S = 75
DRAIN_S = 20

Port = Annotated[int | None, typer.Option(min=1, max=65535, help="GONIEC_PORT; 8000 when not set.")]
DataDir = Annotated[Path | None, typer.Option(help="GONIEC_DATA_DIR; .goniec when not set.")]


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Bring a small region that speaks.")] = False,
    port: Port = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Run everything, with a database and Redis of its own where no address is set.

    Migrates the tables, runs web, workers and scheduler under one parent, and ends them on Ctrl-C.
    """
    given = {"data_dir": data_dir} if data_dir else {}
    settings = opening.settings(port=port, **given)
    log.configure(settings.log)
    if not demo:
        raise typer.Exit(supervisor.up(settings, worker_processes=workers))
    # The demo's feeds and receiver answer on this machine alone.
    networks = (*settings.allow_networks, ip_network("127.0.0.1"))
    settings = settings.model_copy(update={"allow_networks": networks})
    raise typer.Exit(supervisor.up(settings, worker_processes=workers, extra=_outside_world))


def _outside_world(settings: Settings) -> supervisor.Extra:
    receiver = f"http://127.0.0.1:{settings.port + 1}/received"
    return supervisor.Extra(
        [Child("demo", python("services.cli", "play-demo"))], [("Webhook consumer (the demo's)", receiver)]
    )


def web(
    port: Port = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="The address to listen on. All; this machine alone while mail stays in the outbox."
        ),
    ] = None,
) -> None:
    """Serve the pages and the API."""
    from services.api.app import make_app  # heavy, and no other command needs it

    wanted = opening.settings(port=port)
    log.configure(wanted.log)
    signal.signal(signal.SIGTERM, _leave)  # uvicorn raises it again once it has drained
    with opening.engines_of_part(wanted) as found:
        rt = Runtime.open(found.settings)
        try:
            config = uvicorn.Config(
                make_app(rt), host=host or _host(wanted), port=wanted.port, log_config=None, access_log=False,
                server_header=False, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=DRAIN_S,
            )  # fmt: skip
            serving.run(config, rt.stopping)
        finally:
            rt.close()


def _host(settings: Settings) -> str:
    """The outbox page shows everybody's letters, so what has one is not for other machines."""
    return "127.0.0.1" if settings.mail == "outbox" else "0.0.0.0"


def worker(
    queues: Annotated[str, typer.Option(help=f"Comma list of: {', '.join(Stage)}. All, when empty.")] = "",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads in each.")] = working.THREADS,
) -> None:
    """Do the work that stages ring for."""
    names = [name.strip() for name in queues.split(",") if name.strip()]
    if unknown := sorted(set(names) - set(Stage)):
        raise BadInput(f"There is no queue “{unknown[0]}”; use: {', '.join(Stage)}.")
    settings = opening.settings()
    log.configure(settings.log)
    with opening.engines_of_part(settings) as found:
        code = working.run(found.settings, queues=names, processes=processes, threads=threads)
    raise typer.Exit(code)


def scheduler() -> None:
    """Ring the stages whose rows are due. Run one; two do no harm."""
    settings = opening.settings()
    log.configure(settings.log)
    with opening.engines_of_part(settings) as found:
        code = sweeping.run(found.settings)
    raise typer.Exit(code)


def intake() -> None:
    """Receive mail that comes back (bounces, complaints) by SMTP on GONIEC_INTAKE_PORT."""
    settings = opening.settings()
    log.configure(settings.log)
    with opening.engines_of_part(settings) as found:
        code = receiving.run(found.settings)
    raise typer.Exit(code)


def migrate(json: console.AsJson = False) -> None:
    """Bring the database's tables to this version. Safe to run again, and by two at once."""
    with opening.opened(needs_tables=False) as found, console.busy("Migrating"):
        changed = tables.migrate(found.rt)
    if json:
        console.as_json({"changed": changed})
        return
    console.note("The tables were brought to this version." if changed else "The tables are current.")


def play_demo() -> None:
    """The demo's outside world; `up --demo` runs it."""
    from services.cli.demo.play import play  # as above

    settings = opening.settings()
    log.configure(settings.log)
    with opening.engines_of_part(settings) as found:
        raise typer.Exit(play(found.settings))


def _leave(*_: object) -> None:
    raise SystemExit(0)


def add_to(app: typer.Typer) -> None:
    for command in (up, web, worker, scheduler, intake, migrate):
        app.command(rich_help_panel=PANEL)(command)
    app.command("play-demo", hidden=True)(play_demo)
