"""From what met to everyone who asked: rows for readers and endpoints, slice by slice.

However many an event reaches, no transaction writes more than a slice, and after a kill the next worker
goes on where the last one stopped.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from services.runtime import Runtime
from services.storage import fanout as store
from services.storage import hub
from services.storage.work import Claim

SLICE = 5_000
_GOING = ("pending", "shown")

T = TypeVar("T")


@dataclass(slots=True)
class FannedOut:
    """How many rows were written: for readers by outcome, for endpoints."""

    outcomes: Counter[str] = field(default_factory=Counter)
    endpoints: int = 0

    @property
    def readers(self) -> int:
        return sum(self.outcomes[outcome] for outcome in _GOING)

    @property
    def excluded(self) -> dict[str, int]:
        """{reason: number of candidates left out for it}."""
        return {reason: number for reason, number in self.outcomes.items() if reason not in _GOING}


def fan_out(rt: Runtime, held: Claim, events: Sequence[int], *, slice_rows: int = SLICE) -> FannedOut:
    """Write down everyone whom these claimed events concern, `slice_rows` a transaction. Idempotent."""
    done = FannedOut()
    _end_waiting(rt, events, slice_rows)
    _tell_followers(rt, held, events)
    with rt.begin() as reading:
        for pairs in store.readers(reading, events, size=slice_rows):
            with rt.begin() as session:
                outcomes = store.tell_readers(session, held, pairs, now=rt.clock.now())
            done.outcomes.update(outcomes)
            if "pending" in outcomes:
                rt.bell.ring("compose")
        for pairs in store.endpoints(reading, events, size=slice_rows):
            with rt.begin() as session:
                added = store.tell_endpoints(session, held, pairs, now=rt.clock.now())
            done.endpoints += added
            if added:
                rt.bell.ring("deliver_webhook")
    return done


def slices(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


def _end_waiting(rt: Runtime, events: Sequence[int], limit: int) -> None:
    stopped = limit
    while stopped == limit:
        with rt.begin() as session:
            stopped = store.stop_waiting(session, events, limit=limit)


def _tell_followers(rt: Runtime, held: Claim, events: Sequence[int]) -> None:
    with rt.begin() as session:
        followers = hub.mark(session, held, events, now=rt.clock.now())
    if followers:
        rt.bell.ring("hub")
