"""`goniec topic`: what each topic means, as a query."""

from datetime import timedelta
from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.domain import links
from services.manage import topics
from services.manage.topics import Change

app = typer.Typer(help="Topics: each is a query, held against notices that say nothing of their topics.")
Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="Its slug or label, as in `goniec topic list`.")]


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List the topics, and which of them were defined anew here."""
    with opening.runtime() as rt:
        found = topics.listed(rt)
    if json:
        console.as_json(found)
        return
    rows = [(one.topic, one.pl, one.en, "changed" if one.is_changed else "") for one in found]
    console.listing(("TOPIC", "POLISH", "ENGLISH", ""), rows, empty="There are none.")


@app.command()
def show(topic: Topic, json: AsJson = False) -> None:
    """Show the query that defines a topic."""
    with opening.runtime() as rt:
        found = topics.show(rt, topic)
    if json:
        console.as_json(found)
        return
    console.facts({"topic": found.topic, "Polish": found.pl, "English": found.en})
    console.say(found.query or "(no query: sources and editors alone assign it)")


@app.command(context_settings={"ignore_unknown_options": True})
def define(
    topic: Topic,
    query: Annotated[str, typer.Argument(help="The query; quote it. Empty: no query at all.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
    json: AsJson = False,
) -> None:
    """Show what another query would change; with --yes, define the topic by it from now on.

    Example: [bold]goniec topic define health 'zdrowie OR szpital OR title:lek' --yes[/bold]
    """
    with opening.runtime() as rt, console.reading(query):
        change = topics.preview(rt, topic, query)
        done = topics.define(rt, topic, query) if yes else None
    if json:
        console.as_json({"change": change, "topic": done})
        return
    _tell(change)
    console.note("Defined so from now on." if done else "Nothing is changed yet: add --yes.")


@app.command()
def page(
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long the address is good for.")] = 24,
    json: AsJson = False,
) -> None:
    """Give the address of the pages on which topics are looked at and defined, each change with a preview.

    Whoever has the address may define topics until it expires.
    """
    with opening.runtime() as rt:
        until = rt.clock.now() + timedelta(hours=hours)
        address = links.topics_url(rt.settings.base_url, rt.settings.secret_key, expires_at=until)
    console.as_json({"page": address, "until": until}) if json else console.say(address)


@app.command()
def reset(topic: Topic, json: AsJson = False) -> None:
    """Go back to the query that comes with Goniec."""
    with opening.runtime() as rt:
        done = topics.reset(rt, topic)
    console.as_json(done) if json else console.say(done.query)


def _tell(change: Change) -> None:
    console.facts(
        {
            "looked at": f"{change.looked_at} notices of 90 days",
            "have it": f"{change.before} now, {change.after} then",
            "would gain": change.gained,
            "would lose": change.lost,
        }
    )
    for sign, titles in (("+", change.gained_samples), ("-", change.lost_samples)):
        for title in titles:
            console.say(f"  {sign} {title}")
