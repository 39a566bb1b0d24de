"""The atoms that a document emits only when somebody asks: beginnings of words, phrases, deadlines.

Each is tested once for an event, however many interests share it; and most are not even looked at.
"""

from collections import Counter
from collections.abc import Iterator

from services.domain.folding import fold
from services.interests.atoms import Atom, EventAtoms, PhraseAtom
from services.interests.evaluate import deadline_holds
from services.interests.phrases import Phrases
from services.interests.reading import Reading
from services.interests.tree import Deadline, Prefix

AskedAtom = Prefix | Deadline | PhraseAtom


class Asked:
    """What interests ask for now; each atom is added once."""

    def __init__(self) -> None:
        self._starts: dict[bool, set[str]] = {False: set(), True: set()}  # by whether the title alone counts
        self._lengths: Counter[int] = Counter()
        self._phrases = Phrases()
        self._deadlines: set[Deadline] = set()

    def add(self, atom: AskedAtom) -> None:
        match atom:
            case Prefix(text, in_title):
                self._starts[in_title].add(text)
                self._lengths[len(text)] += 1
            case Deadline():
                self._deadlines.add(atom)
            case PhraseAtom():
                self._phrases.add(atom)

    def remove(self, atom: AskedAtom) -> None:
        """Take back what `add` was given."""
        match atom:
            case Prefix(text, in_title):
                self._starts[in_title].discard(text)
                self._lengths[len(text)] -= 1
                if not self._lengths[len(text)]:
                    del self._lengths[len(text)]
            case Deadline():
                self._deadlines.discard(atom)
            case PhraseAtom():
                self._phrases.remove(atom)

    def emitted(self, event: EventAtoms) -> set[Atom]:
        """Those of the asked atoms that the event emits."""
        reading = event.reading
        found: set[Atom] = set(self._deadlines_of(reading, event))
        for in_title in (False, True):
            found.update(self._prefixes_in(reading, in_title))
            for _, words in reading.texts(in_title=in_title):
                found.update(self._phrases.found_in(words, in_title=in_title))
        return found

    def _deadlines_of(self, reading: Reading, event: EventAtoms) -> Iterator[Deadline]:
        day = reading.deadline_day
        if day is not None:
            left = reading.days_left(event.now)
            yield from (one for one in self._deadlines if deadline_holds(one, left, day))

    def _prefixes_in(self, reading: Reading, in_title: bool) -> Iterator[Prefix]:
        """Probe the asked lengths of every form: ASCII beginnings against folded forms."""
        starts = self._starts[in_title]
        if not starts:
            return
        for form in {word.form for _, words in reading.texts(in_title=in_title) for word in words}:
            folded = form if form.isascii() else fold(form)
            for length in self._lengths:
                for start, is_ascii in ((folded[:length], True), (form[:length], False)):
                    if start in starts and start.isascii() is is_ascii:
                        yield Prefix(start, in_title)
