"""The atoms that a document emits only when somebody asks: beginnings of words, phrases, deadlines.

Kept by number of uses, so that each event tests each of them once, however many interests share it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from services.domain.folding import fold
from services.interests.atoms import Atom, EventAtoms, PhraseAtom
from services.interests.evaluate import meets
from services.interests.reading import Reading, ReadWord
from services.interests.tree import Deadline, Prefix


class Asked:
    """What interests ask for now."""

    def __init__(self) -> None:
        self._uses: Counter[Atom] = Counter()
        self._lengths: Counter[int] = Counter()
        self._phrases: dict[str, set[PhraseAtom]] = {}
        self._deadlines: set[Deadline] = set()

    def add(self, atoms: Iterable[Atom]) -> None:
        for atom in atoms:
            if isinstance(atom, str):
                continue
            self._uses[atom] += 1
            if self._uses[atom] == 1:
                self._begin(atom)

    def remove(self, atoms: Iterable[Atom]) -> None:
        """Take back what `add` was given."""
        for atom in atoms:
            if isinstance(atom, str):
                continue
            self._uses[atom] -= 1
            if not self._uses[atom]:
                del self._uses[atom]
                self._end(atom)

    def emitted(self, event: EventAtoms) -> set[Atom]:
        """Those of the asked atoms that the event emits."""
        found: set[Atom] = set()
        for deadline in self._deadlines:
            if meets(deadline, event.reading, event.now):
                found.add(deadline)
        for in_title in (False, True):
            found.update(self._prefixes_in(event.reading, in_title))
            for _, words in event.reading.texts(in_title=in_title):
                found.update(self._phrases_in(words, in_title))
        return found

    def _begin(self, atom: Prefix | Deadline | PhraseAtom) -> None:
        match atom:
            case Prefix(text):
                self._lengths[len(text)] += 1
            case Deadline():
                self._deadlines.add(atom)
            case PhraseAtom(words):
                for key in words[0]:
                    self._phrases.setdefault(key, set()).add(atom)

    def _end(self, atom: Prefix | Deadline | PhraseAtom) -> None:
        match atom:
            case Prefix(text):
                self._lengths[len(text)] -= 1
                if not self._lengths[len(text)]:
                    del self._lengths[len(text)]
            case Deadline():
                self._deadlines.discard(atom)
            case PhraseAtom(words):
                for key in words[0]:
                    self._phrases[key].discard(atom)
                    if not self._phrases[key]:
                        del self._phrases[key]

    def _prefixes_in(self, reading: Reading, in_title: bool) -> Iterator[Prefix]:
        """Probe the asked lengths of every form: ASCII beginnings against folded forms."""
        if not self._lengths:
            return
        forms = {word.form for _, words in reading.texts(in_title=in_title) for word in words}
        for form in forms:
            folded = fold(form)
            for length in self._lengths:
                for start, is_ascii in ((folded[:length], True), (form[:length], False)):
                    prefix = Prefix(start, in_title)
                    if start.isascii() is is_ascii and prefix in self._uses:
                        yield prefix

    def _phrases_in(self, words: tuple[ReadWord, ...], in_title: bool) -> Iterator[PhraseAtom]:
        if not self._phrases:
            return
        for start, word in enumerate(words):
            for key in word.keys:
                for phrase in self._phrases.get(key, ()):
                    if phrase.in_title is in_title and _stands(phrase, words, start):
                        yield phrase


def _stands(phrase: PhraseAtom, words: tuple[ReadWord, ...], start: int) -> bool:
    piece = words[start : start + len(phrase.words)]
    return len(piece) == len(phrase.words) and not any(
        keys.isdisjoint(word.keys) for keys, word in zip(phrase.words, piece, strict=True)
    )
