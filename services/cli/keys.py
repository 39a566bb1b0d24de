"""`goniec key …`: who may push notices, own endpoints, operate."""

from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import MAX_ID, AsJson
from services.manage import accounts, consumers

app = typer.Typer(help="API keys of institutions, consumers and operators. A key is shown once.")


@app.command()
def create(
    institution: Annotated[str | None, typer.Option(help="May push this institution's notices.")] = None,
    consumer: Annotated[str | None, typer.Option(help="May own endpoints; made when new.")] = None,
    operator: Annotated[bool, typer.Option("--operator", help="May see everything.")] = False,
    label: Annotated[str | None, typer.Option(help="What it is for, to tell it from others.")] = None,
    json: AsJson = False,
) -> None:
    """Create a key and print it once.

    Example: [bold]goniec key create --institution urzad-miasta-chelmza --label website[/bold]
    """
    with opening.runtime() as rt:
        made = accounts.create_key(
            rt, institution=institution, consumer=consumer, operator=operator, label=label
        )
    if json:
        console.as_json(made)
        return
    console.say(made.key)
    console.note("Keep it now: it is not shown again. Send it as `Authorization: Bearer …`.")


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List all keys by their first characters."""
    with opening.runtime() as rt:
        found = accounts.list_keys(rt)
    if json:
        console.as_json(found)
        return
    rows = [
        (k.id, k.prefix + "…", k.scope, k.institution or k.consumer, k.label, k.created_at, k.revoked_at)
        for k in found
    ]
    console.listing(
        ("ID", "KEY", "SCOPE", "OF", "LABEL", "CREATED", "REVOKED"), rows, empty="There is none yet."
    )


@app.command()
def revoke(
    key_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID, help="As in `goniec key list`.")],
    json: AsJson = False,
) -> None:
    """End a key at once, for good."""
    with opening.runtime() as rt:
        accounts.revoke_key(rt, key_id)
    console.as_json({"id": key_id, "revoked": True}) if json else console.say(f"Key {key_id} is revoked.")


@app.command()
def link(
    consumer: Annotated[str, typer.Option(help="Whose endpoints it opens.")],
    json: AsJson = False,
) -> None:
    """Print a link to a consumer's own pages: endpoints, deliveries, replays. It lasts a week.

    Whoever has the link acts for the consumer. Who has a key needs none: they open /endpoints and type it.
    """
    with opening.runtime() as rt:
        made = consumers.link_by_name(rt, consumer)
    if json:
        console.as_json(made)
        return
    console.say(made.url)
    console.note(f"It works until {made.expires_at:%Y-%m-%d %H:%M} UTC; give it to nobody else.")
