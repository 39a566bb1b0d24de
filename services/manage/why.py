"""Why somebody was, or was not, told of a notice: the rows that each stage left, read back in order.

Guesses nothing: where a row is missing it says so. Tells about one recipient, never about others.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.domain import seal
from services.domain.events import rfc3339
from services.domain.reach import CATCHUP
from services.errors import NotFound
from services.manage import checks, mutes
from services.manage.reasons import Step, Told, of_interest
from services.runtime import Runtime
from services.storage import mutes as muted
from services.storage import search, trail
from services.storage import subscribers as people
from services.storage.tables import Candidate, Endpoint, Event, Subscriber
from services.storage.trail import Asked, Sent

REASONS = {
    "not_confirmed": "the address was not confirmed then",
    "suppressed": "mail to this address is suppressed",
    "muted_interest": "this interest was muted then",
    "muted_story": "this story was muted then",
    "muted_institution": "its institution was muted then",
    "muted_word": "a word that it holds was muted then",
    "paused": "a pause was on",
    "no_commercial_consent": "it is commercial, and they did not agree to commercial notices",
    "withdrawn": "it was withdrawn before it was told",
    "superseded": "it was changed before it was told",
    "already_told": "this story was told already",
    "told_by_a_newer_event": "a newer word of this story was told in the same letter",
    "never_told": "they were never told of what it takes back",
    "left": "they had left",
    "interest_changed": "the interest was changed meanwhile",
}
STATES = {
    "waiting": "waits for the endpoint's next digest",
    "pending": "waits to be sent",
    "sending": "is being sent",
    "sent": "was sent",
    "retry": "failed so far and is tried again",
    "failed": "failed for good",
    "suppressed": "was not sent: the address is suppressed",
    "uncertain": "may have been sent; nobody knows",
}


@dataclass(frozen=True, slots=True)
class Why:
    """The whole story in steps, and its end in one sentence."""

    notice_id: int
    steps: tuple[Step, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class _Asker:
    """The recipient with what they ask for."""

    person: Subscriber | None
    endpoint: Endpoint | None
    asked: tuple[Asked, ...]
    suppressed: str | None


def why(rt: Runtime, *, notice_id: int, recipient: str) -> Why:
    """Tell of one notice and one recipient: an address, or an endpoint's id. Raises NotFound."""
    now = rt.clock.now()
    with rt.begin() as session:
        found = search.some(session, [notice_id])
        if not found:
            raise NotFound("There is no such notice.", notice_id=notice_id)
        asker = _asker(rt, session, recipient)
        events = trail.events(session, notice_id)
        steps = [_published(session, found[0], events)]
        steps += [_event(event) for event in events]
        steps += [_recipient(asker, now)]
        more: list[Step] = []
        if asker.person is not None:
            standing = muted.of_subscriber(session, asker.person.id, now=now)
            names = mutes.named(rt, standing, found[0])
            more, sent, reached = _mail_steps(session, asker.person, events, names)
        else:
            assert asker.endpoint is not None
            sent = trail.calls(session, [e.id for e in events], asker.endpoint.id)
            reached = {one.id for one in asker.asked} if sent else set()
        told = Told(events, dict(search.documents_of(session, [e.id for e in events])), found[0].document(),
                    frozenset(reached))  # fmt: skip
        steps += _interests(rt, session, asker, told, now)
        steps += [*more, *(_delivery(one) for one in sent)]
    return Why(notice_id, tuple(steps), _verdict(steps, sent))


def _asker(rt: Runtime, session: Session, recipient: str) -> _Asker:
    if "@" in recipient:
        digest = seal.email_hash(rt.settings.secret_key, checks.email_address(recipient))
        person = people.by_hash(session, digest)
        blocked = people.suppression(session, digest)
        if person is None:
            raise NotFound("There is no such subscriber; nobody is told who did not ask.")
        asked = trail.asked_by_subscriber(session, person.id)
        return _Asker(person, None, tuple(asked), blocked.reason if blocked else None)
    try:
        endpoint = trail.endpoint(session, uuid.UUID(recipient))
    except ValueError:
        endpoint = None
    if endpoint is None:
        raise NotFound("There is no such recipient; give an e-mail address or an endpoint's id.")
    return _Asker(None, endpoint, tuple(trail.asked_by_endpoint(session, endpoint.id)), None)


def _published(session: Session, notice: search.Listed, events: Sequence[Event]) -> Step:
    form = notice.form
    source = trail.source(session, int(form["source"]))
    door = "by its institution" if source is None or source.kind == "push" else f"by source {source.id}"
    first = events[0].at if events else None
    text = f"“{form['title']}” of {form['institution']['name']} came in {door}"
    if not events:
        text += "; it was old when it was first read, so nobody is told of it"
    return Step(
        "published", first, bool(events), text, {"source": form["source"], "revision": notice.revision}
    )


def _event(event: Event) -> Step:
    data = {"event": str(event.uid), "revision": event.revision, "state": event.state}
    if event.state == "matched":
        return Step(event.type, event.at, True, f"event {event.type} was held against all interests", data)
    if event.error:
        text = f"event {event.type} is in quarantine: it could not be matched, and is tried again"
        return Step(event.type, event.at, False, text, data | {"quarantined": True, "error": event.error})
    return Step(event.type, event.at, None, f"event {event.type} waits to be matched", data)


def _recipient(asker: _Asker, now: datetime) -> Step:
    if asker.endpoint is not None:
        state = asker.endpoint.state
        because = f" ({asker.endpoint.state_because})" if asker.endpoint.state_because else ""
        data = {"state": state, "because": asker.endpoint.state_because}
        return Step("recipient", None, state == "active", f"the endpoint is {state}{because}", data)
    assert asker.person is not None
    person = asker.person
    if asker.suppressed:
        text = f"mail to this address is suppressed: {asker.suppressed}"
        return Step("recipient", None, False, text, {"state": "suppressed", "because": asker.suppressed})
    if person.state != "active":
        return Step("recipient", None, False, f"the subscriber is {person.state}", {"state": person.state})
    if person.paused_until and person.paused_until > now:
        text = "the subscriber paused everything until then"
        return Step("recipient", person.paused_until, False, text, {"state": "paused"})
    text = "the subscriber confirmed the address"
    return Step("recipient", person.confirmed_at, True, text, {"state": "active"})


def _interests(rt: Runtime, session: Session, asker: _Asker, told: Told, now: datetime) -> list[Step]:
    """For each interest: met, with the words and where; or the condition that failed."""
    if not asker.asked:
        return [Step("interest", None, False, "nothing is asked for", {"code": "nothing"})]
    met = trail.matches(session, [e.id for e in told.events], [a.interest_id for a in asker.asked])
    return [of_interest(asked, told, met, now=now, analyser=rt.analyser) for asked in asker.asked]


def _mail_steps(
    session: Session, person: Subscriber, events: Sequence[Event], muted_as: Mapping[str, Sequence[str]]
) -> tuple[list[Step], list[Sent], set[int]]:
    """What became of it for a person, the letters, and the subscriptions that it reached.

    What a letter told stands, though the interest by which it came may be gone.
    """
    types = {e.id: e.type for e in events}
    rows = trail.candidates(session, list(types), person.id)
    letters = trail.letters_of(session, list(types), person.id)
    windows = trail.rhythms(session, person.id)
    steps = [_candidate(row, types[row.event_id], windows, muted_as, letters) for row in rows]
    if events and any(row.reason == "already_told" for row in rows):
        steps += _told_by_another(session, events[0].notice_id, person.id)
    kept = {row.issue_id for row in rows}
    steps += [_letter(issue_id, names) for issue_id, names in letters.items() if issue_id not in kept]
    issues = sorted({*letters, *(row.issue_id for row in rows if row.issue_id)})
    ranks = trail.ranks(session, issues, list(types))
    steps += [_rank(issue_id, ranked) for (issue_id, _), ranked in ranks.items()]
    return steps, trail.letters(session, issues), {row.subscription_id for row in rows}


def _letter(issue_id: int, names: str) -> Step:
    """Of a letter whose interest is no more."""
    by = f", by “{names}”" if names else ""
    text = f"went into letter {issue_id}{by}; what asked for it was dropped since"
    return Step("issue", None, True, text, {"state": "dropped", "letter": issue_id, "names": names})


def _told_by_another(session: Session, notice_id: int, subscriber_id: int) -> list[Step]:
    found = trail.teller(session, notice_id, subscriber_id)
    if found is None:
        return []
    text = (
        f"the story was told by notice {found.notice_id} of {found.institution}, in letter {found.issue_id}"
    )
    data = {"notice": found.notice_id, "institution": found.institution, "letter": found.issue_id}
    return [Step("story", None, True, text, data)]


def _candidate(
    row: Candidate, kind: str, windows: Mapping[str, datetime], muted_as: Mapping[str, Sequence[str]],
    letters: Mapping[int, str],
) -> Step:  # fmt: skip
    data: dict[str, Any] = {
        "candidate": row.id, "state": row.state, "reason": row.reason, "cadence": row.cadence,
        "event": kind, "letter": row.issue_id,
    }  # fmt: skip
    match row.state:
        case "issued":
            names = letters.get(row.issue_id or 0)
            by = f", by “{names}”" if names else ""
            text = f"{kind}: went into letter {row.issue_id}{by}"
            return Step("issue", row.at, True, text, data | {"names": names})
        case "excluded":
            told = REASONS.get(row.reason or "", row.reason or "no reason is known")
            silent = list(muted_as.get((row.reason or "").removeprefix("muted_"), ()))
            by = f" ({', '.join(f'“{name}”' for name in silent)})" if silent else ""
            return Step("issue", row.at, False, f"{kind}: left out, {told}{by}", data | {"muted": silent})
        case "shown":
            return Step("issue", row.at, True, f"{kind}: stands in the private feed", data)
        case _:
            due = windows.get(row.cadence)
            data["due_at"] = rfc3339(due) if due else None
            if row.cadence == CATCHUP:
                when = f" until {rfc3339(due)}" if due else ""
                text = f"{kind}: held back by a pause, quiet hours or the daily limit{when}"
                return Step("issue", row.at, None, text, data)
            when = f" for {rfc3339(due)}" if due else ""
            return Step("issue", row.at, None, f"{kind}: waits ({row.cadence}){when}", data)


def _rank(issue_id: int, ranked: dict[str, Any]) -> Step:
    """Why it stood where it stood in a digest: the factors whose product is its score."""
    text = (
        f"place {ranked['place']} in letter {issue_id}, by a score of {ranked['score']}: "
        f"what it meets {ranked['match']} × its deadline {ranked['deadline']} × how new it is "
        f"{ranked['novelty']} × variety of institutions, cities and subjects {ranked['variety']}"
    )
    return Step("rank", None, True, text, ranked)


def _delivery(one: Sent) -> Step:
    what = "the call" if one.issue_id is None else f"letter {one.issue_id} ({one.kind})"
    told = STATES.get(one.state, one.state)
    tries = [
        {"number": a.number, "at": rfc3339(a.at), "outcome": a.outcome, "status": a.status,
         "detail": a.detail, "took_ms": a.took_ms}
        for a in one.attempts
    ]  # fmt: skip
    last = f" ({one.detail})" if one.detail and one.state != "sent" else ""
    again = f", next at {rfc3339(one.due_at)}" if one.state == "retry" else ""
    is_ok = {"sent": True, "failed": False, "suppressed": False}.get(one.state)
    text = f"{what} {told}{last}{again}; attempts: {len(tries)}"
    data = {"state": one.state, "letter": one.issue_id, "attempts": tries}
    return Step("delivery", one.finished_at or one.created_at, is_ok, text, data)


def _verdict(steps: Sequence[Step], sent: Sequence[Sent]) -> str:
    """The furthest that it came decides."""
    if any(one.state == "sent" for one in sent):
        return "Delivered."
    if sent:
        return f"Not delivered so far: it {STATES.get(sent[-1].state, sent[-1].state)}."
    if any(step.is_ok is None for step in steps):
        waiting = next(step for step in steps if step.is_ok is None)
        return f"Not delivered yet: {waiting.text}."
    wrong = [step for step in steps if step.is_ok is False]
    last = next((s for s in wrong if s.name == "issue"), wrong[0] if wrong else None)
    return f"Not delivered: {last.text}." if last else "Not delivered: nothing was made of it."
