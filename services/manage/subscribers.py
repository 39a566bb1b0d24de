"""Subscribers: signing up, confirming, changing one's own settings, leaving.

Nothing that a stranger can type changes what a person gets: a sign-up only sends a letter, and what it asked
for is kept with that letter until its button is pressed. What is said never depends on whether an address
is known here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.domain import consents, links, reach, seal, tokens
from services.errors import BadInput
from services.manage import checks, confirming, contacts, highlights, letters, preferences
from services.manage.persons import need
from services.manage.privacy import allow_again, erase, export, forget_unconfirmed, manage_link
from services.manage.subscriptions import Pledge, SubscriptionView, Wish, pledge, subscribe, view_of
from services.runtime import Runtime
from services.storage import audit, holding, leaving
from services.storage import subscribers as store
from services.storage.tables import Subscriber

__all__ = [
    "SubscriberView", "add_confirmed", "allow_again", "confirm", "erase", "export", "forget_unconfirmed",
    "leave", "look_at_confirmation", "manage_link", "pause", "resume", "set_cadence", "set_commercial",
    "set_locale", "set_reach", "set_timezone", "show", "show_by_id", "sign_up",
]  # fmt: skip

MAX_WISHES = 50


@dataclass(frozen=True, slots=True)
class SubscriberView:
    """A person as they see themselves; `state` is pending, active or left."""

    id: int
    email: str
    state: str
    locale: str
    timezone: str
    commercial: bool
    paused_until: datetime | None
    cadence: str
    quiet_from: str | None
    quiet_until: str | None
    daily_budget: int | None
    created_at: datetime
    confirmed_at: datetime | None
    heard_at: datetime | None
    asked_at: datetime | None
    suppressed: str | None
    subscriptions: tuple[SubscriptionView, ...]


def sign_up(
    rt: Runtime, *, email: str, interests: Sequence[Wish], locale: str = "pl",
    timezone: str = "Europe/Warsaw", commercial: bool = False, via: str = "web",
) -> None:  # fmt: skip
    """Send the letter with the button; at most three a day to one address, none to a suppressed one.

    Raises BadInput or QueryError for what was typed wrong, and otherwise does the same whatever the address.
    """
    address, wishes = checks.email_address(email), _wishes(interests)
    asked = {"wishes": [asdict(one) for one in wishes], "commercial": commercial, "via": via,
             "locale": checks.locale(locale), "timezone": checks.timezone(timezone)}  # fmt: skip
    confirming.ask(rt, address, labels=[one.label for one in wishes], asked=asked)


def confirm(rt: Runtime, token: str) -> SubscriberView:
    """Do what one sign-up asked for. The same button again changes nothing."""
    now = rt.clock.now()
    named = tokens.read(rt.settings.secret_key, links.CONFIRM, token, now)
    key = f"confirm:{named['k']}" if "k" in named else None
    with rt.begin() as session:
        person = store.hold(session, int(named["s"]))
        found = store.letter(session, person.id, kind="confirm", window_key=key) if person else None
        if person is None or found is None:
            raise BadInput("This link is no longer valid. Sign up again.", expired=True)
        if found.slots.get("confirmed"):
            return _view(session, person)
        asked = json.loads(found.slots["asked"])
        found.slots = {**found.slots, "confirmed": now.isoformat()}
        is_new = person.state != "active"
        _activate(session, person, asked, now=now)
        subscribe(session, person, [Pledge(**one) for one in asked["wishes"]], now=now)
        if "endpoint" in asked:
            contacts.confirmed(session, person, asked["endpoint"], now=now)
        view = _view(session, person)
    if is_new and view.subscriptions:
        _welcome(rt, view)
    return view


def look_at_confirmation(rt: Runtime, token: str) -> tuple[str, ...]:
    """The labels that a confirmation is about, changing nothing."""
    named = tokens.read(rt.settings.secret_key, links.CONFIRM, token, rt.clock.now())
    key = f"confirm:{named['k']}" if "k" in named else None
    with rt.begin() as session:
        found = store.letter(session, int(named["s"]), kind="confirm", window_key=key)
        if found is None:
            raise BadInput("This link is no longer valid. Sign up again.", expired=True)
        asked = json.loads(found.slots["asked"])
        return (*asked.get("labels", ()), *(one["label"] for one in asked["wishes"]))


def add_confirmed(
    rt: Runtime, *, email: str, interests: Sequence[Wish], locale: str = "pl",
    timezone: str = "Europe/Warsaw", commercial: bool = False, via: str = "operator", by: str = "operator",
) -> SubscriberView:  # fmt: skip
    """A subscriber whose consent the operator holds on paper; an existing one gets these interests too."""
    address, wishes = checks.email_address(email), _wishes(interests)
    asked = {"commercial": commercial, "via": via, "locale": checks.locale(locale),
             "timezone": checks.timezone(timezone)}  # fmt: skip
    digest, now = seal.email_hash(rt.settings.secret_key, address), rt.clock.now()
    with rt.begin() as session:
        person = store.ensure(
            session, email=address, email_hash=digest, locale=locale, timezone=timezone, now=now
        )
        _activate(session, person, asked, now=now)
        subscribe(session, person, wishes, now=now)
        audit.write_line(session, at=now, actor=by, action="subscriber.add", target=str(person.id))
        return _view(session, person)


def show(rt: Runtime, email: str) -> SubscriberView:
    with rt.begin() as session:
        return _view(session, need(rt, session, email))


def show_by_id(rt: Runtime, subscriber_id: int) -> SubscriberView:
    with rt.begin() as session:
        return _view(session, need(rt, session, subscriber_id))


def pause(rt: Runtime, subscriber_id: int, until: datetime) -> SubscriberView:
    """Send nothing until a time; then what came meanwhile comes in one letter."""
    if until <= rt.clock.now():
        raise BadInput("The end of a pause lies in the future.", field="paused_until")
    return _paused(rt, subscriber_id, until)


def resume(rt: Runtime, subscriber_id: int) -> SubscriberView:
    """End a pause now; what waited comes at once, in one letter."""
    found = _paused(rt, subscriber_id, None)
    rt.bell.ring("compose")
    return found


def _paused(rt: Runtime, subscriber_id: int, until: datetime | None) -> SubscriberView:
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        person.paused_until = until
        holding.release(session, person.id, at=until or rt.clock.now())
        return _view(session, person)


def set_locale(rt: Runtime, subscriber_id: int, locale: str) -> SubscriberView:
    return _change(rt, subscriber_id, locale=checks.locale(locale))


def set_timezone(rt: Runtime, subscriber_id: int, timezone: str) -> SubscriberView:
    """Another zone; digests come at the same hours there."""
    name, now = checks.timezone(timezone), rt.clock.now()
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        preferences.move_to(session, person, name, now=now)
        return _view(session, person)


def set_cadence(rt: Runtime, subscriber_id: int, cadence: str) -> SubscriberView:
    """Another usual cadence; the subscriptions that follow it change with it."""
    rule, now = checks.cadence_text(cadence), rt.clock.now()
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        preferences.use_cadence(session, person, rule, now=now)
        view = _view(session, person)
    rt.bell.ring("compose")
    return view


def set_reach(
    rt: Runtime, subscriber_id: int, *, quiet_from: str | None, quiet_until: str | None,
    daily_budget: int | None,
) -> SubscriberView:  # fmt: skip
    """Quiet hours in local time (HH:MM, both or none) and the most stories a day; None is no limit."""
    quiet, most = reach.quiet_hours(quiet_from, quiet_until), reach.budget(daily_budget)
    begins, ends = (f"{one:%H:%M}" for one in quiet) if quiet else (None, None)
    return _change(rt, subscriber_id, quiet_from=begins, quiet_until=ends, daily_budget=most)


def set_commercial(rt: Runtime, subscriber_id: int, wanted: bool, *, via: str = "web") -> SubscriberView:
    """Agree, or no longer agree, to commercial notices (electronic communications act, art. 398)."""
    now = rt.clock.now()
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        _set_commercial(session, person, wanted, via=via, at=now)
        return _view(session, person)


def leave(rt: Runtime, subscriber_id: int, *, via: str = "web") -> None:
    """End everything; signing up again needs a new confirmation. Leaving twice is no error."""
    now = rt.clock.now()
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        if person.state == "left":
            return
        leaving.drop_all(session, person.id)
        person.state = "left"
        _consent(session, person, "leave", via=via, at=now)
        if rt.settings.goodbye and via == "web":
            letters.say_goodbye(rt, session, person, why="left")
    rt.bell.ring("deliver_mail")


def _wishes(interests: Sequence[Wish]) -> list[Pledge]:
    if not interests:
        raise BadInput("Choose at least one interest.", field="interests")
    if len(interests) > MAX_WISHES:
        raise BadInput(f"At most {MAX_WISHES} interests can be asked for at once.", field="interests")
    return list({one.canonical: one for one in map(pledge, interests)}.values())


def _activate(session: Session, person: Subscriber, asked: dict[str, object], *, now: datetime) -> None:
    """From here on mail may go out; a person who is active already keeps language and zone."""
    via = str(asked["via"])
    if person.state != "active":
        person.state, person.confirmed_at, person.paused_until = "active", now, None
        person.locale, person.timezone = str(asked["locale"]), str(asked["timezone"])
    store.heard(person, now)
    _consent(session, person, "confirm", via=via, at=now)
    if asked["commercial"]:
        _set_commercial(session, person, True, via=via, at=now)


def _set_commercial(session: Session, person: Subscriber, wanted: bool, *, via: str, at: datetime) -> None:
    if person.commercial == wanted:
        return
    person.commercial = wanted
    _consent(session, person, "commercial_on" if wanted else "commercial_off", via=via, at=at)


def _consent(session: Session, person: Subscriber, action: str, *, via: str, at: datetime) -> None:
    store.write_consent(
        session,
        email_hash=person.email_hash,
        action=action,
        text_version=consents.TEXT_VERSION,
        via=via,
        at=at,
    )


def _welcome(rt: Runtime, view: SubscriberView) -> None:
    """The one letter that shows where one's own page is; once for each time a person comes."""
    if not rt.settings.welcome:
        return
    best = highlights.best(rt, [one.canonical for one in view.subscriptions], commercial=view.commercial)
    labels = [one.label for one in view.subscriptions]
    letter = letters.write(rt, "welcome", locale=view.locale, labels=labels, best=best)
    came = view.confirmed_at or view.created_at
    url = links.manage_url(rt.settings.base_url, rt.settings.secret_key, view.id)
    with rt.begin() as session:
        if store.hold(session, view.id) is None:
            return
        letters.put(
            rt, session, letter, subscriber_id=view.id, window_key=f"welcome:{came.isoformat()}", url=url
        )
    rt.bell.ring("deliver_mail")


def _change(rt: Runtime, subscriber_id: int, **values: object) -> SubscriberView:
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        for name, value in values.items():
            setattr(person, name, value)
        return _view(session, person)


def _view(session: Session, person: Subscriber) -> SubscriberView:
    session.flush()
    blocked = store.suppression(session, person.email_hash)
    return SubscriberView(
        id=person.id, email=person.email, state=person.state, locale=person.locale,
        timezone=person.timezone, commercial=person.commercial, paused_until=person.paused_until,
        cadence=person.cadence, quiet_from=person.quiet_from, quiet_until=person.quiet_until,
        daily_budget=person.daily_budget,
        created_at=person.created_at, confirmed_at=person.confirmed_at,
        heard_at=person.heard_at, asked_at=person.asked_at,
        suppressed=blocked.reason if blocked else None,
        subscriptions=tuple(view_of(row, text) for row, text in store.subscriptions_of(session, person.id)),
    )  # fmt: skip
