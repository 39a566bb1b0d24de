"""A query cut into signs and pieces, each with its place in what was typed. Knows no meaning."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from services.errors import QueryError
from services.interests.tokens import normal

QUOTES = '"„“”‟«»'
DASHES = "-‐‑‒–—―−﹣"
KEYWORDS = ("AND", "OR", "NOT")
_PIECE = re.compile(rf"[^\s(){QUOTES}]+")
_JOINERS = "\u00ad\u200c\u200d"  # part of the word that they stand in
_FIELD = re.compile(rf"([^\W\d_][\w\u0300-\u036f{_JOINERS}-]*):")
_QUOTE = re.compile(f"[{QUOTES}]")
_LOOSE_JOINER = re.compile(rf"(?<!\w)[{_JOINERS}]|[{_JOINERS}](?!\w)")
_GLUED = re.compile(rf"(AND|OR|NOT)(?=[{DASHES}]\w)")
_COMPARED = re.compile(r"deadline\s*(<=|>=|=<|=>|<|>|≤|≥)\s*", re.IGNORECASE)
_RELATIONS = {"=<": "<=", "≤": "<=", "=>": ">=", "≥": ">="}
# Letter for letter, so that columns stay: the wide forms of ASCII, its doubles, and what cannot be seen.
_UNSEEN = (
    *(0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x3000, 0xFE0E, 0xFE0F, 0xFEFF),
    *(*range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)),
)
_STRAIGHT = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "\u2236\ufe55\ufe13\ua789"), ":")
    | dict.fromkeys(map(ord, "″❝❞〝〞〟"), '"')
    | dict.fromkeys(_UNSEEN, " ")
)
_UNUSED = ("Cc", "Cs", "Cn", "Co")  # sorts of characters that no text holds


class Sign(Enum):
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    FIELD = auto()
    DEADLINE = auto()
    EQUALS = auto()
    QUOTED = auto()
    WORD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Lexeme:
    """`column` is 1-based; `text` is a field's name, a deadline's relation, the words of a quote."""

    sign: Sign
    text: str
    column: int
    length: int

    @property
    def start(self) -> int:
        return self.column - 1

    @property
    def end(self) -> int:
        return self.column - 1 + self.length


def straight(text: str) -> str:
    """With plain letters for their wide forms and a space for what cannot be seen; of the same length."""
    return _LOOSE_JOINER.sub(" ", text.translate(_STRAIGHT))


def lex(text: str) -> list[Lexeme]:
    """The pieces of a query with END last. Raises QueryError for what can be no piece."""
    for index, char in enumerate(text if not text.isprintable() else ""):
        if _is_unused(char):
            raise QueryError(
                "this character cannot be part of a query",
                column=index + 1,
                expected="letters, digits and signs that can be seen",
                reason="character",
                suggestion="".join(" " if _is_unused(one) else one for one in text).strip(),
            )
    found: list[Lexeme] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        lexeme = _next(text, at)
        found.append(lexeme)
        at += lexeme.length
    return [*found, Lexeme(Sign.END, "", len(text) + 1, 1)]


def _is_unused(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) in _UNUSED


def _next(text: str, at: int) -> Lexeme:
    char, column = text[at], at + 1
    if char in "()":
        return Lexeme(Sign.OPEN if char == "(" else Sign.CLOSE, char, column, 1)
    if char in QUOTES:
        return _quoted(text, at)
    if char in DASHES:
        return _dash(text, at)
    if char == "=":
        return Lexeme(Sign.EQUALS, char, column, 1)
    if compared := _COMPARED.match(text, at):
        relation = _RELATIONS.get(compared[1], compared[1])
        return Lexeme(Sign.DEADLINE, relation, column, len(compared[0]))
    if field := _FIELD.match(text, at):
        return Lexeme(Sign.FIELD, normal(field[1]), column, len(field[0]))
    return _word(text, at)


def _quoted(text: str, at: int) -> Lexeme:
    closing = _QUOTE.search(text, at + 1)
    if closing is None:
        raise _unpaired(text, at)
    return Lexeme(Sign.QUOTED, text[at + 1 : closing.start()], at + 1, closing.end() - at)


def _unpaired(text: str, at: int) -> QueryError:
    """A mark at the end of a word closes what nobody opened; any other opens what nobody closed."""
    rest = text[at + 1 :]
    if at and not text[at - 1].isspace() and not rest.strip():
        start = 1 + max(text.rfind(sign, 0, at) for sign in f"():{QUOTES}")
        start += len(text[start:at]) - len(text[start:at].lstrip())
        return QueryError(
            "this quotation mark closes what none has opened",
            column=at + 1,
            expected='a " before the first word of the phrase, too',
            reason="quote",
            suggestion=f'{text[:start]}"{text[start:at]}"{rest}',
        )
    return QueryError(
        "this quotation mark is never closed",
        column=at + 1,
        length=len(text) - at,
        expected='a closing "',
        reason="quote",
        suggestion=text.rstrip() + '"' if rest.strip() else text[:at],
    )


def _dash(text: str, at: int) -> Lexeme:
    if at + 1 == len(text) or text[at + 1].isspace() or text[at + 1] == ")":
        is_hyphen = text[at] == "-" and text[at + 1 :].strip() not in ("", ")")
        rest = text[at + 1 :].lstrip()
        raise QueryError(
            "a dash stands directly before what it excludes",
            column=at + 1,
            expected="a word, a field or a parenthesis right behind the dash; or no dash",
            reason="dash",
            suggestion=f"{text[:at]}-{rest}" if is_hyphen else f"{text[:at].rstrip()} {rest}",
        )
    return Lexeme(Sign.NOT, text[at], at + 1, 1)


def _word(text: str, at: int) -> Lexeme:
    """`OR-b` is an operator and what it takes, not a word with a hyphen."""
    piece = _GLUED.match(text, at) or _PIECE.match(text, at)
    assert piece is not None
    word = piece[0]
    sign = Sign[word] if word in KEYWORDS else Sign.WORD
    return Lexeme(sign, word, at + 1, len(word))
