"""`goniec suppression`: addresses that must not be written to."""

from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.manage import suppressions

app = typer.Typer(help="Addresses that are not written to: who bounced or complained, and why.")
Email = Annotated[str, typer.Argument(metavar="EMAIL")]
WORDS = {
    "bounce": "the address does not exist",
    "soft_bounces": "its mailbox kept refusing",
    "complaint": "its owner called our mail spam",
    "operator": "an operator said so",
    "erased": "its owner wants to hear nothing more",
}


@app.command("list")
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    json: AsJson = False,
) -> None:
    """Show who is not written to. Of erased people only the reason is left."""
    with opening.runtime() as rt:
        page = suppressions.listed(rt, limit=limit)
    if json:
        console.as_json(page)
        return
    rows = [
        (one.email or "(only a hash is kept)", one.at, WORDS.get(one.reason, one.reason), one.detail or "")
        for one in page.items
    ]
    console.listing(("ADDRESS", "SINCE", "WHY", ""), rows, empty="Every address may be written to.")
    if page.next:
        console.note(f"There are more than {limit}: use --limit.")


@app.command()
def add(email: Email, json: AsJson = False) -> None:
    """Write to an address no more, whoever asks."""
    with opening.runtime() as rt:
        added = suppressions.add(rt, email)
    if json:
        console.as_json({"added": added})
        return
    console.say("It gets no further mail." if added else "It gets no mail already.")


@app.command()
def lift(email: Email, json: AsJson = False) -> None:
    """Let an address be written to again. What it did before no longer counts; the audit keeps a line."""
    with opening.runtime() as rt:
        lifted = suppressions.lift(rt, email)
    if json:
        console.as_json({"lifted": lifted})
        return
    console.say("It may be written to again." if lifted else "Nothing stood against this address.")
