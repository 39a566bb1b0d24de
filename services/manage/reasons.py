"""Why an interest was, or was not, met: its conditions with the words found, their field and the text around.

What was met is told by the notice as it stood then, at that time, and by the witnesses that matching kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.domain.events import rfc3339
from services.errors import QueryError
from services.interests import explain, language
from services.interests.documents import Document
from services.interests.evaluate import Found
from services.interests.explain import Clause, Explanation
from services.interests.text import Analyser
from services.interests.tokens import normal
from services.storage.tables import Event
from services.storage.trail import Asked

AROUND = 60  # characters of text on either side of what was found
MOST_SHOWN = 3
Met = Mapping[tuple[int, int], tuple[tuple[str, ...], datetime]]  # (event, interest): witnesses, when


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, or did not (`is_ok` False); None: neither good nor bad yet.

    `data` holds the same as `text` for who tells it in another language.
    """

    name: str
    at: datetime | None
    is_ok: bool | None
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with its history: the events, the text at each of them, and the text now. `reached` are the
    subscriptions of the recipient of which any row tells."""

    events: Sequence[Event]
    then: Mapping[int, Document]
    today: Document
    reached: frozenset[int] = frozenset()


def of_interest(asked: Asked, told: Told, met: Met, *, now: datetime, analyser: Analyser) -> Step:
    """One interest of the recipient against one notice."""
    data: dict[str, Any] = {"query": asked.canonical, "subscription": asked.id, "label": asked.label}
    name = f"“{asked.label}”"
    try:
        query = language.recall(asked.canonical)
    except QueryError:
        text = f"{name} cannot be read by this version"
        return Step("interest", None, False, text, data | {"code": "unreadable"})
    if asked.paused_until and asked.paused_until > now:
        data["paused_until"] = rfc3339(asked.paused_until)
    hits = sorted((event, *how) for (event, interest), how in met.items() if interest == asked.interest_id)
    if not hits and asked.id in told.reached:
        text = f"{name} asked for something else then"
        return Step("interest", None, False, text, data | {"code": "changed"})
    if hits and asked.id not in told.reached:  # somebody else asked for the same
        return _unreached(asked, name, told.events, hits[0][2], data)
    if hits:
        event, witnesses, at = hits[0]
        document = told.then.get(event, told.today)
        found = explain.why(query, document, at, analyser)
        data |= {"code": "met", "witnesses": list(witnesses), "clauses": _clauses(found, document)}
        reasons = _reasons(found, document) or ", ".join(witnesses) or "by an earlier revision"
        paused = f"; it is paused until {data['paused_until']}" if "paused_until" in data else ""
        return Step("interest", at, True, f"{name} was met: {reasons}{paused}", data)
    found = explain.why(query, told.today, now, analyser)
    data["clauses"] = _clauses(found, told.today)
    if not found.matched:
        text = f"{name} was not met: {_missing(found, told.today)}"
        return Step("interest", None, False, text, data | {"code": "failed"})
    return _unmatched(asked, name, told.events, data)


def _unreached(
    asked: Asked, name: str, events: Sequence[Event], matched_at: datetime, data: dict[str, Any]
) -> Step:
    """An interest that was met, of a subscription that it did not reach."""
    if any(event.state != "matched" for event in events):
        return _waits(name, data)
    if asked.created_at > matched_at or asked.is_of_a_person:
        return _later(asked, name, data)
    text = f"{name} was met, but the endpoint was disabled then, or asked for something else"
    return Step("interest", matched_at, False, text, data | {"code": "unreached"})


def _waits(name: str, data: dict[str, Any]) -> Step:
    text = f"{name} would meet it; it is not matched yet"
    return Step("interest", None, None, text, data | {"code": "waits"})


def _later(asked: Asked, name: str, data: dict[str, Any]) -> Step:
    text = f"{name} would meet it, but was asked for only later"
    return Step("interest", asked.created_at, False, text, data | {"code": "later"})


def _unmatched(asked: Asked, name: str, events: Sequence[Event], data: dict[str, Any]) -> Step:
    """An interest that the notice meets as it stands now, without a row that says so."""
    if not events:
        text = f"{name} asks for such notices"
        return Step("interest", None, True, text, data | {"code": "asks"})
    if asked.created_at > events[-1].at:
        return _later(asked, name, data)
    if any(event.state != "matched" for event in events):
        return _waits(name, data)
    text = f"{name} meets it now, but did not when it was matched"
    return Step("interest", None, False, text, data | {"code": "now"})


def _clauses(found: Explanation, document: Document) -> list[dict[str, Any]]:
    return [
        {
            "condition": clause.text,
            "holds": clause.holds,
            "is_excluded": clause.is_excluded,
            "found": [
                {"field": one.field, "words": one.text, "snippet": snippet(document, one)}
                for one in _first(clause)
            ],
        }
        for clause in found.clauses
    ]


def _reasons(found: Explanation, document: Document) -> str:
    """What the notice had of each condition, in which field, and in what words."""
    told = [
        f"{clause.text} by {_places(clause, document)}"
        for clause in found.clauses
        if clause.holds and clause.found and not clause.is_excluded
    ]
    return "; ".join(told) if found.matched else ""


def _missing(found: Explanation, document: Document) -> str:
    """The conditions that do not hold, and what stood in the way of those that exclude."""
    return "; ".join(
        f"{clause.text} excludes it, because of {_places(clause, document)}"
        if clause.is_excluded
        else f"{clause.text} does not hold"
        for clause in found.clauses
        if not clause.holds
    )


def _places(clause: Clause, document: Document) -> str:
    return ", ".join(_place(one, document) for one in _first(clause))


def _place(one: Found, document: Document) -> str:
    around = "".join(snippet(document, one) or ())
    said = f"“{one.text}” in the {one.field}"
    return f"{said} (“{around}”)" if around and around != one.text else said


def _first(clause: Clause) -> tuple[Found, ...]:
    return clause.found[:MOST_SHOWN]


def snippet(document: Document, one: Found) -> tuple[str, str, str] | None:
    """What stands before, at and after the words found; None where they are no words of a text."""
    texts = {"title": document.title, "summary": document.summary, "body": document.body}
    text = texts.get(one.field)
    if text is None:
        return None
    text = normal(text)
    wanted = r"\W+".join(re.escape(word) for word in one.text.split())
    at = re.search(rf"(?<!\w){wanted}(?!\w)", text) or re.search(wanted, text)
    if at is None:
        return None
    before, after = text[: at.start()], text[at.end() :]
    return _tail(before), at.group(), _head(after)


def _tail(text: str) -> str:
    """The end of a text, from the beginning of a word on."""
    line = " ".join(text[-4 * AROUND :].split()) + (" " if text[-1:].isspace() else "")
    return line if len(line) <= AROUND else "…" + line[-AROUND:].partition(" ")[2]


def _head(text: str) -> str:
    """The beginning of a text, to the end of a word."""
    line = (" " if text[:1].isspace() else "") + " ".join(text[: 4 * AROUND].split())
    return line if len(line) <= AROUND else line[:AROUND].rpartition(" ")[0] + "…"
