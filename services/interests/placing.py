"""Places of the area named in a text, in any case: `w Toruniu`, `gminy Białe Błota`, `powiat bydgoski`.

Only what is unambiguous counts: of two Chełmżas one must be said (`gmina Chełmża`, `Urząd Miasta Chełmży`),
and a name that is also a word or a surname needs a word before it that tells a place. Better none
than a wrong one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.domain import places
from services.domain.places import Place
from services.interests.reading import ReadWord
from services.interests.text import Analyser, Keys
from services.interests.tokens import words

_MUNICIPALITY = ("gmin",)
_TOWN = ("miast", "miejsk", "burmistrz")
_COUNTY = ("powiat", "starost")
_BEFORE_A_PLACE = frozenset(
    {"w", "we", "do", "z", "ze", "pod", "koło", "k", "dla", "okolice", "okolicach", "wsi"}
)
_ALSO_SURNAMES = frozenset({"lubicz", "dobrcz"})
_LOOKED_BACK = 2


@dataclass(frozen=True, slots=True)
class _Name:
    """One name of a unit: its words by their keys; what must stand before it, if anything must."""

    place: Place
    keys: tuple[Keys, ...]
    is_capitalised: bool
    needs: tuple[str, ...] = ()
    is_ambiguous: bool = False


class Gazetteer:
    """The names of all units, read once; safe in several threads."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    @cached_property
    def _names(self) -> list[_Name]:
        return [_name(place, self._analyser) for place in places.PLACES.values()]

    def codes(self, *texts: Sequence[ReadWord]) -> tuple[str, ...]:
        """TERYT codes of the places that texts name, in order of code; the narrowest alone, where one lies
        in another that is named too."""
        found = {name.place.code for text in texts for name in self._named(text)}
        return tuple(sorted(code for code in found if not _has_narrower(code, found)))

    def _named(self, text: Sequence[ReadWord]) -> Iterator[_Name]:
        for start in range(len(text)):
            for name in self._names:
                if _stands(name, text, start):
                    yield name


def _has_narrower(code: str, found: set[str]) -> bool:
    return any(other != code and places.stem(other).startswith(places.stem(code)) for other in found)


def _name(place: Place, analyser: Analyser) -> _Name:
    bare, _, kind = place.name.partition(" (")
    if place.kind in ("powiat", "województwo"):
        spelt = bare.removeprefix("województwo ") if place.kind == "województwo" else bare
        return _Name(place, analyser.phrase_keys(tuple(words(spelt))), is_capitalised=False)
    needs = _MUNICIPALITY if kind.startswith("gmina") else _TOWN if kind.startswith("miasto") else ()
    spelt_words = tuple(words(bare))
    keys = tuple(analyser.query_keys(word) for word in spelt_words)
    is_word = len(spelt_words) == 1 and analyser.is_common(bare.lower())
    is_ambiguous = len(spelt_words) == 1 and (is_word or bare.lower() in _ALSO_SURNAMES)
    return _Name(place, keys, is_capitalised=True, needs=needs, is_ambiguous=is_ambiguous)


def _stands(name: _Name, text: Sequence[ReadWord], start: int) -> bool:
    """Whether the name begins at this word."""
    end = start + len(name.keys)
    if end > len(text) or (name.is_capitalised and not text[start].surface[:1].isupper()):
        return False
    if not all(keys & word.keys for keys, word in zip(name.keys, text[start:end], strict=True)):
        return False
    before = [word.form for word in text[max(0, start - _LOOKED_BACK) : start]]
    if name.needs:
        other = _TOWN if name.needs is _MUNICIPALITY else _MUNICIPALITY
        return _begins(before[-1:], name.needs) or (
            _begins(before, name.needs) and not _begins(before, other)
        )
    if name.is_ambiguous:
        return before[-1:] != [] and (
            before[-1] in _BEFORE_A_PLACE or _begins(before[-1:], (*_MUNICIPALITY, *_TOWN, *_COUNTY))
        )
    return True


def _begins(forms: Sequence[str], stems: tuple[str, ...]) -> bool:
    return any(form.startswith(stems) for form in forms)
