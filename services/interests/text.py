"""Words to keys: two words are one when they share a key. A document gives all, a query only those meant.

    innowacja, Świecie   the lemma of a common word, of a name
    ^oze, ^5g            an acronym or what holds digits: as it is
    ~stem, en:stem       a word that no dictionary knows; an English word

Keys keep diacritics. A query typed in ASCII also means what it may stand for; a document never does.
"""

from functools import lru_cache
from typing import NamedTuple

from services.domain.folding import fold
from services.interests.polish import Dictionary, Readings, dictionary, restored
from services.interests.stems import Stems
from services.interests.tokens import Token, is_capitals, is_title, lowered

Keys = frozenset[str]

RULES = 8  # to be raised whenever a word gets other keys than before
CACHED_WORDS = 100_000
MAX_ANALYSED = 40
_SHORT_ACRONYM = 5
_SHORT_WORD = 3
_NOTICE = "Polish words go by stems alone: the dictionary (morfeusz2) is not installed on this machine"


class ReadWord(NamedTuple):
    """A word as written, in small letters, and its keys."""

    surface: str
    form: str
    keys: Keys


class Analyser:
    """One a process: holds the dictionary, the stems and the words seen. Safe in several threads."""

    def __init__(self, *, lexicon: Dictionary | None = None, with_dictionary: bool = True) -> None:
        self._lexicon = lexicon or (dictionary() if with_dictionary else None)
        self._stems = Stems()
        self.read = lru_cache(CACHED_WORDS)(self._read)  # of a document: (token, is it English)
        self._query_keys = lru_cache(CACHED_WORDS // 10)(self._keys_in_query)

    @property
    def name(self) -> str:
        """Which rules and which dictionary make the keys: what was made by others must be made anew."""
        return f"{RULES} {'snowball' if self._lexicon is None else self._lexicon.name}"

    @property
    def notice(self) -> str | None:
        """What an operator should know about how words are understood; None when all is well."""
        return _NOTICE if self._lexicon is None else None

    def document_keys(self, token: Token, *, is_english: bool = False) -> Keys:
        """Every key of a word of a document; `is_english` is the document's language."""
        return self.read(token, is_english).keys

    def query_keys(self, word: str) -> Keys:
        """The keys that a word of a query means. A typed lemma means itself alone."""
        return self._query_keys(word, False)

    def phrase_keys(self, words: tuple[str, ...]) -> tuple[Keys, ...]:
        """Keys word by word; the capital that begins a phrase tells no name."""
        first = lowered(words[0]) if is_title(words[0]) else words[0]
        return tuple(self._query_keys(word, True) for word in (first, *words[1:]))

    def is_common(self, form: str) -> bool:
        """Whether a form in small letters is a word of its own, besides any name."""
        return bool(self._readings(form).common)

    def is_function(self, form: str) -> bool:
        """Whether a form in small letters is a preposition, a conjunction, a pronoun or the like."""
        return self._readings(form).is_function

    def is_given_name(self, surface: str) -> bool:
        """Whether a word as written is the first name of a person, in any case."""
        return self._readings(surface).is_given_name

    def other_spellings(self, word: str) -> tuple[str, ...]:
        """Base forms with diacritics that a word typed without may have been meant for: `laka` for `łąka`."""
        form = lowered(word)
        return tuple(one for one in restored(form) if form.isascii() and one in self._readings(one).common)

    def understood(self, word: str) -> tuple[str, ...]:
        """How a word of a query was read, for people: its lemmas, or the word where none is known."""
        lemmas = sorted(key for key in self.query_keys(word) if not key.startswith(("~", "^", "en:")))
        return tuple(lemmas) or (word,)

    def _read(self, token: Token, is_english: bool) -> ReadWord:
        return ReadWord(token.surface, token.form, self._keys_in_document(token, is_english))

    def _keys_in_document(self, token: Token, is_english: bool) -> Keys:
        if token.is_first_half:
            whole = self._keys_in_document(token._replace(is_first_half=False), is_english)
            return whole | self._first_half(token.form)
        surface, form = token.surface, token.form
        if is_verbatim(form):
            return frozenset({f"^{form}"})
        if not is_capitals(surface):
            shape = surface if is_title(surface) else form
            return self._keys_of_word(shape, is_english=is_english, is_name_like=token.is_name_like)
        if self._is_acronym(surface) and not token.is_shouted:
            return frozenset({f"^{form}", f"^{fold(form)}"})  # MŚP, typed msp
        return frozenset({f"^{form}"}) | self._keys_of_word(form.capitalize(), is_english=is_english)

    def _first_half(self, form: str) -> Keys:
        """The adjective that a compound begins with: społeczno-gospodarczy is społeczny too."""
        adjective = form[:-1] + ("i" if form[-2:-1] in "kg" else "y")
        return frozenset({adjective}) & self._readings(adjective).common

    def _keys_of_word(self, surface: str, *, is_english: bool, is_name_like: bool = False) -> Keys:
        form = lowered(surface)
        readings = self._readings(surface)
        if not readings:
            return self._unknown(form) | self._unknown_folded(form)
        keys = readings.common | readings.names
        if not readings.common and not is_title(surface):  # a new word (hubów), written as no name is
            keys |= self._unknown(form)
        if is_name_like:
            keys = _own_names(readings, form) or keys
        return keys | self._english(form) if is_english else keys

    def _keys_in_query(self, word: str, in_phrase: bool) -> Keys:
        form = lowered(word)
        if is_verbatim(form):
            return frozenset({f"^{form}"})
        if self._is_acronym(word):
            return frozenset({f"^{form}", f"~{self._stems.polish(form)}"})
        known = self._lemmas_meant(word, form)
        if form.isascii() and self._lexicon is not None:
            known |= self._lemmas_stood_for(form, known, in_phrase=in_phrase) or (
                frozenset() if known else self._names_stood_for(form)
            )
        keys = known or self._unknown(form) | self._singular(form)
        if form not in keys or len(form) <= _SHORT_WORD:  # perhaps a new word besides: hub, not of huba
            keys |= {f"~{self._stems.polish(form)}"}
        return keys | {f"^{form}"} | self._english(form)

    def _lemmas_meant(self, word: str, form: str) -> Keys:
        """A capital asks for the name where there is one, a lemma for itself, all else for every reading."""
        as_common, as_name = self._readings(form), self._readings(form.capitalize())
        same_common = frozenset({form}) & as_common.common
        if as_common.common - as_common.rare:  # gmin, an old word, is first of all of the gmina
            same_common -= as_common.rare
        same_names = frozenset(name for name in as_name.names if lowered(name) == form)
        if same_names:  # Szubina, a village, is also of Szubin, a town
            same_names |= as_name.names if is_title(word) else as_name.places
        if is_title(word) and same_names and not same_common:
            return same_names
        if word == form and same_common & as_common.headwords:  # osa is no place
            same_names -= as_name.places
        if same_common or (same_names and not as_common.common):
            return same_common | same_names
        if is_title(word):
            return as_name.common | as_name.names
        return as_common.common | as_common.names | same_names | as_name.places

    def _lemmas_stood_for(self, form: str, known: Keys, *, in_phrase: bool) -> Keys:
        """Common words and places that an ASCII form may stand for.

        Alone, `sad` is an orchard, not a `sąd`, and `moc` not `móc`, which is in every text; in a phrase they
        may be. What is another form of a `known` lemma (rzeką beside rzeka) says nothing new.
        """
        typed = self._readings(form)
        if form in typed.headwords and not in_phrase:
            return frozenset()
        found: Keys = frozenset()
        for meant in restored(form):
            readings = self._readings(meant)
            if not (known - typed.rare).isdisjoint(readings.common):
                continue
            if readings and (in_phrase or not known or not readings.is_function):
                found |= self._common_or_places(meant, readings)
        return found

    def _common_or_places(self, form: str, readings: Readings) -> Keys:
        places = readings.places or self._readings(form.capitalize()).places
        same_common = frozenset({form}) & readings.common
        same_places = frozenset(place for place in places if lowered(place) == form)
        if same_common or (same_places and not readings.common):
            return same_common | same_places
        return readings.common | readings.places | same_places

    def _names_stood_for(self, form: str) -> Keys:
        """Names of people that an ASCII form may stand for: too many to be meant beside other words."""
        return frozenset().union(*(self._readings(meant).names for meant in restored(form)))

    def _is_acronym(self, word: str) -> bool:
        """Short and in capitals, unless a dictionary knows it as a noun or a name: OZE, not NABÓR."""
        if not is_capitals(word) or len(word) > _SHORT_ACRONYM:
            return False
        readings = self._readings(lowered(word))
        is_name = bool(self._readings(word.capitalize()).names)
        is_word = (is_name or bool(readings.common)) and not readings.is_function
        return not (is_word and (len(word) > _SHORT_WORD or not word.isascii()))

    def _readings(self, surface: str) -> Readings:
        if self._lexicon is None or len(surface) > MAX_ANALYSED:
            return _NOTHING
        return self._lexicon.readings(surface)

    def _unknown(self, form: str) -> Keys:
        stems = {f"~{self._stems.polish(one)}" for one in (form, *_unsoftened(form))}
        return frozenset(stems) | self._english(form)

    def _unknown_folded(self, form: str) -> Keys:
        """So that a query typed without diacritics meets a word that no dictionary knows.

        Endings fall before the marks do (the ending is -ów, not -ow), and after it, as in what is typed.
        """
        if form.isascii():
            return frozenset()
        stems = {fold(self._stems.polish(one)) for one in (form, *_unsoftened(form))}
        return frozenset(f"~{stem}" for stem in (*stems, self._stems.polish(fold(form))))

    def _singular(self, form: str) -> Keys:
        """What an English plural is in Polish, where its singular is declined: grants, startups."""
        if not form.isascii() or not form.endswith("s") or len(form) <= _SHORT_WORD + 1:
            return frozenset()
        ones = (form[:-1], form.removesuffix("es"), form.removesuffix("ies") + "y")
        lemmas = {one for one in ones if one in self._readings(one).common}
        return frozenset(lemmas) or frozenset({f"~{self._stems.polish(form[:-1])}"})

    def _english(self, form: str) -> Keys:
        return frozenset({f"en:{self._stems.english(form)}"}) if form.isascii() else frozenset()


# Cases that soften the end of a stem, which suffix stripping alone does not undo: agrowoltaice, webinarze,
# networkerzy; the e of a nominative that no other case has: wąskotorowiec, wodorośrodek; villages: Zławsi;
# and ends that look like those of other words: hologram, escaperoom, fablaby, biocentrum.
_SOFTENED = (
    ("dze", "ga"), ("rze", "r"), ("rzy", "r"), ("ce", "ka"), ("cie", "t"), ("dzie", "d"), ("iec", "c"),
    ("ek", "k"), ("wsi", "wieś"), ("wsią", "wieś"), ("le", "ł"), ("ół", "oł"), ("ii", "ia"),
    ("aci", "at"), ("nci", "nt"), ("icy", "ik"), ("scy", "ski"), ("dzy", "g"), ("yści", "ysta"),
    ("iści", "ista"), ("iczowie", "icz"), ("am", "amu"), ("em", "emu"), ("om", "omu"), ("um", "a"),
    ("by", "b"), ("ow", ""),
)  # fmt: skip
_SHORTEST_SOFTENED = 6


def _unsoftened(form: str) -> list[str]:
    if len(form) < _SHORTEST_SOFTENED:
        return []
    return [form.removesuffix(end) + hard for end, hard in _SOFTENED if form.endswith(end)]


_NOTHING = Readings(frozenset(), frozenset(), frozenset(), is_function=False)


def is_verbatim(form: str) -> bool:
    """B+R, 5G, CO2, 2026: no grammar, only itself."""
    return "+" in form or "&" in form or any(map(str.isdigit, form))


def _own_names(readings: Readings, form: str) -> Keys:
    """Świecie and Osie: places whose names are no common words of their own, unlike Zdrowie and Praca.

    With the other names that are written so: Solca is a village, and of Solec too; Kościuszki of Kościuszko;
    but not the surname Świat.
    """
    is_own = any(lowered(name) == form for name in readings.places) and form not in readings.common
    if not is_own:
        return frozenset()
    return readings.places | {name for name in readings.names if lowered(name) not in readings.common}
