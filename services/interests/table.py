"""Every interest as rows of bitmaps: what the matcher computes on and a snapshot keeps. No lock, no rules.

An interest has a row for each of its alternatives: the first under its own id, so that a row is an interest;
further ones, and ids too large for a bitmap, lie from EXTRA on. A row's clauses lie in slots, one for each
dimension and number of clause in it; a slot knows which rows it constrains and, for each atom, which rows it
satisfies. OR inside a clause is free: a posting for each member.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from pyroaring import BitMap, BitMap64

from services.interests.atoms import Atom
from services.interests.compiled import CompiledPart
from services.interests.conditions import Conditions
from services.interests.records import Records

EXTRA = 1 << 31
END = 1 << 31  # marks the last condition of a clause in a record
EXCLUDED = 1 << 30  # marks a condition that must not hold
NUMBER = EXCLUDED - 1

Key = tuple[str, int]  # of a slot: dimension, and which clause of that dimension


class Slot:
    """The rows that are constrained here, and the rows that each atom satisfies."""

    __slots__ = ("constrained", "postings")

    def __init__(self) -> None:
        self.constrained = BitMap()
        self.postings: dict[Atom, BitMap] = {}

    def add(self, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained.add(row)
        for atom in atoms:
            if (rows := self.postings.get(atom)) is None:
                self.postings[atom] = BitMap((row,))
            else:
                rows.add(row)

    def remove(self, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained.discard(row)
        for atom in atoms:
            rows = self.postings.get(atom)
            if rows is not None:
                rows.discard(row)
                if not rows:
                    del self.postings[atom]

    def satisfied(self, atoms: Iterable[Atom]) -> BitMap:
        """The rows that any of the atoms satisfies."""
        found = [rows for atom in atoms if (rows := self.postings.get(atom)) is not None]
        return BitMap.union(*found) if found else BitMap()


class Table:
    """Rows, their conditions, and the slots over them. The matcher sees to turns."""

    def __init__(self) -> None:
        self.active = BitMap()
        self.slots: dict[Key, Slot] = {}
        self.excluded = Slot()
        self.conditions = Conditions()
        self.records = Records()
        self.owners: dict[int, int] = {}  # extra row → interest
        self.extras: dict[int, tuple[int, ...]] = {}  # interest → extra rows
        self._next_extra = EXTRA

    def __len__(self) -> int:
        """The number of interests."""
        large = sum(interest_id >= EXTRA for interest_id in self.extras)
        return self.active.range_cardinality(0, EXTRA) + large

    def interests(self) -> BitMap64:
        """The ids of all interests."""
        return self.interests_of(self.active)

    def interests_of(self, rows: BitMap) -> BitMap64:
        """The interests that these rows belong to."""
        homes = rows.copy()
        homes.remove_range(EXTRA, 1 << 32)
        extras = {self.owners[row] for row in rows.iter_equal_or_larger(EXTRA)}
        return BitMap64(array("Q", homes.to_array())) | BitMap64(extras)

    def rows_of(self, interest_id: int) -> tuple[int, ...]:
        extras = self.extras.get(interest_id, ())
        return (interest_id, *extras) if interest_id < EXTRA and interest_id in self.active else extras

    def owner(self, row: int) -> int:
        return row if row < EXTRA else self.owners[row]

    def add(self, interest_id: int, parts: Sequence[CompiledPart]) -> None:
        """An interest that is not here yet."""
        extras: list[int] = []
        for number, part in enumerate(parts):
            row = interest_id
            if number or interest_id >= EXTRA:
                row = self._extra_row()
                self.owners[row] = interest_id
                extras.append(row)
            self._add_row(row, part)
        if extras:
            self.extras[interest_id] = tuple(extras)

    def remove(self, interest_id: int) -> None:
        """An unknown one is no trouble."""
        for row in self.rows_of(interest_id):
            self._remove_row(row)
            self.owners.pop(row, None)
        self.extras.pop(interest_id, None)

    def clauses(self, row: int) -> Iterator[list[int]]:
        """The clauses of a row, each by the numbers of its conditions."""
        clause: list[int] = []
        for number in self.records.get(row):
            if not number & EXCLUDED:
                clause.append(number & NUMBER)
                if number & END:
                    yield clause
                    clause = []

    def place_extra(self, row: int, interest_id: int) -> None:
        """An extra row as it was, from a snapshot."""
        self.owners[row] = interest_id
        self.extras[interest_id] = (*self.extras.get(interest_id, ()), row)
        self._next_extra = max(self._next_extra, row + 1)

    def tighten(self) -> None:
        """Give back the memory that growing left over; after many were added at once."""
        for slot in (*self.slots.values(), self.excluded):
            for rows in (slot.constrained, *slot.postings.values()):
                rows.shrink_to_fit()

    def _extra_row(self) -> int:
        """Rows are not used twice in a life; a bitmap has two milliards of them."""
        self._next_extra += 1
        return self._next_extra - 1

    def _add_row(self, row: int, part: CompiledPart) -> None:
        take = self.conditions.take
        record: list[int] = []
        taken: dict[str, int] = {}
        for clause in part.clauses:
            numbers = [take(condition) for condition in clause]
            self._slot(numbers, taken).add(row, _atoms(condition.atoms for condition in clause))
            record += [*numbers[:-1], numbers[-1] | END]
        if part.excluded:
            record += [take(condition) | EXCLUDED for condition in part.excluded]
            self.excluded.add(row, _atoms(condition.atoms for condition in part.excluded))
        self.records.put(row, record)
        self.active.add(row)

    def _remove_row(self, row: int) -> None:
        self.active.discard(row)
        taken: dict[str, int] = {}
        for numbers in self.clauses(row):
            self._slot(numbers, taken).remove(row, _atoms(self.conditions[one].atoms for one in numbers))
        record = self.records.get(row)
        barred = [number & NUMBER for number in record if number & EXCLUDED]
        self.excluded.remove(row, _atoms(self.conditions[one].atoms for one in barred))
        for number in record:
            self.conditions.release(number & NUMBER)
        self.records.drop(row)
        for key in [key for key, slot in self.slots.items() if not slot.constrained]:
            del self.slots[key]

    def _slot(self, numbers: Sequence[int], taken: dict[str, int]) -> Slot:
        """The slot of a clause: the next free one of its dimension; `taken` counts those of this row."""
        dimension = self.conditions.dimension(numbers)
        number = taken.get(dimension, 0)
        taken[dimension] = number + 1
        if (slot := self.slots.get((dimension, number))) is None:
            slot = self.slots[dimension, number] = Slot()
        return slot


def _atoms(several: Iterable[tuple[Atom, ...]]) -> Iterable[Atom]:
    """The atoms of a clause, each once: two conditions may share some."""
    lists = list(several)
    return lists[0] if len(lists) == 1 else {atom for atoms in lists for atom in atoms}
