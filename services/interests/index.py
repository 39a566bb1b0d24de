"""The matcher: every interest at once against one event, exactly, by bitmaps of rows. Knows no storage.

    matched = active − excluded by its atoms − ⋃ over slots of (constrained − satisfied by its atoms)

There is no step of verification, and nothing is walked but what matched.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from pyroaring import BitMap, BitMap64

from services.interests import snapshot
from services.interests.atoms import Atom, EventAtoms
from services.interests.compiled import CompiledInterest, compile_query
from services.interests.table import BARRED, EXCLUDED, NUMBER, Table

__all__ = ["CompiledInterest", "Hit", "Matcher", "compile_query"]


@dataclass(frozen=True, slots=True)
class Hit:
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
            emitted = self._emitted(event)
            return self._hits(self._rows(emitted), frozenset(emitted))

    def ids(self, event: EventAtoms) -> BitMap64:
        """Every interest that the event meets, by id alone."""
        with self._lock:
            return self._table.interests_of(self._rows(self._emitted(event)))

    def emitted(self, event: EventAtoms) -> list[Atom]:
        """The atoms of the event that any interest asks for: what matching begins with."""
        with self._lock:
            return self._emitted(event)

    def _emitted(self, event: EventAtoms) -> list[Atom]:
        wanted = self._table.postings
        asked = self._table.conditions.emitted(event)
        return [*asked, *(atom for atoms in event.plain.values() for atom in atoms if atom in wanted)]

    def _rows(self, emitted: Iterable[Atom]) -> BitMap:
        """The slot that constrains most goes first: soon few rows are left to look at."""
        table = self._table
        several: list[list[BitMap]] = [[] for _ in table.constrained]
        single: list[list[int]] = [[] for _ in table.constrained]
        for atom in emitted:
            for slot, rows in table.satisfied(atom):
                if isinstance(rows, int):
                    single[slot].append(rows)
                else:
                    several[slot].append(rows)
        satisfied = [BitMap.union(BitMap(ones), *more) for ones, more in zip(single, several, strict=True)]
        left = table.active - satisfied[BARRED]
        sizes = sorted(((len(rows), slot) for slot, rows in enumerate(table.constrained)), reverse=True)
        for size, slot in sizes:
            if slot != BARRED and size and left:
                left = (left - table.constrained[slot]) | (left & satisfied[slot])
        return left

    def _hits(self, rows: BitMap, emitted: frozenset[Atom]) -> list[Hit]:
        table = self._table
        told: dict[int, str] = {}  # a number of a record → the condition's text, empty when it is no witness
        found: dict[int, list[str]] = {}
        for row in rows:
            held = found.setdefault(table.owner(row), [])
            for number in table.records.get(row):
                if (text := told.get(number)) is None:
                    text = told[number] = self._witness(number, emitted)
                if text:
                    held.append(text)
        return [Hit(interest_id, tuple(sorted(set(held)))) for interest_id, held in sorted(found.items())]

    def _witness(self, number: int, emitted: frozenset[Atom]) -> str:
        if number & EXCLUDED:
            return ""
        text, atoms = self._table.conditions[number & NUMBER]
        return "" if emitted.isdisjoint(atoms) else text
