"""`goniec institution …`: who publishes."""

from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.domain.notices import INSTITUTION_KINDS
from services.manage import institutions
from services.manage.institutions import InstitutionView

app = typer.Typer(help="Who publishes: universities, companies, local governments and their units.")

KINDS = ", ".join(INSTITUTION_KINDS)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name, as people know it.")],
    kind: Annotated[str, typer.Option(help=f"One of: {KINDS}.")],
    place: Annotated[str | None, typer.Option(help="Where it is: a TERYT code or a name.")] = None,
    parent: Annotated[str | None, typer.Option(help="The slug of the institution it is a unit of.")] = None,
    url: Annotated[str | None, typer.Option(help="The address of its own pages.")] = None,
    json: AsJson = False,
) -> None:
    """Add an institution.

    Example: [bold]goniec institution add "Urząd Miasta Chełmża" --kind local_government[/bold]
    """
    with opening.runtime() as rt:
        made = institutions.add(rt, name=name, kind=kind, place=place, parent=parent, url=url)
    if json:
        console.as_json(made)
        return
    console.say(f"Added {made.slug}.")
    console.note(f"Next: goniec source add ADDRESS --institution {made.slug}")


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List all institutions."""
    with opening.runtime() as rt:
        found = institutions.list_all(rt)
    if json:
        console.as_json(found)
        return
    rows = [(i.slug, i.name, i.kind, i.place, i.parent) for i in found]
    console.listing(
        ("SLUG", "NAME", "KIND", "PLACE", "UNIT OF"), rows,
        empty="There is none yet: goniec institution add NAME --kind KIND",
    )  # fmt: skip


@app.command()
def show(
    slug: Annotated[str, typer.Argument(help="As in `goniec institution list`.")], json: AsJson = False
) -> None:
    """Show one institution."""
    with opening.runtime() as rt:
        found = institutions.show(rt, slug)
    console.as_json(found) if json else console.facts(_facts(found))


def _facts(one: InstitutionView) -> dict[str, object]:
    return {
        "slug": one.slug, "name": one.name, "kind": one.kind, "place": one.place, "unit of": one.parent,
        "pages": one.url,
    }  # fmt: skip
