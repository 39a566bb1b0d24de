"""The phrases that interests ask for, found in a text by the keys of their first two words.

A phrase is a number; for each key there is a bitmap of the phrases that begin with it, and one of those whose
second word has it. A hundred thousand phrases cost no more than their words.
"""

from collections.abc import Iterator
from itertools import pairwise

from pyroaring import BitMap

from services.interests.atoms import PhraseAtom
from services.interests.reading import ReadWord
from services.interests.text import Keys


class Phrases:
    """Each phrase is added once. Not safe in several threads."""

    def __init__(self) -> None:
        self._numbers: dict[PhraseAtom, int] = {}
        self._phrases: list[PhraseAtom | None] = []
        self._free: list[int] = []
        self._first: dict[str, BitMap] = {}
        self._second: dict[str, BitMap] = {}

    def add(self, phrase: PhraseAtom) -> None:
        if self._free:
            number = self._free.pop()
            self._phrases[number] = phrase
        else:
            number = len(self._phrases)
            self._phrases.append(phrase)
        self._numbers[phrase] = number
        for numbers, keys in ((self._first, phrase.words[0]), (self._second, phrase.words[1])):
            for key in keys:
                if (held := numbers.get(key)) is None:
                    numbers[key] = BitMap((number,))
                else:
                    held.add(number)

    def remove(self, phrase: PhraseAtom) -> None:
        number = self._numbers.pop(phrase)
        self._phrases[number] = None
        self._free.append(number)
        for numbers, keys in ((self._first, phrase.words[0]), (self._second, phrase.words[1])):
            for key in keys:
                numbers[key].discard(number)
                if not numbers[key]:
                    del numbers[key]

    def found_in(self, words: tuple[ReadWord, ...], *, in_title: bool) -> Iterator[PhraseAtom]:
        """The phrases that stand in a field; those of the title alone, or those of any field."""
        if not self._numbers:
            return
        for start, (one, other) in enumerate(pairwise(words)):
            for number in self._begun(one.keys, other.keys):
                phrase = self._phrases[number]
                if phrase and phrase.in_title is in_title and _stands(phrase, words, start):
                    yield phrase

    def _begun(self, keys: Keys, next_keys: Keys) -> Iterator[int]:
        """Nearly always nothing, so that is found out first, without making a bitmap."""
        first = [held for key in keys if (held := self._first.get(key)) is not None]
        if not first:
            return
        for key in next_keys:
            if (second := self._second.get(key)) is not None:
                for held in first:
                    if held.intersect(second):
                        yield from held & second


def _stands(phrase: PhraseAtom, words: tuple[ReadWord, ...], start: int) -> bool:
    piece = words[start : start + len(phrase.words)]
    return len(piece) == len(phrase.words) and not any(
        keys.isdisjoint(word.keys) for keys, word in zip(phrase.words, piece, strict=True)
    )
