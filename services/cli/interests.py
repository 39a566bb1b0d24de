"""`goniec interest …`: trying a query before anybody uses it."""

from typing import Annotated, Any

import typer

from services.cli import console, opening
from services.cli.console import AsJson
from services.manage import subscriptions

app = typer.Typer(help="Queries: what they mean, and what they would have brought.")

HELP = """Read a query: its canonical form, or the error with its place; what it would have brought lately.

Words side by side mean AND; OR, NOT or -, parentheses; "phrases"; word*; =exact; title:word;
fields topic kind place source institution audience lang; deadline<30d.

Example: [bold]goniec interest check 'topic:funding (place:torun OR place:0403) innowacj* -kind:tender'[/bold]
"""


@app.command(help=HELP, context_settings={"ignore_unknown_options": True})
def check(
    query: Annotated[list[str], typer.Argument(help="The query; quote it.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How far to look back.")] = 30,
    json: AsJson = False,
) -> None:
    text = " ".join(query)
    with opening.runtime() as rt, console.reading(text):
        found = subscriptions.preview(rt, text, days=days)
    if json:
        console.as_json(found)
        return
    console.facts(
        {
            "canonical": found.canonical,
            "understood as": "; ".join(found.understood),
            f"last {found.days} days": f"{found.count} notices",
        }
    )
    console.say("by week: " + " ".join(str(week.count) for week in found.weeks))
    if found.advice:
        told = (
            f"0 in {found.days_90} days: try" if found.advice == "widen" else "more than 20 a day: narrow by"
        )
        console.say(
            f"{told} {'; '.join(f'{s.query} ({s.count})' for s in found.suggestions) or 'other words'}"
        )
    for sample in found.samples:
        console.say(f"  {_line(sample)}")


def _line(notice: dict[str, Any]) -> str:
    return f"{notice['published_at'][:10]}  {notice['title']} ({notice['institution']['name']})"


@app.callback()
def group() -> None:
    """Queries: what they mean, and what they would have brought."""
