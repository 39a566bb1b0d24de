"""When and how a person's letters come: their own settings in one piece, for the API and the command line.

Either all that is given changes or nothing does. What is agreed to (commercial notices) is not among them:
that is asked where its words can be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.domain import reach
from services.errors import BadInput
from services.manage import checks
from services.manage.persons import need
from services.runtime import Runtime
from services.storage import audit, holding
from services.storage import subscriptions as uses
from services.storage.tables import Subscriber

NAMES = ("cadence", "quiet_hours", "daily_budget", "paused_until", "locale", "timezone")


@dataclass(frozen=True, slots=True)
class Preferences:
    """`quiet_hours` as 22:00-07:00, local; None is none, as no `daily_budget` is no limit."""

    email: str
    cadence: str
    quiet_hours: str | None
    daily_budget: int | None
    paused_until: datetime | None
    locale: str
    timezone: str


def show(rt: Runtime, who: int | str) -> Preferences:
    """A person's settings, by id or address."""
    with rt.begin() as session:
        return _view(need(rt, session, who), rt.clock.now())


def change(rt: Runtime, who: int | str, given: Mapping[str, Any], *, by: str | None = None) -> Preferences:
    """Change what is given, by its name in `NAMES`. `by` is an operator, who leaves a line in the audit.

    A pause that lies in the past is its end. Raises BadInput, and then nothing has changed.
    """
    checked, now = {name: _checked(name, value) for name, value in given.items()}, rt.clock.now()
    with rt.begin() as session:
        person = need(rt, session, who)
        _apply(session, person, checked, now=now)
        if by is not None:
            target, names = str(person.id), sorted(checked)
            audit.write_line(session, at=now, actor=by, action="subscriber.change", target=target, what=names)
        view = _view(person, now)
    rt.bell.ring("compose")
    return view


def _apply(session: Session, person: Subscriber, given: Mapping[str, Any], *, now: datetime) -> None:
    for name in ("locale", "daily_budget"):
        if name in given:
            setattr(person, name, given[name])
    if "quiet_hours" in given:
        person.quiet_from, person.quiet_until = given["quiet_hours"]
    if "timezone" in given:
        move_to(session, person, given["timezone"], now=now)
    if "cadence" in given:
        use_cadence(session, person, given["cadence"], now=now)
    if "paused_until" in given:
        until = given["paused_until"]
        person.paused_until = until if until is not None and until > now else None
        holding.release(session, person.id, at=person.paused_until or now)


def use_cadence(session: Session, person: Subscriber, cadence: str, *, now: datetime) -> None:
    """Another usual cadence; the subscriptions that follow it change with it."""
    person.cadence = cadence
    for one in uses.of_subscriber(session, person.id):
        if one.follows_usual and one.cadence != cadence:
            uses.change_cadence(session, one, cadence, now=now)
    uses.keep_rhythms(session, person, now=now)


def move_to(session: Session, person: Subscriber, zone: str, *, now: datetime) -> None:
    """Another zone; digests come at the same hours there."""
    person.timezone = zone
    uses.move_rhythms(session, person, now=now)


def quiet_pair(text: str | None) -> tuple[str | None, str | None]:
    """Quiet hours written as 22:00-07:00, taken apart; nothing is none. Raises BadInput."""
    begins, dash, ends = (text or "").partition("-")
    if text and not dash:
        raise BadInput("Write quiet hours as 22:00-07:00.", field="quiet_hours")
    found = reach.quiet_hours(begins.strip(), ends.strip())
    return (f"{found[0]:%H:%M}", f"{found[1]:%H:%M}") if found else (None, None)


def _checked(name: str, value: Any) -> Any:
    match name:
        case "cadence":
            return checks.cadence_text(value)
        case "quiet_hours":
            return quiet_pair(value)
        case "daily_budget":
            return reach.budget(value)
        case "locale":
            return checks.locale(value)
        case "timezone":
            return checks.timezone(value)
        case "paused_until":
            return value
        case _:
            raise BadInput(f"“{name[:40]}” is no setting; they are {', '.join(NAMES)}.", field=name)


def _view(person: Subscriber, now: datetime) -> Preferences:
    paused = person.paused_until
    return Preferences(
        email=person.email, cadence=person.cadence,
        quiet_hours=f"{person.quiet_from}-{person.quiet_until}" if person.quiet_from else None,
        daily_budget=person.daily_budget, paused_until=paused if paused and paused > now else None,
        locale=person.locale, timezone=person.timezone,
    )  # fmt: skip
