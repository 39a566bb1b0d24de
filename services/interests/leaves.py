"""Single conditions made from the pieces of a query. What holds no word, or too much, is refused."""

from services.interests.lexer import Lexeme, Sign
from services.interests.slips import instead, refused, without
from services.interests.tokens import is_capitals, is_title, lowered, words
from services.interests.tree import Exact, Leaf, Phrase, Prefix, Word

MIN_PREFIX = 2
MAX_WORD = 60
MAX_PHRASE = 12


def text_leaf(text: str, piece: Lexeme, *, in_title: bool) -> Leaf:
    """A word, the beginning of a word, or a phrase; `text` is the whole query. Raises QueryError."""
    if piece.sign is not Sign.QUOTED and "*" in piece.text:
        return _prefix(text, piece, in_title=in_title)
    if "*" in piece.text:
        fixed = instead(text, piece, piece.text.strip())
        raise refused(
            "star", "* has no meaning in quotes", piece, "a single word with *, without quotes", fixed
        )
    found = _words(text, piece)
    if len(found) == 1:
        return Word(_cased(found[0]), in_title)
    if len(found) > MAX_PHRASE:
        said = f"a phrase of more than {MAX_PHRASE} words"
        raise refused("too_big", said, piece, "a shorter phrase", instead(text, piece, " ".join(found)))
    return Phrase(tuple(map(_cased, found)), in_title)


def exact_leaf(text: str, piece: Lexeme, *, in_title: bool) -> Leaf:
    """Exactly one form. Raises QueryError."""
    found = _words(text, piece)
    if "*" in piece.text:
        fixed = instead(text, piece, piece.text.strip())
        fixed = fixed[: piece.start - 1] + fixed[piece.start :]
        said, expected = "= and * say opposite things", "exactly one form, or its beginning and *"
        raise refused("exact", said, piece, expected, fixed)
    if len(found) > 1:
        fixed = instead(text, piece, f'"{" ".join(found)}"')
        fixed = fixed[: piece.start - 1] + fixed[piece.start :]
        raise refused(
            "exact", "= takes a single word", piece, "one word behind =, or a phrase without =", fixed
        )
    return Exact(lowered(found[0]), in_title)


def _prefix(text: str, piece: Lexeme, *, in_title: bool) -> Leaf:
    stem, star, rest = piece.text.partition("*")
    fixed = instead(text, piece, f"{stem}*" if len(stem) >= MIN_PREFIX else piece.text.replace("*", ""))
    if not words(piece.text):
        raise refused("star", "* needs letters before it", piece, "such as innowacj*", without(text, piece))
    if rest:
        said = "* may stand only at the end of a word"
        raise refused("star", said, piece, "the beginning of a word and *", fixed)
    found = words(stem)
    if len(found) != 1 or lowered(found[0]) != lowered(stem):
        said = f"{star} takes the beginning of a single word"
        fixed = instead(text, piece, f"{' '.join(found)}*")
        raise refused("star", said, piece, "letters or digits and *", fixed)
    if not MIN_PREFIX <= len(lowered(found[0])) <= MAX_WORD:
        said = f"* needs {MIN_PREFIX} to {MAX_WORD} letters before it"
        raise refused("star", said, piece, "such as innowacj*", fixed)
    return Prefix(lowered(found[0]), in_title)


def _words(text: str, piece: Lexeme) -> list[str]:
    found = words(piece.text)
    if not found:
        said = f"there is no word in {piece.text[:40]!r}" if piece.text.strip() else "the quotes are empty"
        raise refused("no_word", said, piece, "a word of letters or digits", without(text, piece))
    if max(map(len, found)) > MAX_WORD:
        raise refused("too_big", f"a word longer than {MAX_WORD} letters", piece, "a shorter word, or word*")
    return found


def _cased(word: str) -> str:
    """Capitals tell a name (Świecie) or an acronym (OZE); any others mean nothing."""
    return word if is_title(word) or is_capitals(word) else lowered(word)
