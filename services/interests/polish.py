"""What a Polish form may be a form of, by the dictionary of Morfeusz; and what an ASCII one may stand for.

The one home of morfeusz2. Where it cannot be imported (there is no wheel for Linux on ARM), `dictionary()`
answers None and the analyser goes by stems.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

try:
    import morfeusz2  # type: ignore[import-untyped]
except ImportError:  # pragma: no cover - depends on the machine
    morfeusz2 = None

MAX_RESTORED = 600
_PLACE_NAMES = frozenset({"nazwa_geograficzna", "człon_nazwy_geograficznej"})
_GIVEN_NAME = "imię"
_SKIPPED = frozenset({"aglt", "interp", "ign", "sym", "dig"})
_VERBAL = frozenset({"ger", "pact", "ppas", "pacta", "pant", "pcon"})
_NOUNS = frozenset({"subst", "depr"})
_HEADWORDS = frozenset({"subst", "adj"})
_RARE = frozenset({"daw.", "przest.", "pot.", "rzad.", "gwar.", "reg."})
_FUNCTION_TAGS = frozenset({"prep", "conj", "comp", "part", "qub", "ppron12", "ppron3", "siebie", "interj"})
# So frequent that a word typed without diacritics never means them when it is a word itself: moc, not móc.
_FUNCTION_LEMMAS = frozenset(
    {"być", "móc", "mieć", "więc", "też", "już", "się", "że", "żeby", "także", "żaden"}
)


@dataclass(frozen=True, slots=True)
class Readings:
    """Lemmas of one form: `common` in small letters, `names` with their capitals, `places` among them.

    `rare` are those of `common` that nobody writes any more, or only speaks; `headwords` the nouns and
    adjectives among all others; `is_given_name`: Anna, Jana.
    """

    common: frozenset[str]
    names: frozenset[str]
    places: frozenset[str]
    is_function: bool
    rare: frozenset[str] = frozenset()
    headwords: frozenset[str] = frozenset()
    is_given_name: bool = False

    def __bool__(self) -> bool:
        return bool(self.common or self.names)


class Dictionary(Protocol):
    """Knows the forms of words; `name` tells which words those are."""

    @property
    def name(self) -> str: ...

    def readings(self, form: str) -> Readings: ...


class Morfeusz:
    """The dictionary itself: one object a process, loaded at first use, used by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._morfeusz: Any = None

    @property
    def name(self) -> str:
        with self._lock:
            return f"morfeusz {self._opened().dict_id()}"

    def readings(self, form: str) -> Readings:
        with self._lock:
            return _readings(self._opened().analyse(form))

    def _opened(self) -> Any:
        if self._morfeusz is None:
            self._morfeusz = morfeusz2.Morfeusz(generate=False)
        return self._morfeusz


def dictionary() -> Dictionary | None:
    """Morfeusz where it is installed."""
    return None if morfeusz2 is None else Morfeusz()


def _readings(analyses: list[Any]) -> Readings:
    """Gerunds and participles give way to a noun: `badania` are `badanie`, not `badać`."""
    found: set[tuple[str, str, frozenset[str]]] = set()
    living: set[str] = set()
    for start, _, (form, lemma, tags, labels, style) in analyses:
        tag = tags.split(":", 1)[0]
        if tag == "brev" and (len(form) == 1 or not lemma.isalpha() or not lemma.islower()):
            continue  # the m of m.in. is no metre, the pl of umk.pl is not Poland
        if tag not in _SKIPPED and not (start and tag in _FUNCTION_TAGS):
            found.add((_lemma(lemma), tag, frozenset(labels)))
            if _RARE.isdisjoint(style):
                living.add(_lemma(lemma))
    has_noun = any(tag in _NOUNS and lemma[:1].islower() for lemma, tag, _ in found)
    kept = [one for one in found if not (has_noun and one[1] in _VERBAL)]
    common = frozenset(lemma for lemma, _, _ in kept if not lemma[:1].isupper())
    return Readings(
        common=common,
        names=frozenset(lemma for lemma, _, _ in kept if lemma[:1].isupper()),
        places=frozenset(lemma for lemma, _, labels in kept if lemma[:1].isupper() and labels & _PLACE_NAMES),
        is_function=bool(common & _FUNCTION_LEMMAS) or _all_function(tag for _, tag, _ in kept),
        rare=common - living,
        headwords=frozenset(lemma for lemma, tag, _ in kept if tag in _HEADWORDS) & common & living,
        is_given_name=any(_GIVEN_NAME in labels for _, _, labels in kept),
    )


def _all_function(tags: Iterable[str]) -> bool:
    found = set(tags)
    return bool(found) and found <= _FUNCTION_TAGS


def _lemma(lemma: str) -> str:
    """Without the mark of a homonym: `robot:Sm2` is `robot`."""
    return lemma.split(":", 1)[0] or lemma


_VOWELS = frozenset("aeiouyąęó")
_MARKED = {"a": "ą", "c": "ć", "e": "ę", "l": "ł", "n": "ń", "o": "ó", "s": "ś", "z": "źż"}


def restored(word: str) -> Iterator[str]:
    """What an ASCII word in small letters may stand for, with diacritics where Polish spelling allows them.

    Without the word itself; at most MAX_RESTORED, the same for the same word always.
    """
    made = [""]
    for index, letter in enumerate(word):
        following = word[index + 1 : index + 2]
        choices = letter + "".join(
            mark
            for mark in _MARKED.get(letter, "")
            if _may_stand(mark, index, word[index - 1 : index], following)
        )
        made = [start + choice for start in made for choice in choices][:MAX_RESTORED]
    yield from (one for one in made if one != word)


def _may_stand(mark: str, index: int, before: str, following: str) -> bool:
    """Spelling: soft consonants are written ci, si, ni, zi before vowels; digraphs take no marks."""
    match mark:
        case "ą" | "ę":
            return index > 0 and following not in _VOWELS
        case "ó":
            return following != "" and following not in _VOWELS
        case "ć":
            return following not in _VOWELS and following not in ("z", "h")
        case "ś":
            return following not in _VOWELS and following != "z"
        case "ń":
            return following not in _VOWELS
        case "ź":
            return following not in _VOWELS and before not in ("c", "s")
        case "ż":
            return following != "i" and before not in ("c", "s")
        case _:
            return following != "i"
