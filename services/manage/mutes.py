"""Less of this: what a person mutes, what comes of what waited, and how it is taken back.

A mute speaks for one person alone and never touches what others get. What it kept away is not sent later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from services.domain.mutes import MuteKind
from services.errors import BadInput, NotFound
from services.interests.documents import Document
from services.manage import checks
from services.manage.persons import need
from services.manage.sieve import sieve
from services.runtime import Runtime
from services.storage import institutions as owners
from services.storage import mutes as store
from services.storage import search
from services.storage import subscriptions as uses
from services.storage.mutes import Muted, Waits
from services.storage.tables import Mute

MAX_MUTES = 200
MAX_LABEL = 200
BATCH = 500

Concerns = Callable[[Waits, Document | None], bool]


@dataclass(frozen=True, slots=True)
class MuteView:
    """`label` names it for people; without `until` it lasts until it is lifted."""

    id: int
    kind: str
    label: str
    until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What to mute: an institution's slug, a word or query, a story's id, or a subscription's id."""

    kind: MuteKind
    value: str
    until: datetime | None = None


def list_for(rt: Runtime, subscriber_id: int) -> list[MuteView]:
    """What a person has muted and is not over, oldest first."""
    with rt.begin() as session:
        return [_view(one.row) for one in store.of_subscriber(session, subscriber_id, now=rt.clock.now())]


def add(rt: Runtime, subscriber_id: int, wanted: Unwanted) -> MuteView:
    """Mute from now on, and leave out what waits; the same again changes how long it lasts, and a time that
    has passed ends it.

    Raises BadInput, QueryError with the place, or NotFound for what is muted.
    """
    now = rt.clock.now()
    typed = checks.query(wanted.value) if wanted.kind is MuteKind.WORD else None
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        if store.number_of(session, person.id) >= MAX_MUTES:
            raise BadInput(f"A person can mute at most {MAX_MUTES} things; lift one that serves no more.")
        label, target, concerns = _target(rt, session, person.id, wanted, typed)
        row = store.put(
            session, person.id, kind=wanted.kind, target=target, label=label[:MAX_LABEL], until=wanted.until,
            now=now,
        )  # fmt: skip
        if wanted.until is None or wanted.until > now:
            _leave_out(session, person.id, f"muted_{wanted.kind}", concerns, reads="interest_id" in target)
        return _view(row)


def lift(rt: Runtime, subscriber_id: int, mute_id: int) -> None:
    """Let it come again; what was kept away meanwhile is not sent later. Raises NotFound."""
    with rt.begin() as session:
        person = need(rt, session, subscriber_id)
        if not store.lift(session, person.id, mute_id):
            raise NotFound("There is no such mute.")


def _target(
    rt: Runtime, session: Session, subscriber_id: int, wanted: Unwanted, typed: tuple[str, str] | None
) -> tuple[str, dict[str, int], Concerns]:
    """What a mute is called, what it points at, and the test for what waits."""
    match wanted.kind:
        case MuteKind.INTEREST:
            number = _number(wanted.value)
            mine = {row.id: row for row in uses.of_subscriber(session, subscriber_id)}
            if number not in mine:
                raise NotFound("There is no such subscription.")
            return mine[number].label, {"subscription_id": number}, lambda w, _: w.subscription_id == number
        case MuteKind.STORY:
            number = _number(wanted.value)
            title = store.story_of(session, number)
            if title is None:
                raise NotFound("There is no such story.")
            return title, {"story_id": number}, lambda w, _: w.story_id == number
        case MuteKind.INSTITUTION:
            owner = owners.by_slug(session, wanted.value)
            if owner is None:
                raise NotFound("There is no such institution.")
            return owner.name, *_held(rt, session, checks.query(f"institution:{owner.slug}")[1])
        case MuteKind.WORD:
            assert typed is not None
            return typed[0], *_held(rt, session, typed[1])
        case _:
            assert_never(wanted.kind)


def _held(rt: Runtime, session: Session, canonical: str) -> tuple[dict[str, int], Concerns]:
    """An interest that the matchers hold against everything, for this person's mute."""
    ids = uses.intern(session, [canonical], now=rt.clock.now())
    meets = sieve(rt, canonical)
    return {"interest_id": ids[canonical]}, lambda _, document: document is not None and meets(document)


def _leave_out(session: Session, subscriber_id: int, reason: str, concerns: Concerns, *, reads: bool) -> None:
    """End what waits for the person and is muted now."""
    after = 0
    while waits := store.waiting(session, subscriber_id, after=after, limit=BATCH):
        documents = dict(search.documents_of(session, sorted({w.event_id for w in waits}))) if reads else {}
        ended = [w.id for w in waits if concerns(w, documents.get(w.event_id))]
        store.exclude(session, ended, reason)
        after = waits[-1].id


def silenced(rt: Runtime, mutes: list[Muted]) -> Callable[[search.Listed], bool]:
    """A test whether any of these mutes of stories, words or institutions keeps a notice away."""
    stories = {one.row.story_id for one in mutes if one.row.story_id is not None}
    held = [sieve(rt, one.canonical) for one in mutes if one.canonical is not None]
    return lambda listed: (
        int(listed.form["story"]) in stories or any(meets(listed.document()) for meets in held)
    )


def named(rt: Runtime, mutes: list[Muted], listed: search.Listed) -> dict[str, list[str]]:
    """{kind: what they are called} of the mutes (not those of interests) that keep a notice away."""
    found: dict[str, list[str]] = {}
    for one in mutes:
        if silenced(rt, [one])(listed):
            found.setdefault(one.row.kind, []).append(one.row.label)
    return found


def _number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise NotFound("There is nothing of this number.")
    return int(value)


def _view(row: Mute) -> MuteView:
    return MuteView(row.id, row.kind, row.label, row.until, row.created_at)
