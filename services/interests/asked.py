"""The conditions that a document meets only when somebody asks: beginnings of words, phrases, deadlines.

Each is tested once for an event, however many interests share it; and most are not even looked at. A
condition is told by its number.
"""

from collections import Counter
from collections.abc import Iterator

from services.domain.folding import fold
from services.interests.atoms import EventAtoms, PhraseAtom
from services.interests.evaluate import deadline_holds
from services.interests.phrases import Phrases
from services.interests.reading import Reading
from services.interests.tree import Deadline, Prefix

AskedAtom = Prefix | Deadline | PhraseAtom


class Asked:
    """What interests ask for now; each number is added once."""

    def __init__(self) -> None:
        self._prefixes: dict[int, Prefix] = {}
        self._starts: dict[bool, dict[str, int]] = {False: {}, True: {}}  # by whether the title alone counts
        self._lengths: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
        self._phrases = Phrases()
        self._deadlines: dict[int, Deadline] = {}

    def add(self, number: int, atom: AskedAtom) -> None:
        match atom:
            case Prefix(text, in_title):
                self._prefixes[number] = atom
                self._starts[in_title][text] = number
                self._lengths[in_title][len(text)] += 1
            case Deadline():
                self._deadlines[number] = atom
            case PhraseAtom():
                self._phrases.add(number, atom)

    def remove(self, number: int) -> None:
        """Take back what `add` was given."""
        if prefix := self._prefixes.pop(number, None):
            lengths = self._lengths[prefix.in_title]
            lengths[len(prefix.text)] -= 1
            if not lengths[len(prefix.text)]:
                del lengths[len(prefix.text)]
            del self._starts[prefix.in_title][prefix.text]
        elif self._deadlines.pop(number, None) is None:
            self._phrases.remove(number)

    def atom(self, number: int) -> AskedAtom:
        """What was added under a number."""
        return self._prefixes.get(number) or self._deadlines.get(number) or self._phrases.atom(number)

    def emitted(self, event: EventAtoms) -> Iterator[int]:
        """Those that the event meets."""
        yield from self._deadlines_of(event.reading, event)
        for in_title, lengths in self._lengths.items():
            if lengths:
                yield from self._prefixes_in(event.reading, in_title)
        yield from self._phrases.found_in(event.reading)

    def _deadlines_of(self, reading: Reading, event: EventAtoms) -> Iterator[int]:
        day = reading.deadline_day
        if day is not None:
            left = reading.days_left(event.now)
            yield from (n for n, one in self._deadlines.items() if deadline_holds(one, left, day))

    def _prefixes_in(self, reading: Reading, in_title: bool) -> Iterator[int]:
        """Probe the asked lengths of every form: ASCII beginnings against folded forms."""
        starts = self._starts[in_title]
        for form in {word.form for _, words in reading.texts(in_title=in_title) for word in words}:
            folded = form if form.isascii() else fold(form)
            for length in self._lengths[in_title]:
                for start, is_ascii in ((folded[:length], True), (form[:length], False)):
                    number = starts.get(start)
                    if number is not None and start.isascii() is is_ascii:
                        yield number
