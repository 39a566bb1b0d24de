"""The matcher: every interest at once against one event, exactly, by bitmaps of rows. Knows no storage.

An interest has a row for each of its alternatives. A row's clauses lie in slots, one for each dimension and
number of clause in it; a slot knows which rows it constrains and, for each atom, which rows it satisfies:

    matched = active − ⋃ over slots of (constrained − satisfied by the event's atoms) − excluded by its atoms

OR inside a clause is free (a posting for each member); there is no step of verification.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from pyroaring import BitMap

from services.interests.asked import Asked
from services.interests.atoms import MIXED, Atom, EventAtoms, dimension_of, leaf_atoms
from services.interests.canonical import leaf_text, normalise
from services.interests.parts import parts_of
from services.interests.text import Analyser
from services.interests.tree import Leaf, Query


@dataclass(frozen=True, slots=True)
class Hit:
    """An interest that is met; `witnesses` are the conditions, as text and sorted, that made it so."""

    interest_id: int
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A leaf as text and by its atoms: it holds when the event emits any of them."""

    text: str
    atoms: frozenset[Atom]


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """Of every clause at least one condition holds, and none of the excluded atoms is emitted."""

    clauses: tuple[tuple[Condition, ...], ...]
    excluded: frozenset[Atom]

    @property
    def atoms(self) -> Iterator[Atom]:
        """All atoms, one that stands in several clauses as often."""
        return chain(self.excluded, *(one.atoms for clause in self.clauses for one in clause))


@dataclass(frozen=True, slots=True)
class CompiledInterest:
    """A query as the matcher takes it; `query` is its normal tree."""

    query: Query
    parts: tuple[CompiledPart, ...]


def compile_query(query: Query, analyser: Analyser) -> CompiledInterest:
    """Words become keys, alternatives become parts. Raises TooManyParts for what `parse` would refuse."""
    tree = normalise(query)
    parts = tuple(
        CompiledPart(
            tuple(tuple(_condition(leaf, analyser) for leaf in clause) for clause in part.clauses),
            frozenset().union(*(leaf_atoms(leaf, analyser) for leaf in part.excluded)),
        )
        for part in parts_of(tree)
    )
    return CompiledInterest(tree, parts)


def _condition(leaf: Leaf, analyser: Analyser) -> Condition:
    return Condition(leaf_text(leaf), leaf_atoms(leaf, analyser))


Slot = tuple[str, int]


@dataclass(slots=True)
class _Rows:
    """One slot: the rows it constrains, and the rows that each atom satisfies."""

    constrained: BitMap = field(default_factory=BitMap)
    postings: dict[Atom, BitMap] = field(default_factory=dict)

    def add(self, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained.add(row)
        for atom in atoms:
            if (rows := self.postings.get(atom)) is None:
                rows = self.postings[atom] = BitMap()
            rows.add(row)

    def remove(self, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained.discard(row)
        for atom in atoms:
            rows = self.postings[atom]
            rows.discard(row)
            if not rows:
                del self.postings[atom]

    def satisfied(self, emitted: frozenset[Atom] | set[Atom]) -> BitMap:
        """The rows that any of the atoms satisfies; walks whichever side is smaller."""
        if len(emitted) <= len(self.postings):
            found = [rows for atom in emitted if (rows := self.postings.get(atom)) is not None]
        else:
            found = [rows for atom, rows in self.postings.items() if atom in emitted]
        return BitMap.union(*found) if found else BitMap()


class Matcher:
    """All interests of a process, changed while it lives. Safe in several threads; one at a time inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, tuple[int, CompiledPart]] = {}
        self._rows_of: dict[int, list[int]] = {}
        self._free: list[int] = []
        self._active = BitMap()
        self._slots: dict[Slot, _Rows] = {}
        self._excluded = _Rows()
        self._asked = Asked()

    def __len__(self) -> int:
        return len(self._rows_of)

    def add(self, interest_id: int, compiled: CompiledInterest) -> None:
        """Take an interest in; one of the same id is replaced."""
        with self._lock:
            self._remove(interest_id)
            self._rows_of[interest_id] = [self._add(interest_id, part) for part in compiled.parts]

    def remove(self, interest_id: int) -> None:
        """Forget an interest; an unknown one is no trouble."""
        with self._lock:
            self._remove(interest_id)

    def match(self, event: EventAtoms) -> list[Hit]:
        """Every interest that the event meets, by id."""
        with self._lock:
            asked = self._asked.emitted(event)
            everything: set[Atom] = asked.union(*event.plain.values())
            by_dimension = {name: set[Atom](atoms) for name, atoms in event.plain.items()}
            for atom in asked:
                by_dimension.setdefault(dimension_of(atom), set()).add(atom)
            by_dimension[MIXED] = everything
            rows = self._matched(by_dimension)
            return self._hits(rows, everything)

    def _matched(self, emitted: dict[str, set[Atom]]) -> BitMap:
        rows = self._active - self._excluded.satisfied(emitted[MIXED])
        for (dimension, _), slot in self._slots.items():
            if not rows:
                break
            rows -= slot.constrained - slot.satisfied(emitted.get(dimension, set()))
        return rows

    def _hits(self, rows: BitMap, emitted: set[Atom]) -> list[Hit]:
        found: dict[int, set[str]] = {}
        for row in rows:
            interest_id, part = self._rows[row]
            held = found.setdefault(interest_id, set())
            held.update(
                one.text for clause in part.clauses for one in clause if not one.atoms.isdisjoint(emitted)
            )
        return [Hit(interest_id, tuple(sorted(held))) for interest_id, held in sorted(found.items())]

    def _add(self, interest_id: int, part: CompiledPart) -> int:
        row = self._free.pop() if self._free else len(self._rows)
        self._rows[row] = (interest_id, part)
        for slot, atoms in _slots_of(part):
            self._slots.setdefault(slot, _Rows()).add(row, atoms)
        self._excluded.add(row, part.excluded)
        self._asked.add(part.atoms)
        self._active.add(row)
        return row

    def _remove(self, interest_id: int) -> None:
        for row in self._rows_of.pop(interest_id, ()):
            _, part = self._rows.pop(row)
            self._active.discard(row)
            for slot, atoms in _slots_of(part):
                self._slots[slot].remove(row, atoms)
                if not self._slots[slot].constrained:
                    del self._slots[slot]
            self._excluded.remove(row, part.excluded)
            self._asked.remove(part.atoms)
            self._free.append(row)


def _slots_of(part: CompiledPart) -> Iterator[tuple[Slot, frozenset[Atom]]]:
    """The slot of each clause: the next free one of its dimension."""
    taken: dict[str, int] = {}
    for clause in part.clauses:
        atoms: frozenset[Atom] = frozenset().union(*(one.atoms for one in clause))
        dimensions = {dimension_of(atom) for atom in atoms}
        dimension = dimensions.pop() if len(dimensions) == 1 else MIXED
        number = taken.get(dimension, 0)
        taken[dimension] = number + 1
        yield (dimension, number), atoms
