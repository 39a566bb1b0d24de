"""The ledger for people: what became of every candidate of a notice, and what each round of composing did.

Tells numbers alone. Shown to everybody, a number of readers under five is not told: it might be somebody.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.errors import NotFound
from services.manage.pages import Page, number_cursor
from services.runtime import Runtime
from services.storage import ledger as store
from services.storage import search
from services.storage.ledger import Account

FEW = 5


@dataclass(frozen=True, slots=True)
class EventLedger:
    """The accounts of one event. They are closed when `candidates` is what was delivered, not delivered for
    good, shown in a private feed, and excluded: when nothing waits or is on its way."""

    event: int
    type: str
    at: datetime
    candidates: int
    delivered: int
    undelivered: dict[str, int]
    excluded: dict[str, int]
    shown: int
    waiting: int
    on_the_way: int

    @property
    def is_closed(self) -> bool:
        settled = self.delivered + self.shown + sum(self.undelivered.values()) + sum(self.excluded.values())
        return self.candidates == settled


@dataclass(frozen=True, slots=True)
class NoticeLedger:
    notice: int
    items: tuple[EventLedger, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One round: `candidates` = `issued` + the excluded (by reason) + `waiting`."""

    id: int
    at: datetime
    kind: str
    windows: int
    issues: int
    candidates: int
    issued: int
    excluded: dict[str, int]
    waiting: int


def of_notice(rt: Runtime, notice_id: int) -> NoticeLedger:
    """Every event of a notice with its accounts. Raises NotFound."""
    with rt.begin() as session:
        if not search.some(session, [notice_id]):
            raise NotFound("There is no such notice.", notice_id=notice_id)
        accounts = store.of_notice(session, notice_id)
    events: dict[int, list[Account]] = {}
    for one in accounts:
        events.setdefault(one.event_id, []).append(one)
    return NoticeLedger(notice_id, tuple(_event(found) for found in events.values()))


def runs(rt: Runtime, *, after: str | None = None, limit: int = 50) -> Page[Run]:
    """The newest rounds first. Raises BadInput for a cursor that is not ours."""
    before = number_cursor(after)
    with rt.begin() as session:
        found = [
            Run(r.id, r.at, r.kind, r.windows, r.issues, r.candidates, r.issued, dict(r.reasons), r.waiting)
            for r in store.runs(session, before=before, limit=limit + 1)
        ]
    return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


def told(number: int) -> str:
    """A number of readers as everybody may see it."""
    return f"< {FEW}" if 0 < number < FEW else str(number)


def _event(accounts: Sequence[Account]) -> EventLedger:
    totals: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {"excluded": Counter(), "undelivered": Counter()}
    for one in accounts:
        totals[one.outcome] += one.number
        if one.outcome in reasons and one.number:
            reasons[one.outcome][one.reason or "unknown"] += one.number
    first = accounts[0]
    return EventLedger(
        event=first.event_id, type=first.event_type, at=first.at, candidates=totals.total(),
        delivered=totals["delivered"], undelivered=dict(reasons["undelivered"]),
        excluded=dict(reasons["excluded"]), shown=totals["shown"], waiting=totals["waiting"],
        on_the_way=totals["on_the_way"],
    )  # fmt: skip
