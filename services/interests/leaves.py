"""Single conditions made from the pieces of a query. What holds no word, or too much, is refused."""

from services.errors import QueryError
from services.interests.lexer import Lexeme, Sign
from services.interests.tokens import is_capitals, is_title, lowered, words
from services.interests.tree import Exact, Facet, FacetField, Leaf, Or, Phrase, Prefix, Query, Word

MIN_PREFIX = 2
MAX_WORD = 60
MAX_PHRASE = 12


def text_leaf(piece: Lexeme, *, in_title: bool) -> Leaf:
    """A word, the beginning of a word, or a phrase. Raises QueryError."""
    if piece.sign is not Sign.QUOTED and "*" in piece.text:
        return _prefix(piece, in_title=in_title)
    if "*" in piece.text:
        raise _error(piece, "* has no meaning in quotes", "a single word with *, without quotes")
    if piece.sign is Sign.WORD and ("<" in piece.text or ">" in piece.text):
        raise _error(piece, "only deadlines are compared", "deadline<30d or deadline>2026-12-01")
    found = _words(piece)
    if len(found) == 1:
        return Word(_cased(found[0]), in_title)
    if len(found) > MAX_PHRASE:
        raise _error(piece, f"a phrase of more than {MAX_PHRASE} words", "a shorter phrase")
    return Phrase(tuple(map(_cased, found)), in_title)


def exact_leaf(piece: Lexeme, *, in_title: bool) -> Leaf:
    """Exactly one form. Raises QueryError."""
    found = _words(piece)
    if len(found) > 1:
        raise _error(piece, "= takes a single word", "one word behind =, or a phrase without =")
    return Exact(lowered(found[0]), in_title)


def facets(field: FacetField, values: tuple[str, ...]) -> Query:
    """Any of the values of a field."""
    found = tuple(Facet(field, value) for value in values)
    return found[0] if len(found) == 1 else Or(found)


def replaced(text: str, piece: Lexeme, replacement: str) -> str:
    """The query with another value in the place of one."""
    start = piece.column - 1
    value = f'"{replacement}"' if piece.sign is Sign.QUOTED else replacement
    return text[:start] + value + text[start + piece.length :]


def _prefix(piece: Lexeme, *, in_title: bool) -> Leaf:
    stem, star, rest = piece.text.partition("*")
    if rest:
        raise _error(piece, "* may stand only at the end of a word", "the beginning of a word and *")
    found = words(stem)
    if len(found) != 1 or lowered(found[0]) != lowered(stem):
        raise _error(piece, f"{star} takes the beginning of a single word", "letters or digits and *")
    if len(stem) < MIN_PREFIX or len(stem) > MAX_WORD:
        raise _error(piece, f"* needs {MIN_PREFIX} to {MAX_WORD} letters before it", "such as innowacj*")
    return Prefix(lowered(found[0]), in_title)


def _words(piece: Lexeme) -> list[str]:
    found = words(piece.text)
    if not found:
        raise _error(piece, f"there is no word in {piece.text[:40]!r}", "a word of letters or digits")
    if max(map(len, found)) > MAX_WORD:
        raise _error(piece, f"a word longer than {MAX_WORD} letters", "a shorter word, or word*")
    return found


def _cased(word: str) -> str:
    """Capitals tell a name (Świecie) or an acronym (OZE); any others mean nothing."""
    return word if is_title(word) or is_capitals(word) else lowered(word)


def _error(piece: Lexeme, message: str, expected: str) -> QueryError:
    return QueryError(message, column=piece.column, length=piece.length, expected=expected)
