"""`goniec source …`: the doors by which content comes in."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import MAX_ID, AsJson
from services.cli.opening import Opened
from services.errors import BadInput
from services.manage import sources
from services.manage.sources import Imported, SourceView
from services.pipeline import poll as polling

app = typer.Typer(help="Feeds of institutions. Adding one takes an address: of the feed, or of a page.")

WAIT_S = 30.0


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Of the feed, or of a page that names its feed.")],
    institution: Annotated[str, typer.Option(help="Whose it is: a slug.")],
    kind: Annotated[str, typer.Option(help="feed; others are not read yet.")] = "feed",
    topic: Annotated[list[str] | None, typer.Option(help="A topic of all it says; may be repeated.")] = None,
    place: Annotated[list[str] | None, typer.Option(help="A place of all it says; may be repeated.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Its language, where it does not say: pl, en …")
    ] = None,
    check: Annotated[bool, typer.Option(help="Fetch it first.")] = True,
    json: AsJson = False,
) -> None:
    """Add a source and have it read.

    Example: [bold]goniec source add https://www.torun.pl/rss --institution torun --place Toruń[/bold]
    """
    with opening.runtime() as rt, console.busy(f"Looking at {address}"):
        made = sources.add(
            rt, address, institution=institution, kind=kind, topics=topic or (), places=place or (),
            language=language, check=check,
        )  # fmt: skip
    if json:
        console.as_json(made)
        return
    console.say(f"Added source {made.id}: {made.title or made.address}")
    console.note(f"See what it brings: goniec source show {made.id}")


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List all sources with their health."""
    with opening.runtime() as rt:
        found = sources.list_all(rt)
    if json:
        console.as_json(found)
        return
    rows = [
        (s.id, s.institution, s.address or "(pushed)", s.notices, s.last_checked_at, health(s)) for s in found
    ]
    console.listing(
        ("ID", "INSTITUTION", "ADDRESS", "NOTICES", "CHECKED", "HEALTH"), rows,
        empty="There is none yet: goniec source add ADDRESS --institution SLUG",
    )  # fmt: skip


@app.command()
def show(source_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID)], json: AsJson = False) -> None:
    """Show one source with its last visits."""
    with opening.runtime() as rt:
        found = sources.show(rt, source_id)
    if json:
        console.as_json(found)
        return
    s = found.source
    console.facts(
        {
            "id": s.id, "title": s.title, "address": s.address or "(pushed)", "institution": s.institution,
            "topics": s.topics, "places": s.places, "language": s.language, "health": health(s),
            "notices": s.notices, "checked": s.last_checked_at, "next check": s.due_at,
        }
    )  # fmt: skip
    rows = [(f.at, f.outcome, f.status, f"{f.took_ms} ms", f.published, f.revised, f.detail or "")
            for f in found.fetches]  # fmt: skip
    console.listing(
        ("VISIT", "OUTCOME", "STATUS", "TOOK", "NEW", "REVISED", ""), rows, empty="It was not visited yet."
    )


@app.command()
def poll(
    source_id: Annotated[int | None, typer.Argument(metavar="[ID]", max=MAX_ID, help="Which one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    json: AsJson = False,
) -> None:
    """Read a source now, and tell what came of it. A stopped one is tried again."""
    if (source_id is None) != everything:
        raise BadInput("Name one source, or say --all.")
    with opening.opened() as found, console.busy("Reading"):
        before = {s.id: s.last_checked_at for s in sources.list_all(found.rt)}
        ids = sources.poll_now(found.rt, None if source_id is None else [source_id])
        after = _wait(found, before, ids)
    if json:
        console.as_json(after)
        return
    rows = [(s.id, s.title or s.address, s.notices, s.last_checked_at, health(s)) for s in after]
    console.listing(("ID", "SOURCE", "NOTICES", "CHECKED", "HEALTH"), rows, empty="There is nothing to read.")
    if any(s.last_checked_at == before.get(s.id) for s in after):
        console.note("Some are still waiting: is a worker running?")


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(help="An OPML list, as feed readers export it.", exists=True)],
    institution: Annotated[str, typer.Option(help="Whose sources they become: a slug.")],
    json: AsJson = False,
) -> None:
    """Add every feed of an OPML list; those that are known stay as they are."""
    with opening.runtime() as rt, console.busy("Importing"):
        done = sources.import_opml(rt, file.read_bytes(), institution=institution)
    if json:
        console.as_json(done)
        return
    console.listing(
        ("OUTCOME", "ID", "ADDRESS", ""), [_imported(one) for one in done], empty="The list has no feeds."
    )


@app.command("export")
def export_opml() -> None:
    """Print all feeds as OPML."""
    with opening.runtime() as rt:
        typer.echo(sources.export_opml(rt).decode())


def health(source: SourceView) -> str:
    """One phrase: is it read, and if not, why."""
    if source.kind == "push":
        return "pushed by its institution"
    if source.state == "stopped":
        return f"stopped: {source.stopped_because}"
    if source.errors:
        return f"failed {source.errors} times: {source.last_error}"
    return "well" if source.last_checked_at else "not read yet"


def _wait(found: Opened, before: Mapping[int, object], ids: list[int]) -> list[SourceView]:
    """Until these were read: by the worker that was rung, or here when nobody else is."""
    if found.is_alone:
        polling.run(found.rt)
    until = time.monotonic() + WAIT_S
    while True:
        now = [s for s in sources.list_all(found.rt) if s.id in ids]
        if all(s.last_checked_at != before.get(s.id) for s in now) or time.monotonic() > until:
            return now
        time.sleep(0.2)


def _imported(one: Imported) -> tuple[object, ...]:
    return one.outcome, one.source_id, one.address, one.error or ""
