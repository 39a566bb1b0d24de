"""`goniec endpoint replay …`: sending again, watched to its end where a person looks."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from dateutil import parser as times

from services.cli import console, opening
from services.cli.console import AsJson
from services.errors import BadInput
from services.manage import replays
from services.manage.replays import DEFAULT_PER_S, ReplayView, What
from services.runtime import Runtime

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LOOK_EVERY_S = 0.5
Uid = Annotated[str, typer.Argument(metavar="ID", help="As in `goniec endpoint list`.")]


def replay(
    uid: Uid,
    since: Annotated[str, typer.Option(help="A time (2026-12-01T08:00) or a span (90m, 12h, 7d).")],
    until: Annotated[str | None, typer.Option(help="The same; now, when left out.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what was given up in that time.")] = False,
    of: Annotated[
        str | None, typer.Option(metavar="ID", help="Tell what this other endpoint asks for.")
    ] = None,
    max_per_s: Annotated[float, typer.Option(help="Events a second at most.")] = DEFAULT_PER_S,
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Stay and show how far it is; default: at a terminal."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Send again what happened since a time, up to 30 days; also what the endpoint never had.

    It is a job of the workers: it goes on when this command ends, and behind fresh events.

    Example: [bold]goniec endpoint replay ID --since 7d --failed[/bold]
    """
    stays = sys.stderr.isatty() if wait is None else wait
    with opening.runtime() as rt:
        now = rt.clock.now()
        view = replays.start(
            rt, None, uid, since=moment(since, now=now), until=moment(until, now=now) if until else None,
            what=What.FAILED if failed else What.ALL, of=of, max_per_s=max_per_s,
        )  # fmt: skip
        if stays:
            view = _watched(rt, uid, view)
    if json:
        console.as_json(view)
        return
    console.say(_said(view))
    if view.is_active:
        console.note(f"It goes on by itself. See how far: goniec endpoint replays {uid}")
        console.note(f"End it: goniec endpoint cancel {uid} {view.uid}")


def _watched(rt: Runtime, uid: str, view: ReplayView) -> ReplayView:
    """Show progress until the replay ends; Ctrl-C leaves it to the workers."""
    with console.progress("Replaying") as bar:
        try:
            while view.is_active:
                bar(view.done, view.total, note=view.waits_for or "")
                rt.clock.sleep(LOOK_EVERY_S)
                view = replays.show(rt, None, uid, view.uid)
        except KeyboardInterrupt:
            return replays.show(rt, None, uid, view.uid)
    return view


def _said(view: ReplayView) -> str:
    if view.state == "gathering":
        return f"Replay {view.uid} is looking for its events."
    counts = {
        "sent": view.sent, "tried again later": view.retrying, "failed": view.failed,
        "on their way already": view.already, "left": view.left,
    }  # fmt: skip
    parts = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    because = f" ({view.waits_for})" if view.waits_for else ""
    return f"Replay {view.uid} {view.state}{because}: {view.total} events" + (f"; {parts}." if parts else ".")


def list_replays(uid: Uid, json: AsJson = False) -> None:
    """Show an endpoint's replays and how far they are."""
    with opening.runtime() as rt:
        found = replays.list_for(rt, None, uid)
    if json:
        console.as_json(found)
        return
    rows = [
        (r.uid, r.what, r.since, r.state, f"{r.done}/{r.total}", r.per_s,
         f"{r.eta_s} s" if r.eta_s is not None else None, r.waits_for or "")
        for r in found
    ]  # fmt: skip
    console.listing(
        ("ID", "WHAT", "SINCE", "STATE", "DONE", "PER S", "ETA", ""), rows,
        empty="There was none yet: goniec endpoint replay ID --since 7d",
    )  # fmt: skip


def cancel(
    uid: Uid,
    replay: Annotated[str, typer.Argument(metavar="REPLAY", help="As in `goniec endpoint replays`.")],
    json: AsJson = False,
) -> None:
    """End a replay; what it has put on its way still arrives."""
    with opening.runtime() as rt:
        view = replays.cancel(rt, None, uid, replay)
    console.as_json(view) if json else console.say(_said(view))


def resend(
    uid: Uid,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="As in `goniec endpoint deliveries`.")],
    json: AsJson = False,
) -> None:
    """Send one delivery again now, under the webhook-id that it had."""
    with opening.runtime() as rt:
        replays.resend(rt, None, uid, delivery)
    console.as_json({"resent": delivery}) if json else console.say("It is on its way.")


def moment(text: str, *, now: datetime) -> datetime:
    """A time as people give it: a span back from now, or a time of this machine's zone."""
    if text and text[-1] in UNITS and text[:-1].isdecimal() and len(text) < 8:
        return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    try:
        at = times.isoparse(text)
    except ValueError as exc:
        raise BadInput(f"“{text[:40]}” is no time; write 2026-12-01T08:00, or 90m, 12h, 7d.") from exc
    return at.astimezone(UTC)


def attach(app: typer.Typer) -> None:
    """Enter these commands among those of endpoints."""
    app.command("replay")(replay)
    app.command("replays")(list_replays)
    app.command("cancel")(cancel)
    app.command("resend")(resend)
