"""What people type by habit or paste from elsewhere: refused, with what to type instead.

Read over silently, `a or b` would ask for the word "or", and `deadline~3` for two words side by side.
"""

import re

from services.errors import QueryError
from services.interests.fields import DEADLINE, field_meant
from services.interests.lexer import Lexeme, Sign
from services.interests.tokens import words

CONNECTIVES = {
    "and": "AND", "i": "AND", "oraz": "AND", "or": "OR", "lub": "OR", "albo": "OR",
    "not": "NOT", "nie": "NOT",
}  # fmt: skip
"""{a word in small letters: the operator that its writer may mean}"""
STRANGE = frozenset({"NEAR", "XOR", "NAND", "ANDNOT"})
_ENDING = (Sign.WORD, Sign.QUOTED, Sign.CLOSE)
_BEGINNING = (Sign.WORD, Sign.QUOTED, Sign.OPEN, Sign.FIELD, Sign.DEADLINE, Sign.EQUALS, Sign.NOT)
_ADDRESS = re.compile(r"(?:https?|ftp)://\S*|www\.\S+", re.IGNORECASE)
_COMPARED = re.compile(r"([^\W\d_][\w-]*)?(!?[~=<>≤≥^]+)(.*)")
_SINGLE = "'‘’‚‛`´"
_JOINED = {"&": "AND", "&&": "AND", "|": "OR", "||": "OR"}
_BRACKETS = str.maketrans("[]{}", "()()")
_TIME = re.compile(r"[0-9]+d|20[0-9]{2}-[0-9]{2}-[0-9]{2}", re.IGNORECASE)


def refused(
    reason: str, message: str, piece: Lexeme, expected: str, suggestion: str | None = None
) -> QueryError:
    return QueryError(
        message,
        column=piece.column,
        length=piece.length,
        expected=expected,
        reason=reason,
        suggestion=suggestion,
    )


def without(text: str, piece: Lexeme) -> str:
    """The query without a piece."""
    return f"{text[: piece.start].rstrip()} {text[piece.end :].lstrip()}".strip()


def instead(text: str, piece: Lexeme, put: str) -> str:
    """The query with something else in the place of a piece."""
    return text[: piece.start] + put + text[piece.end :]


def check_connective(text: str, lexemes: list[Lexeme], at: int) -> None:
    """An operator in small letters, or in Polish. Raises QueryError."""
    here = lexemes[at]
    is_between = at > 0 and lexemes[at - 1].sign in _ENDING
    if lexemes[at + 1].sign not in _BEGINNING:
        return
    if is_between and here.text.partition("/")[0] in STRANGE:
        said, fixed = f"there is no operator {here.text}", without(text, here)
        raise refused(
            "connective", said, here, f'AND, OR, NOT; or "{here.text}" in quotes for the word', fixed
        )
    operator = CONNECTIVES.get(here.text.lower())
    if operator is None:
        return
    if operator == "NOT" or is_between:
        raise refused(
            "connective",
            f"{here.text} is a word here; the operator is written {operator}",
            here,
            f'{operator} in capitals, or "{here.text}" in quotes for the word',
            instead(text, here, operator),
        )


def check_address(text: str, piece: Lexeme) -> None:
    """The address of a page, of which `piece` is the beginning. Raises QueryError."""
    if found := _ADDRESS.match(text, piece.start):
        whole = Lexeme(piece.sign, found[0], piece.column, len(found[0]))
        raise refused(
            "address",
            "this is the address of a page, not a query",
            whole,
            "words, or institution: with the short name of who publishes there",
            without(text, whole),
        )


def check_piece(text: str, lexemes: list[Lexeme], at: int) -> None:
    """A bare piece that holds what only looks like an operator. Raises QueryError."""
    piece = lexemes[at]
    check_address(text, piece)
    for check in (_joints, _brackets, _single_quotes, _colon, _comparison, _signs, _named_deadline):
        check(text, lexemes, at)
    if not words(piece.text):
        message = f"there is no word in {piece.text[:40]!r}"
        raise refused("no_word", message, piece, "a word of letters or digits", without(text, piece))


def check_equals(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`topic = health`: the sign for exact words between a field and its value. Raises QueryError."""
    before, behind = lexemes[at - 1] if at else None, lexemes[at + 1]
    meant = field_meant(before.text) if before and before.sign is Sign.WORD else None
    if before is None or meant is None:
        return
    both = Lexeme(before.sign, "", before.column, lexemes[at].end - before.start)
    rest = text[both.end :].lstrip("= ")
    if meant == DEADLINE:
        fixed = f"{text[: both.start]}{DEADLINE}<{rest}"
        raise refused(
            "deadline", "= compares no deadline", both, "deadline<30d or deadline>2026-12-01", fixed
        )
    if behind.sign in (Sign.WORD, Sign.QUOTED, Sign.EQUALS):
        fixed = f"{text[: both.start]}{meant}:{rest}"
        raise refused("colon", f"{meant} takes a colon, not =", both, f"{meant}:value", fixed)


def _joints(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    if operator := _JOINED.get(piece.text):
        said = f"{piece.text} joins nothing; the operator is written {operator}"
        raise refused("connective", said, piece, operator, instead(text, piece, operator))
    if piece.text.startswith("!") and words(piece.text[1:]):
        fixed = instead(text, piece, f"-{piece.text.lstrip('!')}")
        raise refused(
            "sign", "! excludes nothing; a dash does", piece, "a - right before what to exclude", fixed
        )


def _brackets(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    if found := re.search(r"[\[\]{}]", piece.text):
        place = _part(piece, found)
        fixed = text.translate(_BRACKETS)
        raise refused("bracket", f"{found[0]} groups nothing; parentheses do", place, "( and )", fixed)


def _single_quotes(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    if piece.text[0] in _SINGLE and (
        closed := re.compile(rf"[{_SINGLE}](?!\w)").search(text, piece.start + 1)
    ):
        whole = Lexeme(piece.sign, "", piece.column, closed.end() - piece.start)
        inside = text[piece.start + 1 : closed.start()]
        fixed = instead(text, whole, f'"{inside}"') if words(inside) else without(text, whole)
        raise refused(
            "quote", "a phrase stands in double quotes", whole, '" before and behind the phrase', fixed
        )


def _colon(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece, before = lexemes[at], lexemes[at - 1] if at else None
    if not piece.text.startswith(":"):
        return
    if before and before.sign is Sign.WORD and field_meant(before.text):
        both = Lexeme(before.sign, "", before.column, piece.column + 1 - before.column)
        fixed = instead(text, both, f"{before.text}:")
        raise refused("colon", "a colon stands right behind its field", piece, f"{before.text}:value", fixed)
    colon = Lexeme(piece.sign, ":", piece.column, len(piece.text) - len(piece.text.lstrip(":")))
    raise refused(
        "colon", "a colon stands right behind a field", colon, "such as topic:funding", without(text, colon)
    )


def _comparison(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`deadline~3`, `topic=health`, `termin<30d`, `budget>1000`: said by what stands before the sign."""
    piece = lexemes[at]
    found = _COMPARED.match(piece.text)
    if not found:
        return
    sign, rest = found[2], found[3]
    name, before = found[1], lexemes[at - 1] if at else None
    if name is None and before is not None and before.sign is Sign.WORD and before.end < piece.start:
        if not field_meant(before.text):
            return
        name, piece = before.text, Lexeme(Sign.WORD, "", before.column, piece.end - before.start)
    meant = field_meant(name) if name else None
    if meant == DEADLINE:
        relation = _relation(sign)
        raise refused(
            "deadline",
            f"{sign} compares no deadline" if relation is None else f"the field is called {DEADLINE}",
            piece,
            "deadline<30d or deadline>2026-12-01; also <= and >=",
            instead(text, piece, f"{DEADLINE}{relation or '<'}{rest}"),
        )
    if meant:
        fixed = instead(text, piece, f"{meant}:{rest}")
        raise refused("colon", f"{meant} takes a colon, not {sign}", piece, f"{meant}:value", fixed)
    if "<" in sign or ">" in sign:
        raise refused("deadline", "only deadlines are compared", piece, "deadline<30d or deadline>2026-12-01")


def _relation(sign: str) -> str | None:
    return {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}.get(
        sign
    )


def _signs(text: str, lexemes: list[Lexeme], at: int) -> None:
    """Signs that other search boxes give a meaning."""
    piece = lexemes[at]
    if found := re.search(r"[~^][0-9.]*", piece.text):
        place = _part(piece, found)
        said = f"{found[0][0]} means nothing here: a word is met in all its forms anyway"
        raise refused("sign", said, place, "the word alone", instead(text, place, ""))
    if found := re.search(r"[<>≤≥]", piece.text):
        message = "only deadlines are compared"
        raise refused("deadline", message, piece, "deadline<30d or deadline>2026-12-01")
    if found := re.search(r"=", piece.text):
        place = _part(piece, found)
        raise refused(
            "exact", "= stands directly before a word", place, "a space before =, and a word right behind it",
            instead(text, place, " "),
        )  # fmt: skip
    if found := re.search(r"\\|\?(?=\w)", piece.text):
        place = _part(piece, found)
        started = re.fullmatch(r"(\w{2,})\?[\w?]*", piece.text)
        fixed = instead(text, piece, f"{started[1]}*") if started else instead(text, place, " ")
        raise refused(
            "sign", f"{found[0]} means nothing here", place, "a word, or its beginning and *", fixed
        )


def _named_deadline(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`deadline 30d`: the name and a time with nothing between."""
    piece, behind = lexemes[at], lexemes[at + 1]
    if field_meant(piece.text) == DEADLINE and behind.sign is Sign.WORD and _TIME.fullmatch(behind.text):
        both = Lexeme(piece.sign, "", piece.column, behind.end - piece.start)
        fixed = instead(text, both, f"{DEADLINE}<{behind.text}")
        raise refused(
            "deadline", "a deadline is compared", both, "deadline<30d or deadline>2026-12-01", fixed
        )


def _part(piece: Lexeme, found: re.Match[str]) -> Lexeme:
    return Lexeme(piece.sign, found[0], piece.column + found.start(), max(1, len(found[0])))
