"""The conditions of all interests, each kept once under a small number, with the atoms that they ask for.

A million interests share some ten thousands of conditions; a row of the matcher holds their numbers alone.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence

from services.interests.asked import Asked
from services.interests.atoms import MIXED, Atom, dimension_of
from services.interests.compiled import Condition


class Conditions:
    """Counted by use: the last interest that goes takes its conditions along. Not safe in several threads.

    Plain tuples and lists side by side, not objects: the garbage collector need not walk them.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, tuple[Atom, ...]], int] = {}
        self._texts: list[str] = []
        self._atoms: list[tuple[Atom, ...]] = []
        self._dimensions: list[str] = []
        self._uses = array("I")
        self._free: list[int] = []
        self._asked = Asked()
        self._askers: Counter[Atom] = Counter()
        self.emitted = self._asked.emitted

    def __getitem__(self, number: int) -> Condition:
        return Condition(self._texts[number], self._atoms[number])

    def used(self) -> Iterator[tuple[int, Condition, int]]:
        """(number, condition, number of uses) of all, by number."""
        return ((number, self[number], uses) for number, uses in enumerate(self._uses) if uses)

    def dimension(self, numbers: Sequence[int]) -> str:
        """The dimension that all these conditions have, or MIXED."""
        found = {self._dimensions[number] for number in numbers}
        return found.pop() if len(found) == 1 else MIXED

    def take(self, condition: Condition) -> int:
        """The number of a condition, used once more."""
        number = self._numbers.get(condition)
        if number is None:
            number = self._free.pop() if self._free else self._grow()
            self._begin(number, condition)
        self._uses[number] += 1
        return number

    def release(self, number: int) -> None:
        """Used once less."""
        self._uses[number] -= 1
        if not self._uses[number]:
            self._end(number)

    def place(self, number: int, condition: Condition, uses: int) -> None:
        """Put a condition under the number that it had; on an empty table, by ascending number."""
        while len(self._texts) < number:
            self._free.append(self._grow())
        self._begin(self._grow(), condition)
        self._uses[number] = uses

    def _grow(self) -> int:
        self._texts.append("")
        self._atoms.append(())
        self._dimensions.append(MIXED)
        self._uses.append(0)
        return len(self._texts) - 1

    def _begin(self, number: int, condition: Condition) -> None:
        text, atoms = condition
        dimensions = {dimension_of(atom) for atom in atoms}
        self._texts[number], self._atoms[number] = text, atoms
        self._dimensions[number] = dimensions.pop() if len(dimensions) == 1 else MIXED
        self._numbers[text, atoms] = number
        for atom in atoms:
            if not isinstance(atom, str):
                self._askers[atom] += 1
                if self._askers[atom] == 1:
                    self._asked.add(atom)

    def _end(self, number: int) -> None:
        text, atoms = self[number]
        self._texts[number], self._atoms[number] = "", ()
        self._free.append(number)
        del self._numbers[text, atoms]
        for atom in atoms:
            if not isinstance(atom, str):
                self._askers[atom] -= 1
                if not self._askers[atom]:
                    del self._askers[atom]
                    self._asked.remove(atom)
