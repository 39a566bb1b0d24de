"""`goniec source …`: the doors by which content comes in."""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import MAX_ID, AsJson
from services.cli.opening import Opened
from services.domain import links
from services.domain.source_health import Verdict
from services.errors import BadInput
from services.manage import lists, onboarding, source_health, source_hubs, sources
from services.manage.lists import Imported
from services.manage.onboarding import Report
from services.manage.source_health import Ward
from services.manage.source_hubs import SourceHubView
from services.manage.sources import SourceView
from services.pipeline import poll as polling
from services.pipeline import quarantine
from services.pipeline.quarantine import HeldRow

app = typer.Typer(help="Feeds of institutions. Adding one takes an address: of the feed, or of a page.")

WAIT_S = 30.0


KindOption = Annotated[
    str | None,
    typer.Option(
        help="feed, calendar, oai, page or jsonld; unsaid, a feed, a calendar or OAI is recognised."
    ),
]
RuleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="NAME=RULE",
        help="For a page: item, title, link, date, summary by CSS; for oai: set, prefix, since.",
    ),
]


@app.command()
def look(
    address: Annotated[str, typer.Argument(help="Of the feed, or of a page that names its feed.")],
    kind: KindOption = None,
    rule: RuleOption = None,
    json: AsJson = False,
) -> None:
    """Tell what an address would bring, and add nothing.

    Example: [bold]goniec source look https://a.pl/news --kind page --rule "item=ul.news > li"[/bold]
    """
    with opening.runtime() as rt, console.busy(f"Looking at {address}"):
        seen = onboarding.look(rt, address, kind=kind, rules=rules_of(rule))
    if json:
        console.as_json(seen.report)
    else:
        tell(seen.report)


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Of the feed, or of a page that names its feed.")],
    institution: Annotated[str, typer.Option(help="Whose it is: a slug.")],
    kind: KindOption = None,
    rule: RuleOption = None,
    topic: Annotated[list[str] | None, typer.Option(help="A topic of all it says; may be repeated.")] = None,
    place: Annotated[list[str] | None, typer.Option(help="A place of all it says; may be repeated.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Its language, where it does not say: pl, en …")
    ] = None,
    check: Annotated[bool, typer.Option(help="Fetch it first, and tell what it is worth.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")] = False,
    json: AsJson = False,
) -> None:
    """Add a source: look at it, tell what it would bring, then read it.

    On a terminal you are asked before anything goes live.

    Example: [bold]goniec source add https://www.torun.pl/rss --institution torun --place Toruń[/bold]
    """
    rules = rules_of(rule)
    with opening.runtime() as rt:
        plan = sources.plan_of(
            rt, institution=institution, topics=topic or (), places=place or (), language=language
        )
        if not check:
            made = sources.add(
                rt, address, institution=institution, kind=kind, topics=plan.topics, places=plan.places,
                language=language, rules=rules, check=False,
            )  # fmt: skip
        else:
            with console.busy(f"Looking at {address}"):
                seen = sources.look_at_new(rt, address, kind=kind, rules=rules)
            if not json:
                tell(seen.report)
            if not (yes or json) and sys.stdin.isatty() and not typer.confirm("Add it?", default=True):
                console.note("Nothing was added.")
                return
            made = sources.take(rt, seen, plan, rules=rules)
    if json:
        console.as_json(made)
        return
    console.say(f"Added source {made.id}: {made.title or made.address}")
    console.note(f"See what it brings: goniec source show {made.id}")


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List all sources with their health."""
    with opening.runtime() as rt:
        found = source_health.everything(rt)
        page = links.health_url(rt.settings.base_url, rt.settings.secret_key)
    if json:
        console.as_json([_with_health(one) for one in found])
        return
    rows = [
        (s.id, s.institution, s.address or "(pushed)", s.notices, s.last_checked_at, _phrase(one.health))
        for one in found
        for s in (one.source,)
    ]
    console.listing(
        ("ID", "INSTITUTION", "ADDRESS", "NOTICES", "CHECKED", "HEALTH"), rows,
        empty="There is none yet: goniec source add ADDRESS --institution SLUG",
    )  # fmt: skip
    if found:
        console.note(f"With their history, on a page for you alone: {page}")


@app.command()
def show(source_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID)], json: AsJson = False) -> None:
    """Show one source with its last visits."""
    with opening.runtime() as rt:
        found = sources.show(rt, source_id)
        well = source_health.verdict(rt, source_id)
        hub = source_hubs.show(rt, source_id)
    if json:
        console.as_json({"source": found.source, "fetches": found.fetches, "health": well, "hub": hub})
        return
    s = found.source
    console.facts(
        {
            "id": s.id, "title": s.title, "address": s.address or "(pushed)", "kind": s.kind,
            "institution": s.institution,
            "rules": [f"{name}={rule}" for name, rule in s.rules.items()],
            "topics": s.topics, "places": s.places, "language": s.language, "told apart by": s.ladder,
            "health": f"{well.state}: {well.words}", "to do": well.advice or None,
            "rhythm": _span(well.rhythm), "strange if silent after": well.alarm_at,
            "notices": s.notices, "checked": s.last_checked_at, "next check": s.due_at,
            **(_hub(hub) if hub else {}),
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
        told = {one.source.id: _phrase(one.health) for one in source_health.everything(found.rt)}
    if json:
        console.as_json(after)
        return
    rows = [(s.id, s.title or s.address, s.notices, s.last_checked_at, told[s.id]) for s in after]
    console.listing(("ID", "SOURCE", "NOTICES", "CHECKED", "HEALTH"), rows, empty="There is nothing to read.")
    if any(s.last_checked_at == before.get(s.id) for s in after):
        console.note("Some are still waiting: is a worker running?")


@app.command()
def held(json: AsJson = False) -> None:
    """List readings that are held back because they are unlike their source, with the page to decide on."""
    with opening.runtime() as rt:
        found = quarantine.open_batches(rt)
        page = links.held_url(rt.settings.base_url, rt.settings.secret_key)
    if json:
        console.as_json({"items": [_batch(one) for one in found], "page": page})
        return
    rows = [(b.id, b.source_id, b.institution, b.at, len(b.drafts), WHY_HELD[b.reason]) for b in found]
    console.listing(
        ("ID", "SOURCE", "INSTITUTION", "SINCE", "NEW", "WHY"), rows, empty="Nothing is held back."
    )
    if found:
        console.note(f"Decide here: goniec source release ID | drop ID, or on the page {page}")


@app.command()
def release(held_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID)], json: AsJson = False) -> None:
    """Publish a held reading."""
    with opening.runtime() as rt:
        published = quarantine.release(rt, held_id, by="operator")
    if json:
        console.as_json({"id": held_id, "published": published})
        return
    console.say(f"Released: {published} published.")


@app.command()
def drop(held_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID)], json: AsJson = False) -> None:
    """Never publish a held reading; its entries are known and will not come up again."""
    with opening.runtime() as rt:
        dropped = quarantine.drop(rt, held_id, by="operator")
    if json:
        console.as_json({"id": held_id, "dropped": dropped})
        return
    console.say(f"Dropped: {dropped} entries.")


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(help="An OPML list, as feed readers export it.", exists=True)],
    institution: Annotated[str, typer.Option(help="Whose sources they become: a slug.")],
    check: Annotated[bool, typer.Option(help="Ask each address first; dead ones are left out.")] = True,
    json: AsJson = False,
) -> None:
    """Add every feed of an OPML list; its categories become topics, those that are known stay as they are."""
    with opening.runtime() as rt, console.progress("Asking each address") as bar:
        done = lists.import_opml(rt, file.read_bytes(), institution=institution, check=check, progress=bar)
    if json:
        console.as_json(done)
        return
    columns = ("OUTCOME", "ID", "ADDRESS", "TOPICS", "")
    console.listing(columns, [_imported(one) for one in done], empty="The list has no feeds.")
    counted = Counter(one.outcome for one in done)
    console.note(", ".join(f"{number} {outcome}" for outcome, number in counted.most_common()))


@app.command("export")
def export_opml() -> None:
    """Print all feeds as OPML."""
    with opening.runtime() as rt:
        typer.echo(lists.export_opml(rt).decode())


WHY_HELD = {
    "churn": "more than half of a known feed is new at once",
    "flood": "five times as much as usual",
    "future": "every date lies in the future",
    "empty": "nothing where there was content",
    "language": "another language than before",
}


def _batch(one: HeldRow) -> dict[str, object]:
    return {
        "id": one.id, "source": one.source_id, "institution": one.institution, "address": one.address,
        "at": one.at, "reason": one.reason, "entries": [{"title": d.title, "url": d.url} for d in one.drafts],
    }  # fmt: skip


TRUST = {
    "waiting": "it has not agreed to tell us yet",
    "new": "it has agreed to tell us, and has had nothing to tell yet",
    "trusted": "it tells us of everything: polled once a day",
    "distrusted": "a poll found what it did not tell: polled as if it had none",
}


def _hub(one: SourceHubView) -> dict[str, object]:
    """How the hub of a source is used, for people."""
    return {
        "hub": one.hub, "topic": one.topic, "trust": f"{one.trust}: {TRUST[one.trust]}",
        "told until": one.follows_until, "last push": one.last_push_at, "pushes": one.pushes,
        "news it missed": one.missed, "trouble with the hub": one.last_error,
    }  # fmt: skip


def _span(rhythm: timedelta | None) -> str:
    """How often it speaks, for people."""
    if rhythm is None:
        return "not known yet"
    hours = rhythm.total_seconds() / 3600
    return f"an entry every {hours / 24:.1f} days" if hours >= 48 else f"an entry every {hours:.1f} hours"


def _phrase(health: Verdict) -> str:
    """One phrase: how it is, and why."""
    return f"{health.state}: {health.words}"


def _with_health(one: Ward) -> dict[str, object]:
    view = {field.name: getattr(one.source, field.name) for field in fields(one.source)}
    return {**view, "health": one.health}


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
    return one.outcome, one.source_id, one.address, (*one.topics, *one.places), one.error or ""


def rules_of(given: Sequence[str] | None) -> dict[str, str]:
    """`item=ul > li` as a rule; what has no `=` is told."""
    rules = {}
    for one in given or ():
        name, divided, rule = one.partition("=")
        if not divided:
            raise BadInput(f"Write a rule as NAME=RULE, for example item=li.news, not “{one[:50]}”.")
        rules[name.strip()] = rule.strip()
    return rules


def tell(report: Report) -> None:
    """What was found at an address, for people."""
    console.facts(
        {
            "address": report.address, "kind": f"{report.kind} ({report.format})", "title": report.title,
            "language": report.language, "found": [f"{one.address} ({one.how})" for one in report.found],
            "entries": report.entries, "taken back": report.withdrawn or None, "charset": report.charset,
            "dates": report.dates, "ids": report.ids, "hub": report.hub or "none: it will be polled",
            "robots": report.robots, "repaired": "; ".join(report.repairs),
            "known already": [f"source {one.source_id} ({one.address}): {one.why}" for one in report.twins],
            "requests": report.requests,
        }
    )  # fmt: skip
    rows = [(n.title, n.kind, n.starts_at or n.published_at, n.topics, n.url) for n in report.notices]
    console.listing(("NOTICE", "KIND", "DATE", "TOPICS", "PAGE"), rows, empty="It has no entries now.")
