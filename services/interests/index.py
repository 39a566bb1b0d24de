"""The matcher: every interest at once against one event, exactly, by bitmaps of rows. Knows no storage.

    matched = satisfied in the first slot − barred; of that, in each further slot, what is free or satisfied

There is no step of verification, and nothing is walked but what matched.
"""

import threading
from collections.abc import Iterable
from typing import NamedTuple

from pyroaring import BitMap, BitMap64

from services.interests import snapshot
from services.interests.atoms import Atom, EventAtoms
from services.interests.compiled import CompiledInterest, compile_query
from services.interests.conditions import Key
from services.interests.table import END, EXTRA, NUMBER, Table

__all__ = ["CompiledInterest", "Hit", "Matcher", "compile_query"]


class Hit(NamedTuple):
    """An interest that is met; `witnesses` are the conditions, as text and sorted, that made it so."""

    interest_id: int
    witnesses: tuple[str, ...]


class Matcher:
    """All interests of a process, changed while it lives. Safe in several threads; one at a time inside."""

    def __init__(self, table: Table | None = None) -> None:
        self._lock = threading.Lock()
        self._table = table or Table()

    def __len__(self) -> int:
        return len(self._table)

    def add(self, interest_id: int, compiled: CompiledInterest) -> None:
        """Take an interest in; one of the same id is replaced."""
        with self._lock:
            self._table.remove(interest_id)
            self._table.add(interest_id, compiled.parts)

    def remove(self, interest_id: int) -> None:
        """Forget an interest; an unknown one is no trouble."""
        with self._lock:
            self._table.remove(interest_id)

    def known(self) -> BitMap64:
        """The ids of all interests."""
        with self._lock:
            return self._table.interests()

    def asked_by(self, interest_id: int) -> set[str]:
        """The conditions of an interest as text, with those that it excludes; none of an unknown one."""
        with self._lock:
            table = self._table
            records = (table.records.get(row) for row in table.rows_of(interest_id))
            return {table.conditions[number & NUMBER].text for record in records for number in record}

    def settle(self) -> None:
        """Give back the memory that growing left over."""
        with self._lock:
            self._table.tighten()

    def dump(self, analyser: str) -> bytes:
        """A snapshot, for `snapshot.load`."""
        with self._lock:
            return b"".join(snapshot.dump(self._table, analyser=analyser))

    def match(self, event: EventAtoms) -> list[Hit]:
        """Every interest that the event meets, by id, with its witnesses."""
        with self._lock:
            emitted = self._table.conditions.emitted(event)
            return self._hits(self._table.matched(emitted), emitted)

    def ids(self, event: EventAtoms) -> list[int]:
        """Every interest that the event meets, by id alone."""
        with self._lock:
            return self._table.owners_of(self._table.matched(self._table.conditions.emitted(event)))

    def emitted(self, event: EventAtoms) -> list[Atom]:
        """The atoms of the event that any interest asks for: what matching begins with."""
        with self._lock:
            return self._table.conditions.atoms(self._table.conditions.emitted(event))

    def _hits(self, rows: BitMap, emitted: Iterable[Key]) -> list[Hit]:
        """An excluded condition is no witness: its mark keeps it from being found among those that hold."""
        table = self._table
        held = table.conditions.held(emitted)
        held |= {number | END: text for number, text in held.items()}
        hits: list[Hit] = []
        extras: dict[int, set[str]] = {}  # by interest, what its further rows tell
        for row, numbers in table.records.of(rows):
            texts = [held[number] for number in numbers if number in held]
            if row >= EXTRA:
                extras.setdefault(table.owner(row), set()).update(texts)
            else:
                hits.append(Hit(row, tuple(texts if len(texts) == 1 else sorted(set(texts)))))
        return _joined(hits, extras) if extras else hits


def _joined(hits: list[Hit], extras: dict[int, set[str]]) -> list[Hit]:
    """Hits with what further rows of the same interests, or of others, tell."""
    of_rows = {hit.interest_id: hit.witnesses for hit in hits if hit.interest_id in extras}
    further = [
        Hit(interest_id, tuple(sorted({*texts, *of_rows.get(interest_id, ())})))
        for interest_id, texts in extras.items()
    ]
    return sorted([*(hit for hit in hits if hit.interest_id not in of_rows), *further])
