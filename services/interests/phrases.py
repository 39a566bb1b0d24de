"""The phrases that interests ask for, found in a text by the keys of their first two words.

For each key there is a bitmap of the phrases that begin with it, and one of those whose second word has it.
What a phrase calls a word is a set of keys, kept once; a phrase is the numbers of such sets. So a hundred
thousand phrases cost little more than their words.
"""

from collections.abc import Iterator
from itertools import pairwise

from pyroaring import BitMap

from services.interests.atoms import PhraseAtom
from services.interests.reading import Reading
from services.interests.records import Records
from services.interests.text import Keys, ReadWord


class Phrases:
    """Each number is added once. Not safe in several threads."""

    def __init__(self) -> None:
        self._records = Records()  # phrase → 1 when the title alone counts, then the names of its words
        self._names: dict[Keys, int] = {}
        self._keys: list[Keys] = []  # by name
        self._uses: list[int] = []  # of a name
        self._free: list[int] = []
        self._first: dict[str, BitMap] = {}  # key → phrases
        self._second: dict[str, BitMap] = {}

    def add(self, number: int, phrase: PhraseAtom) -> None:
        self._records.put(number, [int(phrase.in_title), *map(self._take, phrase.words)])
        for numbers, keys in ((self._first, phrase.words[0]), (self._second, phrase.words[1])):
            for key in keys:
                if (held := numbers.get(key)) is None:
                    numbers[key] = BitMap((number,))
                else:
                    held.add(number)

    def remove(self, number: int) -> None:
        words = self.atom(number).words
        for numbers, keys in ((self._first, words[0]), (self._second, words[1])):
            for key in keys:
                numbers[key].discard(number)
                if not numbers[key]:
                    del numbers[key]
        _, *names = self._records.get(number)
        self._records.drop(number)
        for name in names:
            self._release(name)

    def atom(self, number: int) -> PhraseAtom:
        """What was added under a number."""
        in_title, *names = self._records.get(number)
        return PhraseAtom(tuple(self._keys[name] for name in names), bool(in_title))

    def found_in(self, reading: Reading) -> Iterator[int]:
        """The phrases that stand in a field of a document."""
        if not self._names:
            return
        for field, words in reading.texts(in_title=False):
            for start, number in self._begun([word.keys for word in words]):
                phrase = self.atom(number)
                if (field == "title" or not phrase.in_title) and _stands(phrase, words, start):
                    yield number

    def _begun(self, words: list[Keys]) -> Iterator[tuple[int, int]]:
        """(where, phrase) whose first two words are there. Nearly always none: nothing is made till then."""
        for start, (keys, next_keys) in enumerate(pairwise(words)):
            for key in keys:
                if (first := self._first.get(key)) is None:
                    continue
                for next_key in next_keys:
                    second = self._second.get(next_key)
                    if second is not None and first.intersect(second):
                        for number in first & second:
                            yield start, number

    def _take(self, keys: Keys) -> int:
        name = self._names.get(keys)
        if name is None:
            name = self._free.pop() if self._free else self._grow()
            self._names[keys], self._keys[name] = name, keys
        self._uses[name] += 1
        return name

    def _grow(self) -> int:
        self._keys.append(frozenset())
        self._uses.append(0)
        return len(self._keys) - 1

    def _release(self, name: int) -> None:
        self._uses[name] -= 1
        if self._uses[name]:
            return
        del self._names[self._keys[name]]
        self._keys[name] = frozenset()
        self._free.append(name)


def _stands(phrase: PhraseAtom, words: tuple[ReadWord, ...], start: int) -> bool:
    piece = words[start : start + len(phrase.words)]
    return len(piece) == len(phrase.words) and not any(
        keys.isdisjoint(word.keys) for keys, word in zip(phrase.words, piece, strict=True)
    )
