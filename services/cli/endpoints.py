"""`goniec endpoint …`: webhooks."""

from collections.abc import Sequence
from typing import Annotated

import typer

from services.cli import console, opening, replays
from services.cli.console import AsJson
from services.errors import BadInput
from services.manage import calls, conformance, contacts, endpoints, handshake

app = typer.Typer(help="Webhooks: signed calls (Standard Webhooks) to other systems.")

OPERATOR = "operator"
MARKS = {"passed": "✓", "failed": "✗", "left_out": "–"}
Uid = Annotated[str, typer.Argument(metavar="ID", help="As in `goniec endpoint list`.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to send to; https, reachable from here.")],
    interest: Annotated[str, typer.Option(help="What to send: a query.")],
    format: Annotated[
        str, typer.Option(help="standard, cloudevents, cloudevents-binary or cloudevents-batch.")
    ] = "standard",
    content: Annotated[
        str, typer.Option(help="fat (the notice whole), thin (where to fetch it) or diff (what changed).")
    ] = "fat",
    cadence: Annotated[
        str, typer.Option(help="instant, or a digest's: hourly, daily@07:00, weekly:mon@07:00.")
    ] = "instant",
    timezone: Annotated[str, typer.Option(help="Of the cadence.")] = endpoints.ZONE,
    label: Annotated[str | None, typer.Option(help="A name, to tell it from others.")] = None,
    signatures: Annotated[str, typer.Option(help="v1 (a shared secret), v1a (Ed25519) or both.")] = "v1",
    consumer: Annotated[str, typer.Option(help="Whose it is; made when new.")] = OPERATOR,
    json: AsJson = False,
) -> None:
    """Add an endpoint and print its signing secret once.

    Example: [bold]goniec endpoint add https://city.example/hook --interest "place:torun kind:tender"[/bold]
    """
    with opening.runtime() as rt, console.reading(interest):
        made = endpoints.add(
            rt, consumer, url=url, query=interest, label=label, format=format, content=content,
            cadence=cadence, timezone=timezone, signatures=signatures,
        )  # fmt: skip
        view = handshake.ask(rt, consumer, made.endpoint.uid)
        made = endpoints.CreatedEndpoint(view, made.secret)
    if json:
        console.as_json(made)
        return
    _show_secret(made)
    _show_consent(view)
    console.note(f"Try it: goniec endpoint test {made.endpoint.uid}")


def _show_consent(view: endpoints.EndpointView) -> None:
    if view.consent == "refused":
        console.note(f"It is paused: {view.consent_because}. Then: goniec endpoint consent {view.uid}")
    elif view.consent is not None:
        console.note(f"Asked whether it may be called: {view.consent_because}.")


@app.command()
def consent(uid: Uid, json: AsJson = False) -> None:
    """Ask an endpoint once more whether it may be called, and how often. Exit code 1 when it refuses."""
    with opening.runtime() as rt, console.busy("Asking"):
        view = handshake.ask(rt, None, uid)
    if json:
        console.as_json(view)
    else:
        console.say(f"{(view.consent or 'not offered').capitalize()}: {view.consent_because}.")
    if view.consent == "refused":
        raise typer.Exit(1)


def _how(one: endpoints.EndpointView) -> str:
    return one.health if one.state == "active" else one.state


@app.command("list")
def list_all(json: AsJson = False) -> None:
    """List all endpoints with their health."""
    with opening.runtime() as rt:
        found = endpoints.list_for(rt, None)
    if json:
        console.as_json(found)
        return
    rows = [
        (e.uid, e.consumer, e.label or e.url, e.query, e.state_because or _how(e), e.failures) for e in found
    ]
    console.listing(
        ("ID", "OF", "ENDPOINT", "QUERY", "STATE", "FAILURES"), rows,
        empty="There is none yet: goniec endpoint add URL --interest QUERY",
    )  # fmt: skip


@app.command()
def change(
    uid: Uid,
    max_per_s: Annotated[float | None, typer.Option(help="Calls a second at most; 0: no limit.")] = None,
    ordered: Annotated[
        bool | None, typer.Option(help="Each institution's events one after another, or as they come.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="Seconds before each attempt: 0,5,300. Empty: the standard's schedule.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="As in `goniec endpoint add`.")] = None,
    content: Annotated[str | None, typer.Option(help="fat, thin or diff.")] = None,
    cadence: Annotated[str | None, typer.Option(help="As in `goniec endpoint add`.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the cadence.")] = None,
    pause: Annotated[
        bool | None, typer.Option("--pause/--resume", help="Keep what comes, or send it again.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Change how an endpoint is called. Resuming also wakes one that was disabled."""
    state = None if pause is None else "paused" if pause else "active"
    with opening.runtime() as rt:
        view = endpoints.patch(
            rt, None, uid, max_per_s=max_per_s, is_ordered=ordered, schedule_s=_waits(schedule), state=state,
            format=format, content=content, cadence=cadence, timezone=timezone,
        )  # fmt: skip
        view = handshake.after_change(rt, None, view, was_moved=False)
    console.as_json(view) if json else console.say("Changed.")
    if view.consent == "refused":
        _show_consent(view)


def _waits(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise BadInput(f"“{text[:60]}” is no schedule: write seconds with commas between, such as 0,5,300.")
    return [int(part) for part in parts]


@app.command()
def contact(
    uid: Uid,
    email: Annotated[str | None, typer.Argument(help="Who is told when it fails; they confirm it.")] = None,
    locale: Annotated[str, typer.Option(help="The letters' language: pl or en.")] = "pl",
    remove: Annotated[bool, typer.Option("--remove", help="Tell nobody any more.")] = False,
    json: AsJson = False,
) -> None:
    """Name who is told by letter when an endpoint fails; without an address, say who is."""
    with opening.runtime() as rt:
        if remove:
            contacts.remove_contact(rt, None, uid)
        elif email is not None:
            contacts.set_contact(rt, None, uid, email=email, locale=locale)
        view = endpoints.show(rt, None, uid)
    if json:
        console.as_json(view)
    elif view.contact is None:
        console.say("Nobody is told. Name somebody: goniec endpoint contact ID EMAIL")
    else:
        is_so = "confirmed" if view.contact_confirmed_at else "not confirmed yet: a letter asks them"
        console.say(f"{view.contact} ({is_so})")


@app.command("test")
def try_out(uid: Uid, json: AsJson = False) -> None:
    """Send one signed test event now. Exit code 1 when it was not taken."""
    with opening.runtime() as rt, console.busy("Calling"):
        outcome = calls.test(rt, None, uid)
    if json:
        console.as_json(outcome)
    else:
        answer = f"status {outcome.status}" if outcome.status else outcome.detail
        console.say(f"{'Taken' if outcome.is_ok else 'Not taken'}: {answer}, {outcome.took_ms} ms")
    if not outcome.is_ok:
        raise typer.Exit(1)


@app.command()
def rotate(
    uid: Uid,
    overlap: Annotated[int, typer.Option(help="Hours for which the old secret signs along (0–168).")] = 24,
    signatures: Annotated[str | None, typer.Option(help="From now on: v1, v1a or both.")] = None,
    json: AsJson = False,
) -> None:
    """Give an endpoint a new secret and print it once."""
    with opening.runtime() as rt:
        made = endpoints.rotate(rt, None, uid, overlap_hours=overlap, signatures=signatures)
    if json:
        console.as_json(made)
        return
    console.say(made.secret or made.endpoint.public_keys[0])
    console.note(f"What signed until now signs along for {overlap} hours.")
    if made.secret:
        console.note("Keep the secret now: it is not shown again.")


def _show_secret(made: endpoints.CreatedEndpoint) -> None:
    keys = made.endpoint.public_keys
    shown = {"id": made.endpoint.uid, "secret": made.secret, "public key": keys[0] if keys else ""}
    console.facts({name: value for name, value in shown.items() if value})
    if made.secret:
        console.note("Keep the secret now: it is not shown again.")


@app.command()
def deliveries(
    uid: Uid,
    attempts: Annotated[
        bool, typer.Option("--attempts", help="Every attempt: where the time went, whose fault it was.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what went to an endpoint lately; with --attempts, each attempt with its phases and answer."""
    with opening.runtime() as rt:
        page = calls.deliveries(rt, None, uid, limit=30)
    if json:
        console.as_json(page)
        return
    if attempts:
        _attempts(page.items)
        return
    rows = [
        (d.created_at, d.id, d.type, d.notice_id or "", d.state, len(d.attempts), d.detail or "")
        for d in page.items
    ]
    console.listing(
        ("AT", "ID", "EVENT", "NOTICE", "STATE", "ATTEMPTS", ""), rows, empty="Nothing went there yet."
    )  # fmt: skip


def _attempts(found: Sequence[calls.DeliveryView]) -> None:
    rows = [
        (
            a.at, d.notice_id or "digest", a.number, a.status or "", a.took_ms,
            " ".join(f"{name} {ms:g}" for name, ms in (a.phases or {}).items() if ms >= 1),
            a.address or "", a.fault or "", a.words or a.answer or "",
        )
        for d in found
        for a in d.attempts
    ]  # fmt: skip
    console.listing(
        ("AT", "NOTICE", "TRY", "STATUS", "MS", "OF THAT", "ADDRESS", "FAULT", ""), rows,
        empty="Nothing was tried yet.",
    )  # fmt: skip


@app.command()
def remove(uid: Uid, json: AsJson = False) -> None:
    """Take out an endpoint with its deliveries."""
    with opening.runtime() as rt:
        endpoints.delete(rt, None, uid)
    console.as_json({"removed": uid}) if json else console.say("Removed.")


@app.command()
def check(uid: Uid, json: AsJson = False) -> None:
    """Test the receiver behind an endpoint: good calls, forged, old and doubled ones. Exit code 1 at a fault.

    About fifteen test events are sent; health and deliveries are left alone.
    """
    with opening.runtime() as rt, console.busy("Calling"):
        report = conformance.check(rt, None, uid)
    if json:
        console.as_json(report)
    else:
        for one in report.checks:
            console.say(f"{MARKS[one.verdict]} {one.code}: {one.came}")
            if one.advice:
                console.say(f"    sent: {one.sent}\n    expected: {one.expected}\n    to do: {one.advice}")
        console.say("The receiver does all of it right." if report.is_ok else "The receiver is not ready.")
    if not report.is_ok:
        raise typer.Exit(1)


replays.attach(app)
