"""Running text cut into words, the same way for documents and for queries. Knows no language's grammar."""

import re
import unicodedata
from typing import NamedTuple

_JOINERS = re.compile("[\u00ad\u200c\u200d\ufeff]")
_SMALL_DIGITS = re.compile("[₀-₉⁰¹²³⁴-⁹]")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "01234567890123456789")
_COMBINING = re.compile(r"[\u0300-\u036f]")
_UPPER = "A-ZĄĆĘŁŃÓŚŹŻ"
_CASE = "ach|ami|em|iem|ie|om|owi|ów|ow|u|y"
_ENDING = rf"(?:{_CASE}|ata|ce|ch|cie|ieć|ka|owy|owa|owe|owski|s[yó]w?|sami|som|[aąęeio])"
_ENDING_OF_WORD = (
    rf"(?:[-‐‑](?:{_CASE}|cie|s[yóo]w?|sami|[aei])|[’'](?:{_CASE}|[ei]?go|[ei]?mu|[iy]?m|s|[aei]))"
)
# An ending behind a hyphen or an apostrophe (NCBR-u, Joe'go), or a small one behind capitals (ZUSu, SMEs), is
# no part of the word; B+R, R&D and C++ are words; hyphens divide all others.
_WORD = re.compile(
    rf"((?<![^\W_])[{_UPPER}][{_UPPER}0-9]+)(?:[-‐‑–’']{_ENDING}|{_CASE}|s|sy|sów|sami)(?![^\W_])"
    r"|([^\W_]{1,3}(?:[+&][^\W_]{1,3})+(?![^\W_])|[^\W_]+(?:\+\+(?![^\W_]))?)"
    rf"(?:(?=[-‐‑’'])(?<=[^\W\d_]{{2}}){_ENDING_OF_WORD}(?![^\W_]))?"
)
_FIRST_HALF = re.compile(r"[-‐‑][^\W\d_]{3}")
_SHOUTING_SHARE = 0.6
_SHOUTING_LETTERS = 12


class Token(NamedTuple):
    """A word as written. `is_name_like`: capitalised where nothing but being a name explains it.

    `is_shouted`: in capitals because all around it is. `is_first_half`: of a compound, like polsko-.
    """

    surface: str
    is_name_like: bool = False
    is_shouted: bool = False
    is_first_half: bool = False

    @property
    def form(self) -> str:
        return lowered(self.surface)


def normal(text: str) -> str:
    """NFC without joiners, soft hyphens and marks that no letter takes; digits as such, not CO₂."""
    if text.isascii():
        return text
    if _SMALL_DIGITS.search(text):
        text = text.translate(_DIGITS)
    return _COMBINING.sub("", unicodedata.normalize("NFC", _JOINERS.sub("", text)))


def lowered(word: str) -> str:
    """Lower case, stable when repeated."""
    return word.lower() if word.isascii() else normal(word.lower())


def is_title(word: str) -> bool:
    """`Toruń`: a capital, then small letters."""
    return len(word) > 1 and word[0].isupper() and word[1:] == lowered(word[1:]) and word[1:].isalpha()


def is_capitals(word: str) -> bool:
    """`NCBR`, `B+R`: capitals alone, two letters or more."""
    return sum(map(str.isupper, word)) > 1 and word == word.upper()


def words(text: str) -> list[str]:
    """The words of a query's piece of text, as written."""
    return [found[1] or found[2] for found in _WORD.finditer(normal(text))]


def tokenise(text: str) -> list[Token]:
    """The words of one field of a document, in order."""
    text = normal(text)
    found = list(_WORD.finditer(text))
    surfaces = [one[1] or one[2] for one in found]
    tokens = list(map(Token, surfaces))
    # Nearly all words are in small letters, and stand for themselves; these may not.
    telling = [index for index, surface in enumerate(surfaces) if not surface.islower() or surface[-1] == "o"]
    is_shouted = _is_shouted(surfaces, telling)
    for index in telling:
        surface = surfaces[index]
        is_name_like = (
            is_title(surface)
            and index > 0
            and _is_lower_before(text, found[index - 1], found[index], surfaces[index - 1])
            and not _is_title_after(text, found, index, surfaces)
        )
        is_first_half = surface[-1] in "oO" and _FIRST_HALF.match(text, found[index].end()) is not None
        tokens[index] = Token(surface, is_name_like, is_shouted and is_capitals(surface), is_first_half)
    return tokens


def _is_shouted(surfaces: list[str], telling: list[int]) -> bool:
    letters = sum(map(len, surfaces))
    capitals = sum(sum(map(str.isupper, surfaces[index])) for index in telling)
    return letters >= _SHOUTING_LETTERS and capitals > _SHOUTING_SHARE * letters


def _is_lower_before(text: str, before: re.Match[str], here: re.Match[str], surface: str) -> bool:
    between = text[before.end() : here.start()]
    return between.isspace() and "\n" not in between and surface[:1].islower()


def _is_title_after(text: str, found: list[re.Match[str]], index: int, surfaces: list[str]) -> bool:
    if index + 1 == len(found):
        return False
    between = text[found[index].end() : found[index + 1].start()]
    return (between.isspace() or between == "-") and surfaces[index + 1][:1].isupper()
