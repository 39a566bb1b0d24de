"""The conditions of all interests, each kept once under a small number, with the keys that they ask for.

A million interests share some ten thousands of conditions; a row of the matcher holds their numbers alone.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from services.interests.asked import Asked
from services.interests.atoms import Atom, EventAtoms
from services.interests.compiled import Condition

Key = str | int  # an atom of documents, or the number of a condition that must be asked for


class Conditions:
    """Counted by use: the last interest that goes takes its conditions along. Not safe in several threads.

    A condition is told by its text: of one analyser, the same text has the same atoms. Plain tuples and lists
    side by side, not objects: the garbage collector need not walk them.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._plain: list[tuple[str, ...]] = []  # empty where the condition must be asked for
        self._uses = array("I")
        self._free: list[int] = []
        self._wanted: dict[str, tuple[int, ...]] = {}  # atom of documents → the conditions that want it
        self.asked = Asked()

    def __getitem__(self, number: int) -> Condition:
        return Condition(self._texts[number], self._plain[number] or (self.asked.atom(number),))

    def keys(self, numbers: Sequence[int]) -> Iterable[Key]:
        """What satisfies a clause of these conditions, each once: two of them may share some."""
        if len(numbers) == 1:
            return self._plain[numbers[0]] or numbers
        return {key for number in numbers for key in self._plain[number] or (number,)}

    def held(self, emitted: Iterable[Key]) -> dict[int, str]:
        """{number: text} of the conditions that an event with these keys meets."""
        texts, wanted = self._texts, self._wanted
        held: dict[int, str] = {}
        for key in emitted:
            for number in (key,) if isinstance(key, int) else wanted[key]:
                held[number] = texts[number]
        return held

    def emitted(self, event: EventAtoms) -> frozenset[Key]:
        """The keys of an event that any condition asks for."""
        wanted = self._wanted.keys()
        return frozenset(self.asked.emitted(event)).union(*(wanted & atoms for atoms in event.plain.values()))

    def atoms(self, keys: Iterable[Key]) -> list[Atom]:
        """Keys as atoms, for whoever compares."""
        return [key if isinstance(key, str) else self.asked.atom(key) for key in keys]

    def used(self) -> Iterator[tuple[int, Condition, int]]:
        """(number, condition, number of uses) of all, by number."""
        return ((number, self[number], uses) for number, uses in enumerate(self._uses) if uses)

    def take(self, condition: Condition) -> int:
        """The number of a condition, used once more."""
        number = self._numbers.get(condition.text)
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
        self._plain.append(())
        self._uses.append(0)
        return len(self._texts) - 1

    def _begin(self, number: int, condition: Condition) -> None:
        text, atoms = condition
        self._numbers[text] = number
        self._texts[number] = text
        for atom in atoms:
            if isinstance(atom, str):
                self._plain[number] += (atom,)
                self._wanted[atom] = (*self._wanted.get(atom, ()), number)
            else:
                self.asked.add(number, atom)

    def _end(self, number: int) -> None:
        plain = self._plain[number]
        for atom in plain:
            self._wanted[atom] = tuple(one for one in self._wanted[atom] if one != number)
            if not self._wanted[atom]:
                del self._wanted[atom]
        if not plain:
            self.asked.remove(number)
        del self._numbers[self._texts[number]]
        self._texts[number], self._plain[number] = "", ()
        self._free.append(number)
