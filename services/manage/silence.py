"""Asking the silent whether they still want letters: one question, one reminder; without an answer, the end.

Each step is written with the letter that tells it, in one transaction and a batch at a time, so that a kill
repeats none. Nobody is let go whom the question did not reach.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.domain import consents, links, tokens
from services.domain.silence import A_MONTH_DAYS, ANSWER_WITHIN, END_AFTER, REMIND_AFTER
from services.errors import NotFound
from services.manage import letters
from services.manage.persons import need
from services.manage.subscribers import SubscriberView, show_by_id
from services.runtime import Runtime
from services.storage import leaving
from services.storage import silence as store
from services.storage import subscribers as people
from services.storage import subscriptions as uses
from services.storage.tables import Subscriber

BATCH = 100
BATCHES = 20  # in one round: what is left comes an hour later, so that no provider sees a flood

Find = Callable[[Session], Sequence[Subscriber]]
Step = Callable[[Session, Subscriber], None]


@dataclass(frozen=True, slots=True)
class Silent:
    """What one round did, in persons."""

    asked: int = 0
    reminded: int = 0
    ended: int = 0
    asked_anew: int = 0


def run(rt: Runtime) -> Silent:
    """Let go of, remind and ask those whose time has come. Where the settings say no time, questions that
    are still open are taken back."""
    after, now = rt.settings.reconsent_after_days, rt.clock.now()
    if after is None:
        with rt.begin() as session:
            store.take_back(session, limit=BATCH * BATCHES)
        return Silent()
    ended = _each(
        rt,
        lambda session: store.to_end(session, sent_before=now - END_AFTER, now=now, limit=BATCH),
        lambda session, person: _end(rt, session, person, now),
    )
    reminded = _each(
        rt,
        lambda session: store.to_remind(session, sent_before=now - REMIND_AFTER, now=now, limit=BATCH),
        lambda session, person: _remind(rt, session, person, now),
    )
    with rt.begin() as session:
        anew = store.ask_anew(session, before=now - ANSWER_WITHIN, limit=BATCH * BATCHES)
    since = now - timedelta(days=after)
    asked = _each(
        rt,
        lambda session: store.to_ask(session, silent_since=since, now=now, limit=BATCH),
        lambda session, person: _ask(rt, session, person, now, after),
    )
    if ended or reminded or asked:
        rt.bell.ring("deliver_mail")
    return Silent(asked, reminded, ended, anew)


def heard(rt: Runtime, subscriber_id: int) -> None:
    """The person did something themselves: they are not silent, and an open question is answered by it."""
    with rt.begin() as session:
        _answered(session, need(rt, session, subscriber_id), via="change", at=rt.clock.now())


def look(rt: Runtime, token: str) -> SubscriberView:
    """Whom a question was put to, changing nothing. Raises BadInput for a false link, NotFound for one who
    was erased."""
    named = tokens.read(rt.settings.secret_key, links.STAY, token, rt.clock.now())
    return show_by_id(rt, int(named["s"]))


def stay(rt: Runtime, token: str) -> bool:
    """Yes, I stay: with its line in the ledger of consents, once for each question. False when the person
    has left meanwhile: that needs a new sign-up."""
    person, now = look(rt, token), rt.clock.now()
    with rt.begin() as session:
        held = people.hold(session, person.id)
        if held is None:
            raise NotFound("There is no such subscriber.")
        if held.state != "active":
            return False
        _answered(session, held, via="web", at=now)
    return True


def _answered(session: Session, person: Subscriber, *, via: str, at: datetime) -> None:
    if person.asked_at is not None:
        _consent(session, person, "stay", via=via, at=at)
    people.heard(person, at)


def _each(rt: Runtime, find: Find, step: Step) -> int:
    """Do a step for all that are found, a batch in a transaction; returns for how many."""
    done = 0
    for _ in range(BATCHES):
        with rt.begin() as session:
            found = find(session)
            for person in found:
                step(session, person)
        done += len(found)
        if len(found) < BATCH or rt.stopping.is_set():
            break
    return done


def _ask(rt: Runtime, session: Session, person: Subscriber, now: datetime, after_days: int) -> None:
    person.asked_at, person.reminded_at = now, None
    _write(rt, session, person, store.ASKING, until=now + ANSWER_WITHIN, months=after_days // A_MONTH_DAYS)
    _consent(session, person, "asked_to_stay", via="letter", at=now)


def _remind(rt: Runtime, session: Session, person: Subscriber, now: datetime) -> None:
    person.reminded_at = now
    _write(rt, session, person, store.REMINDING, until=now + END_AFTER, months=0)
    _consent(session, person, "reminded_to_stay", via="letter", at=now)


def _end(rt: Runtime, session: Session, person: Subscriber, now: datetime) -> None:
    leaving.drop_all(session, person.id)
    person.state = "left"
    person.asked_at = person.reminded_at = None
    _consent(session, person, "leave", via="silence", at=now)
    if rt.settings.goodbye:
        letters.say_goodbye(rt, session, person, why="silence")


def _write(
    rt: Runtime, session: Session, person: Subscriber, kind: str, *, until: datetime, months: int
) -> None:
    labels = [one.label for one in uses.of_subscriber(session, person.id)]
    letter = letters.write(
        rt, kind, locale=person.locale, labels=labels, zone=person.timezone, until=until, months=months
    )
    url = links.stay_url(rt.settings.base_url, rt.settings.secret_key, person.id)
    at = person.reminded_at or person.asked_at or until
    letters.put(rt, session, letter, subscriber_id=person.id, window_key=f"{kind}:{at.isoformat()}", url=url)


def _consent(session: Session, person: Subscriber, action: str, *, via: str, at: datetime) -> None:
    people.write_consent(
        session, email_hash=person.email_hash, action=action, text_version=consents.TEXT_VERSION, via=via,
        at=at,
    )  # fmt: skip
