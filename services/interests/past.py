"""The notices of the last months turned round, condition → notices: what a query would have brought, at once.

Exact like the matcher, by the same atoms and keys; kept live by taking notices in and out. Knows no storage.
Each kind of word is kept once; a notice is the numbers of its words, so that months cost megabytes.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import assert_never

from pyroaring import BitMap

from services.domain.folding import fold
from services.interests.atoms import facet_atoms, leaf_atoms
from services.interests.evaluate import begins, deadline_holds
from services.interests.leaves import MIN_PREFIX
from services.interests.reading import WARSAW, Reading
from services.interests.text import Analyser, Keys, ReadWord
from services.interests.tokens import lowered
from services.interests.tree import And, Deadline, Exact, Facet, Leaf, Not, Or, Phrase, Prefix, Query, Word

LONGER = 2  # letters by which a word spelt nearly so may differ
MOST_NEAR = 2
NEAR = 0.8
SIZE = array("I").itemsize  # of a packed number
# Numbers are packed spread over all bits (Knuth's multiplicative hash): small ones, one like the other, are
# slow to look for among bytes.
_SPREAD, _BITS = 2_654_435_761, (1 << 8 * SIZE) - 1
_BACK = pow(_SPREAD, -1, _BITS + 1)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A notice as it is kept: its facets, the words of each field, and its times."""

    atoms: frozenset[str]
    fields: tuple[bytes, bytes, bytes]  # title, summary, body: packed numbers of words
    deadline: tuple[datetime, date] | None


class Past:
    """Notices by slots of bitmaps. Not safe in several threads: who keeps it sees to turns."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._kept: dict[int, _Kept] = {}  # by slot
        self._slots: dict[int, int] = {}  # notice → slot
        self._notices: dict[int, int] = {}  # slot → notice
        self._free: list[int] = []
        self._all = BitMap()
        self._with_deadline = BitMap()
        self._facets: dict[str, BitMap] = {}
        self._kinds: dict[tuple[str, Keys], int] = {}  # of words: form and keys → number
        self._words: list[tuple[str, Keys]] = []
        self._by_key: dict[str, list[int]] = {}
        self._by_form: dict[str, list[int]] = {}
        self._begun: dict[str, list[str]] = {}  # forms by their first letters, folded
        self._anywhere: list[BitMap] = []
        self._titled: list[BitMap] = []
        self.words = 0

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, notice_id: int, reading: Reading) -> None:
        """Take a notice in, or its newer text."""
        self.discard(notice_id)
        slot = self._free.pop() if self._free else len(self._slots)
        at, day = reading.document.deadline_at, reading.deadline_day
        fields = tuple(self._numbers(words) for words in (reading.title, reading.summary, reading.body))
        kept = _Kept(
            frozenset(atom for atoms in facet_atoms(reading).values() for atom in atoms),
            (fields[0], fields[1], fields[2]),
            (at, day) if at is not None and day is not None else None,
        )
        self._kept[slot], self._slots[notice_id], self._notices[slot] = kept, slot, notice_id
        self._all.add(slot)
        if kept.deadline:
            self._with_deadline.add(slot)
        for posting in self._postings(kept):
            posting.add(slot)
        self.words += sum(map(len, kept.fields)) // SIZE

    def discard(self, notice_id: int) -> None:
        """Take a notice out; an unknown one is no trouble."""
        slot = self._slots.pop(notice_id, None)
        if slot is None:
            return
        kept = self._kept.pop(slot)
        del self._notices[slot]
        for posting in self._postings(kept):
            posting.discard(slot)
        self._all.discard(slot)
        self._with_deadline.discard(slot)
        self._free.append(slot)
        self.words -= sum(map(len, kept.fields)) // SIZE

    def find(self, query: Query, now: datetime) -> list[int]:
        """The notices that meet a query as of now, in no order."""
        return [self._notices[slot] for slot in self._met(query, now)]

    def count(self, query: Query, now: datetime, *, among: BitMap | None = None) -> int:
        """How many meet a query, of all or of those in these `slots`."""
        met = self._met(query, now)
        return len(met) if among is None else met.intersection_cardinality(among)

    def slots(self, notices: Iterable[int]) -> BitMap:
        """Where these notices are kept: for several counts among the same ones."""
        return BitMap(self._slots[one] for one in notices)

    def facets(self, notices: Iterable[int]) -> Iterator[tuple[str, int]]:
        """(`topic:funding`, how many of these notices have it), of all that any of them has."""
        wanted = self.slots(notices)
        for atom, posting in self._facets.items():
            if number := wanted.intersection_cardinality(posting):
                yield atom, number

    def near(self, word: str) -> list[str]:
        """Words that notices have, spelt nearly like one that none has; the nearest first."""
        if self._has(word):
            return []
        form = lowered(word)
        first = _start(form)[:1]
        alike = [
            one
            for start, forms in self._begun.items()
            if start[:1] == first
            for one in forms
            if abs(len(one) - len(form)) <= LONGER
        ]
        meant = [one for one in self._analyser.other_spellings(form) if self._has(one)]
        return [*meant, *get_close_matches(form, alike, n=MOST_NEAR, cutoff=NEAR)][:MOST_NEAR]

    def _has(self, word: str) -> bool:
        return any(self._by_key.get(key) for key in self._analyser.query_keys(word))

    def is_telling(self, word: str) -> bool:
        """Whether a word says what a text is about: `na` and `w` do not."""
        return not self._analyser.is_function(lowered(word))

    def _met(self, query: Query, now: datetime) -> BitMap:
        match query:
            case And(parts):
                left = self._all.copy()
                for part in parts:
                    left &= self._met(part, now)
                return left
            case Or(parts):
                return BitMap.union(*(self._met(part, now) for part in parts))
            case Not(part):
                return self._all - self._met(part, now)
            case _:
                return self._leaf(query, now)

    def _leaf(self, leaf: Leaf, now: datetime) -> BitMap:
        match leaf:
            case Facet():
                return self._union(self._facets.get(str(atom)) for atom in leaf_atoms(leaf, self._analyser))
            case Word(text, in_title):
                return self._having(self._of_keys(self._analyser.query_keys(text)), in_title)
            case Exact(text, in_title):
                return self._having(self._by_form.get(text, ()), in_title)
            case Prefix(text, in_title):
                forms = (form for form in self._begun.get(_start(text), ()) if begins(form, text))
                return self._having((one for form in forms for one in self._by_form[form]), in_title)
            case Phrase():
                return self._phrase(leaf)
            case Deadline():
                return BitMap(slot for slot in self._with_deadline if self._closes(slot, leaf, now))
            case _:
                assert_never(leaf)

    def _phrase(self, leaf: Phrase) -> BitMap:
        """Those that hold all the words, looked at for their order."""
        kinds = [frozenset(self._of_keys(keys)) for keys in self._analyser.phrase_keys(leaf.words)]
        left = self._all.copy()
        for numbers in kinds:
            left &= self._having(numbers, leaf.in_title)
        wanted = [frozenset(number * _SPREAD & _BITS for number in numbers) for numbers in kinds]
        fields = 1 if leaf.in_title else 3
        return BitMap(
            slot for slot in left if any(_stands(wanted, words) for words in self._kept[slot].fields[:fields])
        )

    def _closes(self, slot: int, leaf: Deadline, now: datetime) -> bool:
        kept = self._kept[slot].deadline
        assert kept is not None
        at, day = kept
        left = (day - now.astimezone(WARSAW).date()).days if at >= now else None
        return deadline_holds(leaf, left, day)

    def _of_keys(self, keys: Keys) -> Iterator[int]:
        return (number for key in keys for number in self._by_key.get(key, ()))

    def _having(self, numbers: Iterable[int], in_title: bool) -> BitMap:
        postings = self._titled if in_title else self._anywhere
        return self._union(postings[number] for number in numbers)

    @staticmethod
    def _union(postings: Iterable[BitMap | None]) -> BitMap:
        found = [posting for posting in postings if posting]
        return BitMap.union(*found) if found else BitMap()

    def _numbers(self, words: Iterable[ReadWord]) -> bytes:
        return array("I", (self._number(word) * _SPREAD & _BITS for word in words)).tobytes()

    def _number(self, word: ReadWord) -> int:
        kind = (word.form, word.keys)
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = len(self._words)
            self._words.append(kind)
            self._anywhere.append(BitMap())
            self._titled.append(BitMap())
            if word.form not in self._by_form:
                self._begun.setdefault(_start(word.form), []).append(word.form)
            self._by_form.setdefault(word.form, []).append(number)
            for key in word.keys:
                self._by_key.setdefault(key, []).append(number)
        return number

    def _postings(self, kept: _Kept) -> Iterator[BitMap]:
        for atom in kept.atoms:
            yield self._facets.setdefault(atom, BitMap())
        title, summary, body = (
            frozenset(number * _BACK & _BITS for number in array("I", words)) for words in kept.fields
        )
        for number in title:
            yield self._titled[number]
        for number in title | summary | body:
            yield self._anywhere[number]


def _start(form: str) -> str:
    """As much as the shortest beginning that may be asked for."""
    return fold(form)[:MIN_PREFIX]


def _stands(wanted: list[frozenset[int]], packed: bytes) -> bool:
    """Do words of these kinds stand one after another? Looks where the first stands; all spread."""
    length, more = len(wanted) * SIZE, wanted[1:]
    for first in wanted[0]:
        piece = first.to_bytes(SIZE, sys.byteorder)
        at = packed.find(piece)
        while at >= 0:
            if at % SIZE == 0 and at + length <= len(packed):
                following = array("I", packed[at + SIZE : at + length])
                if all(number in numbers for number, numbers in zip(following, more, strict=True)):
                    return True
            at = packed.find(piece, at + 1)
    return False
