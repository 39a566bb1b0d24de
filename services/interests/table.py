"""Every interest as rows of bitmaps: what the matcher computes on and a snapshot keeps. No lock, no rules.

An interest has a row for each of its alternatives: the first under its own id, so that a row is an interest;
further ones, and ids too large for a bitmap, lie from EXTRA on. The clauses of a row lie in slots, the one
that fewest documents satisfy first: what the first slot finds is little, and each further one thins it out.
OR inside a clause costs nothing: a posting for each member. What must not hold lies in a slot of its own.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from pyroaring import BitMap, BitMap64

from services.interests import rows as sets
from services.interests.compiled import CompiledPart
from services.interests.conditions import Conditions, Key
from services.interests.records import Records
from services.interests.rows import Rows

EXTRA = 1 << 31
END = 1 << 31  # marks the last condition of a clause in a record
EXCLUDED = 1 << 30  # marks a condition that must not hold
NUMBER = EXCLUDED - 1

BARRED, FIRST = 0, 1  # the slots of what must not hold, and of first clauses

Posting = tuple[Rows, ...]  # slot, rows, slot, rows …: flat, and nothing for the garbage collector


class Table:
    """Rows, their conditions, and the slots over them. The matcher sees to turns."""

    def __init__(self) -> None:
        self.active = BitMap()
        self.free = [
            BitMap(),
            BitMap(),
        ]  # of each slot, the rows with no clause there; of the first two, none
        self.postings: dict[Key, Posting] = {}
        self.conditions = Conditions()
        self.records = Records()
        self.extras: dict[int, tuple[int, ...]] = {}  # interest → extra rows
        self._owners = array("Q")  # of extra rows
        self._free_extras: list[int] = []

    def __len__(self) -> int:
        """The number of interests."""
        large = sum(interest_id >= EXTRA for interest_id in self.extras)
        return self.active.range_cardinality(0, EXTRA) + large

    def interests(self) -> BitMap64:
        """The ids of all interests."""
        return BitMap64(array("Q", self.owners_of(self.active)))

    def owners_of(self, rows: BitMap) -> list[int]:
        """The interests that these rows belong to, each once, in order."""
        extras = {self.owner(row) for row in rows.iter_equal_or_larger(EXTRA)}
        if not extras:
            return rows.to_array().tolist()
        large = sorted(owner for owner in extras if owner >= EXTRA)
        homes = rows | BitMap(extras.difference(large))
        homes.remove_range(EXTRA, 1 << 32)
        return homes.to_array().tolist() + large

    def rows_of(self, interest_id: int) -> tuple[int, ...]:
        extras = self.extras.get(interest_id, ())
        return (interest_id, *extras) if interest_id < EXTRA and interest_id in self.active else extras

    def owner(self, row: int) -> int:
        return row if row < EXTRA else self._owners[row - EXTRA]

    def matched(self, emitted: Iterable[Key]) -> BitMap:
        """The rows that an event with these keys meets."""
        satisfied: list[list[Rows]] = [[] for _ in self.free]
        get = self.postings.get
        for key in emitted:
            flat = iter(get(key, ()))
            for slot, rows in zip(flat, flat, strict=True):
                satisfied[slot].append(rows)  # type: ignore[index]  # see Posting
        left = sets.union(satisfied[FIRST]) - sets.union(satisfied[BARRED])
        for slot in range(FIRST + 1, len(self.free)):
            if not left:
                break
            left &= sets.union(satisfied[slot], self.free[slot])
        return left

    def add(self, interest_id: int, parts: Sequence[CompiledPart]) -> None:
        """An interest that is not here yet. Each part has a clause: the language refuses mere exclusion."""
        extras: list[int] = []
        for number, part in enumerate(parts):
            row = interest_id
            if number or interest_id >= EXTRA:
                row = self._extra_row(interest_id)
                extras.append(row)
            self._add_row(row, part)
        if extras:
            self.extras[interest_id] = tuple(extras)

    def remove(self, interest_id: int) -> None:
        """An unknown one is no trouble."""
        for row in self.rows_of(interest_id):
            self._remove_row(row)
        self._free_extras += self.extras.pop(interest_id, ())

    def clauses(self, row: int) -> Iterator[list[int]]:
        """The clauses of a row, each by the numbers of its conditions."""
        clause: list[int] = []
        for number in self.records.get(row):
            if not number & EXCLUDED:
                clause.append(number & NUMBER)
                if number & END:
                    yield clause
                    clause = []

    def extra_rows(self) -> Iterator[tuple[int, int]]:
        """(extra row, its interest), by row."""
        return ((row, self.owner(row)) for row in self.active.iter_equal_or_larger(EXTRA))

    def place_extra(self, row: int, interest_id: int) -> None:
        """An extra row as it was, from a snapshot; by ascending row."""
        while len(self._owners) < row - EXTRA:
            self._free_extras.append(EXTRA + len(self._owners))
            self._owners.append(0)
        self._owners.append(interest_id)
        self.extras[interest_id] = (*self.extras.get(interest_id, ()), row)

    def satisfied(self, key: Key) -> Iterator[tuple[int, Rows]]:
        """(slot, the rows that this key satisfies there)."""
        flat = iter(self.postings.get(key, ()))
        return zip(flat, flat, strict=True)  # type: ignore[arg-type]  # see Posting

    def tighten(self) -> None:
        """Give back the memory that growing left over; after many were added at once."""
        for rows in (*self.free, *(rows for key in self.postings for _, rows in self.satisfied(key))):
            if isinstance(rows, BitMap):
                rows.shrink_to_fit()

    def _extra_row(self, interest_id: int) -> int:
        if self._free_extras:
            row = self._free_extras.pop()
            self._owners[row - EXTRA] = interest_id
            return row
        self._owners.append(interest_id)
        return EXTRA + len(self._owners) - 1

    def _add_row(self, row: int, part: CompiledPart) -> None:
        take = self.conditions.take
        record: list[int] = []
        self._widen(FIRST + len(part.clauses))
        for slot, clause in enumerate(part.clauses, FIRST):
            numbers = [take(condition) for condition in clause]
            self._post(slot, row, self.conditions.keys(numbers))
            record += [*numbers[:-1], numbers[-1] | END]
        if part.excluded:
            numbers = [take(condition) for condition in part.excluded]
            self._post(BARRED, row, self.conditions.keys(numbers))
            record += [number | EXCLUDED for number in numbers]
        for free in self.free[FIRST + len(part.clauses) :]:
            free.add(row)
        self.records.put(row, record)
        self.active.add(row)

    def _remove_row(self, row: int) -> None:
        self.active.discard(row)
        for free in self.free:
            free.discard(row)
        for slot, numbers in enumerate(self.clauses(row), FIRST):
            self._unpost(slot, row, self.conditions.keys(numbers))
        record = self.records.get(row)
        if barred := [number & NUMBER for number in record if number & EXCLUDED]:
            self._unpost(BARRED, row, self.conditions.keys(barred))
        for number in record:
            self.conditions.release(number & NUMBER)
        self.records.drop(row)

    def _widen(self, slots: int) -> None:
        """Let there be so many; in a new one, all rows are free."""
        while len(self.free) < slots:
            self.free.append(self.active.copy())

    def _post(self, slot: int, row: int, keys: Iterable[Key]) -> None:
        for key in keys:
            had = dict(self.satisfied(key)).get(slot)
            now = sets.added(had, row)
            if now is not had:
                self._replace(key, slot, now)

    def _unpost(self, slot: int, row: int, keys: Iterable[Key]) -> None:
        for key in keys:
            had = dict(self.satisfied(key)).get(slot)
            left = sets.dropped(had, row)
            if left is not had:
                self._replace(key, slot, left)

    def _replace(self, key: Key, slot: int, rows: Rows | None) -> None:
        """Other rows for a key in a slot; None takes the slot away."""
        left = [part for pair in self.satisfied(key) if pair[0] != slot for part in pair]
        if rows is not None:
            left += (slot, rows)
        if left:
            self.postings[key] = tuple(left)
        else:
            self.postings.pop(key, None)
