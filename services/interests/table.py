"""Every interest as rows of bitmaps: what the matcher computes on and a snapshot keeps. No lock, no rules.

An interest has a row for each of its alternatives: the first under its own id, so that a row is an interest;
further ones, and ids too large for a bitmap, lie from EXTRA on. A row's clauses lie in slots, one for each
dimension and number of clause in it; a slot constrains rows, and each atom satisfies some of them there. OR
inside a clause is free: a posting for each member. What must not hold lies in a slot of its own.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from pyroaring import BitMap, BitMap64

from services.interests.atoms import Atom
from services.interests.compiled import CompiledPart
from services.interests.conditions import Conditions
from services.interests.records import Records

EXTRA = 1 << 31
END = 1 << 31  # marks the last condition of a clause in a record
EXCLUDED = 1 << 30  # marks a condition that must not hold
NUMBER = EXCLUDED - 1

BARRED = 0  # the slot of what must not hold

Key = tuple[str, int]  # of a slot: dimension, and which clause of that dimension
Rows = int | BitMap  # a single row, as most of the long tail has, costs no bitmap
Posting = tuple[Rows, ...]  # slot, rows, slot, rows …: flat, and nothing for the garbage collector


class Table:
    """Rows, their conditions, and the slots over them. The matcher sees to turns."""

    def __init__(self) -> None:
        self.active = BitMap()
        self.slots: dict[Key, int] = {("", 0): BARRED}
        self.constrained: list[BitMap] = [BitMap()]
        self.postings: dict[Atom, Posting] = {}
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

    def satisfied(self, atom: Atom) -> Iterator[tuple[int, Rows]]:
        """(slot, the rows that this atom satisfies there)."""
        flat = iter(self.postings.get(atom, ()))
        return zip(flat, flat, strict=True)  # type: ignore[arg-type]  # see Posting

    def tighten(self) -> None:
        """Give back the memory that growing left over; after many were added at once."""
        posted = (rows for atom in self.postings for _, rows in self.satisfied(atom))
        for rows in chain(self.constrained, posted):
            if isinstance(rows, BitMap):
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
            self._post(self._slot(numbers, taken), row, _atoms(condition.atoms for condition in clause))
            record += [*numbers[:-1], numbers[-1] | END]
        if part.excluded:
            record += [take(condition) | EXCLUDED for condition in part.excluded]
            self._post(BARRED, row, _atoms(condition.atoms for condition in part.excluded))
        self.records.put(row, record)
        self.active.add(row)

    def _remove_row(self, row: int) -> None:
        self.active.discard(row)
        taken: dict[str, int] = {}
        for numbers in self.clauses(row):
            atoms = _atoms(self.conditions[one].atoms for one in numbers)
            self._unpost(self._slot(numbers, taken), row, atoms)
        record = self.records.get(row)
        barred = [number & NUMBER for number in record if number & EXCLUDED]
        self._unpost(BARRED, row, _atoms(self.conditions[one].atoms for one in barred))
        for number in record:
            self.conditions.release(number & NUMBER)
        self.records.drop(row)

    def _slot(self, numbers: Sequence[int], taken: dict[str, int]) -> int:
        """The slot of a clause: the next free one of its dimension; `taken` counts those of this row."""
        dimension = self.conditions.dimension(numbers)
        number = taken.get(dimension, 0)
        taken[dimension] = number + 1
        return self.slot(dimension, number)

    def slot(self, dimension: str, number: int) -> int:
        if (slot := self.slots.get((dimension, number))) is None:
            slot = self.slots[dimension, number] = len(self.constrained)
            self.constrained.append(BitMap())
        return slot

    def _post(self, slot: int, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained[slot].add(row)
        for atom in atoms:
            rows = dict(self.satisfied(atom)).get(slot)
            if isinstance(rows, BitMap):
                rows.add(row)
            else:
                self._replace(atom, slot, row if rows is None else BitMap((rows, row)))

    def _unpost(self, slot: int, row: int, atoms: Iterable[Atom]) -> None:
        self.constrained[slot].discard(row)
        for atom in atoms:
            rows = dict(self.satisfied(atom)).get(slot)
            if isinstance(rows, BitMap):
                rows.discard(row)
            if not rows or rows == row:
                self._replace(atom, slot, None)

    def _replace(self, atom: Atom, slot: int, rows: Rows | None) -> None:
        """Other rows for an atom in a slot; None takes the slot away."""
        left = [part for pair in self.satisfied(atom) if pair[0] != slot for part in pair]
        if rows is not None:
            left += (slot, rows)
        if left:
            self.postings[atom] = tuple(left)
        else:
            self.postings.pop(atom, None)


def _atoms(several: Iterable[tuple[Atom, ...]]) -> Iterable[Atom]:
    """The atoms of a clause, each once: two conditions may share some."""
    lists = list(several)
    return lists[0] if len(lists) == 1 else {atom for atoms in lists for atom in atoms}
