"""`goniec subscriber …`: people who asked for mail, and their rights."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.errors import BadInput
from services.manage import preferences, subscribers
from services.manage.subscriptions import Wish

app = typer.Typer(help="People who asked for mail. Without --confirmed they confirm it themselves.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.")]


@app.command()
def add(
    email: Email,
    interest: Annotated[list[str], typer.Option(help="What they want: a query; may be repeated.")],
    cadence: Annotated[
        str, typer.Option(help="instant, hourly, daily@07:00, weekly:mon,thu@07:00, monthly:1@07:00.")
    ] = "daily@07:00",
    label: Annotated[list[str] | None, typer.Option(help="A name for each interest, in their order.")] = None,
    locale: Annotated[str, typer.Option(help="pl or en.")] = "pl",
    timezone: Annotated[str, typer.Option(help="Where their mornings are.")] = "Europe/Warsaw",
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="You hold their consent: no confirmation is asked for.")
    ] = False,
    commercial: Annotated[
        bool, typer.Option("--commercial", help="They separately agreed to commercial notices.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Sign somebody up; they get a letter with a button, unless --confirmed.

    Example: [bold]goniec subscriber add anna@example.org --interest "topic:funding deadline<30d"[/bold]
    """
    names = [*(label or []), *[None] * len(interest)]
    wishes = [Wish(query, name, cadence) for query, name in zip(interest, names, strict=False)]
    with opening.runtime() as rt, _pointing(interest):
        view = None
        if confirmed:
            view = subscribers.add_confirmed(
                rt, email=email, interests=wishes, locale=locale, timezone=timezone, commercial=commercial,
                via="cli",
            )  # fmt: skip
        else:
            subscribers.sign_up(
                rt, email=email, interests=wishes, locale=locale, timezone=timezone, commercial=commercial,
                via="cli",
            )  # fmt: skip
    if json:
        console.as_json(view or {"sent": True})
    elif view:
        console.say(f"{view.email} has {len(view.subscriptions)} interests.")
    else:
        console.say("If mail may be written to this address, a letter with a button is on its way.")


@app.command()
def show(email: Email, json: AsJson = False) -> None:
    """Show a subscriber with their interests."""
    with opening.runtime() as rt:
        found = subscribers.show(rt, email)
    if json:
        console.as_json(found)
        return
    console.facts(
        {
            "address": found.email, "state": found.state, "suppressed": found.suppressed,
            "language": found.locale, "time zone": found.timezone, "commercial": found.commercial,
            "usual cadence": found.cadence, "most stories a day": found.daily_budget,
            "quiet hours": f"{found.quiet_from}-{found.quiet_until}" if found.quiet_from else None,
            "paused until": found.paused_until, "signed up": found.created_at,
            "confirmed": found.confirmed_at, "last heard of": found.heard_at, "asked to stay": found.asked_at,
        }
    )  # fmt: skip
    rows = [(s.id, s.label, s.cadence, s.canonical, s.paused_until) for s in found.subscriptions]
    console.listing(
        ("ID", "INTEREST", "CADENCE", "QUERY", "PAUSED UNTIL"), rows, empty="They have no interests."
    )


@app.command()
def change(
    email: Email,
    cadence: Annotated[
        str | None,
        typer.Option(
            help="The usual one: instant, hourly, daily@07:00, weekly:mon,thu@07:00, monthly:1@07:00."
        ),
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(help="Quiet hours where they live, as 22:00-07:00; `none` ends them.")
    ] = None,
    daily_budget: Annotated[
        int | None, typer.Option(help="The most stories in a day, up to 200; 0 is no limit.")
    ] = None,
    locale: Annotated[str | None, typer.Option(help="pl or en.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Where their mornings are.")] = None,
    json: AsJson = False,
) -> None:
    """Change when and how somebody's letters come, for one who wrote to you. Leaves a line in the audit.

    Example: [bold]goniec subscriber change anna@example.org --quiet 22:00-07:00 --daily-budget 10[/bold]
    """
    given = {
        "cadence": cadence,
        "quiet_hours": quiet,
        "daily_budget": daily_budget,
        "locale": locale,
        "timezone": timezone,
    }
    wanted: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        raise BadInput("Say what is to change: --cadence, --quiet, --daily-budget, --locale or --timezone.")
    if quiet == "none":
        wanted["quiet_hours"] = None
    if daily_budget == 0:
        wanted["daily_budget"] = None
    with opening.runtime() as rt:
        view = preferences.change(rt, email, wanted, by="operator")
    if json:
        console.as_json(view)
        return
    console.facts(
        {
            "usual cadence": view.cadence, "quiet hours": view.quiet_hours or "none",
            "most stories a day": view.daily_budget or "no limit", "paused until": view.paused_until,
            "language": view.locale, "time zone": view.timezone,
        }
    )  # fmt: skip


@app.command()
def export(email: Email) -> None:
    """Print everything kept about somebody, as JSON (GDPR, articles 15 and 20)."""
    with opening.runtime() as rt:
        console.as_json(subscribers.export(rt, email))


@app.command()
def erase(
    email: Email,
    suppress: Annotated[
        bool, typer.Option("--suppress", help="Keep the keyed hash: nobody can sign them up again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Take somebody out with all that is kept about them (GDPR, article 17). It cannot be undone."""
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput("This cannot be undone: say --yes.")
        typer.confirm("Erase everything about this person? It cannot be undone.", abort=True, err=True)
    with opening.runtime() as rt:
        subscribers.erase(rt, email, suppress=suppress, via="cli", by="operator")
    console.as_json({"erased": True}) if json else console.say("Erased.")


@app.command()
def link(email: Email, json: AsJson = False) -> None:
    """Print the link to somebody's own page. Whoever holds it acts for them: send it to nobody else."""
    with opening.runtime() as rt:
        url = subscribers.manage_link(rt, email)
    console.as_json({"url": url}) if json else console.say(url)


@app.command()
def allow(email: Email, json: AsJson = False) -> None:
    """Let an address be written to again after it bounced."""
    with opening.runtime() as rt:
        lifted = subscribers.allow_again(rt, email)
    if json:
        console.as_json({"lifted": lifted})
        return
    console.say("It may be written to again." if lifted else "Nothing stood against this address.")


def _pointing(interests: list[str]) -> AbstractContextManager[None]:
    """Errors can be shown under the query when there is only one."""
    return console.reading(interests[0]) if len(interests) == 1 else nullcontext()
