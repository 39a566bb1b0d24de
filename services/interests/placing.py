"""Places named in a text, in any case: `w Toruniu`, `gminy Białe Błota`, `powiat bydgoski i toruński`.

Only what is unambiguous counts: of two Chełmżas one must be said (`gmina Chełmża`, `Urząd Miasta Chełmży`),
a name that is also a word or a surname needs a word before it that tells a place, and what follows a first
name, or names a street, is none. Better none than a wrong one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.domain import declension, places
from services.domain.folding import slug
from services.domain.places import Place
from services.interests.text import Analyser, Keys, ReadWord
from services.interests.tokens import words

_MUNICIPALITY = ("gmin", "wójt")
_TOWN = ("miast", "mieści", "mieście", "miejsk", "burmistrz")
_COUNTY = ("powiat", "powieci", "starost", "starości")
_ENGLISH_COUNTY = frozenset({"county", "poviat", "powiat", "district"})
_COUNTY_AROUND = {"0461011": "0403", "0463011": "0415"}
_STREET = frozenset({
    "ul", "ulica", "ulicy", "ulicą", "ulicę", "al", "aleja", "alei", "plac", "placu", "rondo", "ronda",
    "rondzie", "szosa", "szosy", "szosie",
})  # fmt: skip
_BEFORE_A_PLACE = frozenset({"w", "we", "do", "pod", "za", "przez", "koło", "k", "in", "near", "from"})
_FROM = frozenset({"z", "ze"})
_OF_A_PLACE = (
    "gmin", "wójt", "miast", "mieszka", "radn", "sołty", "sołect", "okolic", "miejscow", "wieś", "wsi",
    "centrum", "municipality", "commune", "inhabitants",
)  # fmt: skip
_ALSO_WORDS = frozenset({"lubicz", "łubianka"})  # a surname and a coat of arms; a basket, and a prison
_AND = frozenset({"i", "oraz", "and", "a"})
_REGION = (
    "Kujawsko-Pomorskie", "Kujawy i Pomorze", "Kujawy oraz Pomorze", "Kujawy Pomorze", "Kujawy and Pomerania",
    "Kujawy-Pomerania", "Kuyavian-Pomeranian", "Kuyavia-Pomerania", "Kuyavia and Pomerania",
)  # fmt: skip
_LOOKED_BACK = 2
_SMALL = 3  # letters of a word that has no capital in a name: nad


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of a name: its keys, and its forms as they are typed without diacritics."""

    keys: Keys
    ascii: frozenset[str]

    def meets(self, word: ReadWord) -> bool:
        return not self.keys.isdisjoint(word.keys) or word.form in self.ascii


@dataclass(frozen=True, slots=True)
class _Name:
    """One name of a unit; `needs` is what must stand before it, if anything must."""

    place: Place
    parts: tuple[_Part, ...]
    needs: tuple[str, ...] = ()
    is_county: bool = False
    is_also_word: bool = False
    is_capitalised: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a name stands: from `start` up to `end`, before the word there."""

    name: _Name
    start: int
    end: int


class Gazetteer:
    """The names of all units, read once; safe in several threads."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    @cached_property
    def _names(self) -> dict[str, list[_Name]]:
        """By the keys and the forms of their first words."""
        found: dict[str, list[_Name]] = defaultdict(list)
        for place in (*places.PLACES.values(), *places.AROUND.values()):
            for name in _names(place, self._analyser):
                for key in {*name.parts[0].keys, *name.parts[0].ascii}:
                    found[key].append(name)
        return dict(found)

    def codes(self, *texts: Sequence[ReadWord]) -> tuple[str, ...]:
        """TERYT codes of the places that texts name, in order of code; the narrowest alone, where one lies
        in another that is named too."""
        found = {code for text in texts for code in self._named(text)}
        return tuple(sorted(code for code in found if not _has_narrower(code, found)))

    def _named(self, text: Sequence[ReadWord]) -> Iterator[str]:
        before: _Found | None = None
        for start, word in enumerate(text):
            beginning = [name for key in (*word.keys, word.form) for name in self._names.get(key, ())]
            for name in {id(one): one for one in beginning}.values():
                here = _Found(name, start, start + len(name.parts))
                if not _reads(here, text) or not self._stands(here, text, before):
                    continue
                before = here
                yield _code(here, text)

    def _stands(self, here: _Found, text: Sequence[ReadWord], before: _Found | None) -> bool:
        """Whether what is written so is meant as this place."""
        name, at = here.name, here.start
        if not name.is_capitalised and not name.is_county:
            return True
        is_next = before is not None and _is_next(before, here, text)
        if name.is_county:
            return _begins(text[at - 1 : at], _COUNTY) or (is_next and _is_same_case(before, here, text))
        said = text[max(0, at - _LOOKED_BACK) : at]
        if said and said[-1].form in _STREET:
            return False
        if name.needs:
            return _is_told_apart(name.needs, text[max(0, at - _LOOKED_BACK - 1) : at])
        if said and not _is_city(name.place) and self._is_of_a_person(said[-1]):
            return False
        return not name.is_also_word or is_next or _tells_a_place(said, text[at].form)

    def _is_of_a_person(self, before: ReadWord) -> bool:
        return self._analyser.is_given_name(before.surface) and not before.form.startswith(_OF_A_PLACE)


def _names(place: Place, analyser: Analyser) -> Iterator[_Name]:
    if place.kind == "województwo":
        for spelt in _REGION:
            yield _Name(place, _parts(spelt.lower(), analyser), is_capitalised=False)
        return
    bare, _, kind = place.name.partition(" (")
    if place.kind == "powiat":
        yield _Name(
            place, _parts(bare.removeprefix("powiat "), analyser), is_county=True, is_capitalised=False
        )
        return
    needs = _MUNICIPALITY if kind.startswith("gmina") else _TOWN if kind.startswith("miasto") else ()
    yield _Name(place, _parts(bare, analyser), needs=needs, is_also_word=bare.lower() in _ALSO_WORDS)


def _parts(spelt: str, analyser: Analyser) -> tuple[_Part, ...]:
    return tuple(_Part(analyser.query_keys(word), _ascii_forms(word)) for word in words(spelt))


def _ascii_forms(word: str) -> frozenset[str]:
    base = slug(word)
    if base == "nad":
        return frozenset({"nad", "n"})  # Nakło n. Notecią
    return frozenset({base} | {form for form, bases in declension.FORMS.items() if base in bases})


def _reads(here: _Found, text: Sequence[ReadWord]) -> bool:
    """Whether the words of the name stand there, with their capitals where it has them."""
    if here.end > len(text):
        return False
    for part, word in zip(here.name.parts, text[here.start : here.end], strict=True):
        if not part.meets(word):
            return False
        if here.name.is_capitalised and len(word.form) > _SMALL and not word.surface[:1].isupper():
            return False
    return True


def _code(here: _Found, text: Sequence[ReadWord]) -> str:
    """Of `Toruń County` the county."""
    code = here.name.place.code
    is_county = here.end < len(text) and text[here.end].form in _ENGLISH_COUNTY
    return _COUNTY_AROUND.get(code, code) if is_county else code


def _is_next(before: _Found, here: _Found, text: Sequence[ReadWord]) -> bool:
    """`gminy Lubicz, Łubianka i Obrowo`: one goes with the other."""
    between = text[before.end : here.start]
    return here.start >= before.end and (not between or (len(between) == 1 and between[0].form in _AND))


def _is_same_case(before: _Found | None, here: _Found, text: Sequence[ReadWord]) -> bool:
    """`bydgoskiego i toruńskiego`, not `bydgoski i toruńskie`."""
    if before is None or not before.name.is_county:
        return False
    one, other = (text[found.end - 1].form.rpartition("k")[2] for found in (before, here))
    return one == other


def _is_told_apart(needs: tuple[str, ...], said: Sequence[ReadWord]) -> bool:
    """The town or the municipality: by the word before, or the one before that, or by `miasto i gmina`."""
    other = _TOWN if needs is _MUNICIPALITY else _MUNICIPALITY
    last, two, three = said[-1:], said[-2:-1], said[-3:-2]
    if _begins(last, needs):
        return True
    if _begins(last, other):
        return bool(two) and two[0].form in _AND and _begins(three, needs)
    return _begins(two, needs)


def _tells_a_place(said: Sequence[ReadWord], form: str) -> bool:
    """`pod Lubiczem`, `wójta Lubicza`, `municipality of Lubicz`; `z Lubiczem` goes with a person."""
    if not said:
        return False
    last = said[-1].form
    if last in _FROM:
        return not form.endswith("em")
    return last in _BEFORE_A_PLACE or _begins(said if last == "of" else said[-1:], _OF_A_PLACE)


def _is_city(place: Place) -> bool:
    return place.code in _COUNTY_AROUND


def _begins(said: Sequence[ReadWord], stems: tuple[str, ...]) -> bool:
    return any(word.form.startswith(stems) for word in said)


def _has_narrower(code: str, found: set[str]) -> bool:
    return any(other != code and places.stem(other).startswith(places.stem(code)) for other in found)
