"""What an operator does to keep it all going: doctor, why, sweep, requeue, outbox."""

from typing import Annotated

import typer

from services.cli import console, opening
from services.cli.console import MAX_ID, AsJson
from services.cli.replays import moment
from services.errors import BadInput, GoniecError
from services.manage import health, outbox, requeue
from services.manage import why as explaining
from services.manage.findings import Finding, bad
from services.pipeline import compose, deliver, feedback, match, poll, sweep

PANEL = "Care"
STAGES = (poll.run, match.run, compose.run, deliver.run_mail, deliver.run_webhooks, feedback.run)
ROUNDS = 20


def doctor(json: AsJson = False) -> None:
    """Say what is set, reachable and wrong, and how to mend it. Exit code 1 when something grave is."""
    findings = _examine()
    grave = [f for f in findings if not f.is_ok and f.is_grave]
    if json:
        console.as_json({"is_well": not grave, "findings": findings})
    else:
        for finding in findings:
            mark = "ok  " if finding.is_ok else "BAD " if finding.is_grave else "note"
            console.say(f"{mark}  {finding.name:<12} {finding.text}")
            if finding.remedy:
                console.say(f"      {'':<12} → {finding.remedy}")
        console.note("Goniec is well." if not grave else f"{len(grave)} to mend.")
    if grave:
        raise typer.Exit(1)


def why(
    notice: Annotated[
        int,
        typer.Argument(metavar="NOTICE", max=MAX_ID, help="The number in its address: 42 of /notices/42."),
    ],
    recipient: Annotated[
        str, typer.Argument(metavar="EMAIL|ENDPOINT", help="Who asked: an address, or an endpoint's id.")
    ],
    json: AsJson = False,
) -> None:
    """Tell step by step why a notice was or was not delivered to somebody.

    ✓ went on, ✗ ended there, · waits or is a remark; the last line says where it ended.

    [bold]interest[/bold]: met, with the words found, their field and the text around; or what failed.
    [bold]issue[/bold]: the letter it went into, or why it was left out (muted, no consent, told already …).
    [bold]delivery[/bold]: what became of the letter or call, and its attempts.

    Example: [bold]goniec why 42 anna@example.org[/bold]
    """
    with opening.runtime() as rt:
        found = explaining.why(rt, notice_id=notice, recipient=recipient)
    if json:
        console.as_json(found)
        return
    marks = {True: "✓", False: "✗", None: "·"}
    for step in found.steps:
        at = console.cell(step.at) if step.at else ""
        console.say(f"{marks[step.is_ok]} {step.name:<10} {at:<17} {step.text}")
    console.say(f"→ {found.verdict}")


def sweep_now(
    here: Annotated[
        bool, typer.Option("--here", help="Do the work in this process, until nothing is due.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Look for rows that are due, and wake their stages (the scheduler does so every second)."""
    with opening.opened() as found, console.busy("Sweeping"):
        due = sweep.due(found.rt)
        for stage in due:
            found.rt.bell.ring(stage)
        if here:
            for _ in range(ROUNDS):
                for run in STAGES:
                    run(found.rt)
                if not sweep.due(found.rt):
                    break
    if json:
        console.as_json({"due": due})
        return
    console.say(f"Due: {', '.join(due)}." if due else "Nothing is due.")
    if due and found.is_alone and not here:
        console.note("No worker is running: start `goniec up`, or say --here.")


def requeue_now(
    failed: Annotated[bool, typer.Option("--failed", help="Send again what failed for good.")] = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Send again what is uncertain: some may get it twice.")
    ] = False,
    settle: Annotated[bool, typer.Option("--settle", help="Take what is uncertain as sent.")] = False,
    channel: Annotated[str | None, typer.Option(help="Only email, or only webhook.")] = None,
    since: Annotated[str, typer.Option(help="Made since a time, or a span: 12h, 7d.")] = "7d",
    json: AsJson = False,
) -> None:
    """Decide on deliveries that ended badly."""
    if [failed, uncertain, settle].count(True) != 1:
        raise BadInput("Say one of --failed, --uncertain and --settle.")
    with opening.runtime() as rt:
        at = moment(since, now=rt.clock.now())
        if settle:
            done = requeue.settle(rt, since=at, channel=channel)
        else:
            state = "failed" if failed else "uncertain"
            done = requeue.requeue(rt, state=state, since=at, channel=channel)
    if json:
        console.as_json(done)
        return
    console.say(", ".join(f"{name}: {count}" for name, count in sorted(done.items())) or "There are none.")


def outbox_list(
    key: Annotated[str | None, typer.Argument(help="Show this letter; without it, list them.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    json: AsJson = False,
) -> None:
    """Read the letters that were not sent, because no mail server is set (GONIEC_MAIL=outbox)."""
    with opening.runtime() as rt:
        listed = outbox.list_letters(rt, limit=limit) if key is None else []
        letter = outbox.open_letter(rt, key) if key is not None else None
    if letter is None:
        if json:
            console.as_json(listed)
            return
        rows = [(e.key, e.written_at, e.to, e.subject) for e in listed]
        console.listing(("KEY", "WRITTEN", "TO", "SUBJECT"), rows, empty="There are no letters.")
        return
    if json:
        console.as_json({"headers": letter.headers, "text": letter.text, "html": letter.html})
        return
    for name, value in letter.headers:
        console.say(f"{name}: {value}")
    console.say("")
    console.say(letter.text)


def add_to(app: typer.Typer) -> None:
    for name, command in (
        ("doctor", doctor), ("why", why), ("sweep", sweep_now), ("requeue", requeue_now),
        ("outbox", outbox_list),
    ):  # fmt: skip
        app.command(name, rich_help_panel=PANEL)(command)


def _examine() -> list[Finding]:
    """All findings; when the settings or the engines fail, that is the finding."""
    try:
        settings = opening.settings()
    except GoniecError as error:
        return [bad("settings", error.message, "Correct it in the environment or in .env.")]
    try:
        with opening.opened(needs_tables=False) as found, console.busy("Examining"):
            return health.doctor(found.rt)
    except GoniecError as error:
        engines = bad("engines", error.message, "Mend that first, then ask again.")
        return [*health.doctor_of_settings(settings), engines]
