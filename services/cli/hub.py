"""`goniec hub`: who follows our feeds (WebSub)."""

from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.manage import hub

app = typer.Typer(help="Who follows our feeds by WebSub, and until when.")
MAX_ID = 2**63 - 1


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """Show who is told of changed feeds, with the last trouble."""
    with opening.runtime() as rt:
        found = hub.followers(rt)
    if json:
        console.as_json({"items": found})
        return
    rows = [
        (
            one.id,
            one.topic,
            one.callback,
            one.follows_until,
            one.state,
            one.last_told_at,
            one.last_error or "",
        )
        for one in found
    ]
    columns = ("ID", "TOPIC", "CALLBACK", "UNTIL", "STATE", "TOLD", "")
    console.listing(columns, rows, empty="Nobody follows a feed by WebSub.")


@app.command()
def dismiss(
    follower_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID, help="Which one: see hub list.")],
    reason: Annotated[str, typer.Option(help="What it is told.")] = "ended by the operator",
    json: AsJson = False,
) -> None:
    """Tell a follower no more, and let it know."""
    with opening.runtime() as rt:
        hub.dismiss(rt, follower_id, reason=reason)
    if json:
        console.as_json({"id": follower_id, "dismissed": True})
        return
    console.say("It is told no more.")
