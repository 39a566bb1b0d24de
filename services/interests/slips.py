"""What people type by habit or paste from elsewhere: refused, with what to type instead.

Read over silently, `a or b` would ask for the word "or", and `deadline~3` for two words side by side.
"""

import re

from services.errors import QueryError
from services.interests.fields import DEADLINE, field_meant, field_nearly
from services.interests.lexer import DASHES, Lexeme, Sign
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
_COMPARED = re.compile(r"([^\W\d_][\w-]*)?(!?[~=<>≤≥≠^]+)(.*)")
_SINGLE = "'‘’‚‛`´‹›"
_OPENING = re.compile(rf",,|[{_SINGLE}]+")
_CLOSING = re.compile(rf"[{_SINGLE}]+(?!\w)")
_FIELD = re.compile(r"(?<![\w-])([^\W\d_][\w-]*):")
_LIST = re.compile(r"(?<=\w)(?:\|\|?|&&|[,;])(?=[^\W\d_])")
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
    for check in _CHECKS:
        check(text, lexemes, at)
    if not words(piece.text):
        message = f"there is no word in {piece.text[:40]!r}"
        raise refused("no_word", message, piece, "a word of letters or digits", without(text, piece))


def check_field_inside(text: str, piece: Lexeme) -> None:
    """`+topic:health`, `a,place:torun`: a field that no space divides from what is before it."""
    found = next((one for one in _FIELD.finditer(piece.text) if field_meant(one[1])), None)
    if found is None or not found.start():
        return
    before = piece.text[: found.start()]
    kept = re.sub(r"[\W_]+$", "", before)
    joint = Lexeme(piece.sign, "", piece.column + len(kept), max(1, len(before) - len(kept)))
    fixed = instead(text, joint, " " if kept else "")
    said = f"a field begins a piece of its own: {found[0]}"
    raise refused("colon", said, joint, f"a space before {found[0]}" if kept else "nothing before it", fixed)


def check_enclosed(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`topic:'ict ai'`, `topic:[a OR b]`: what opens in a value and closes in another piece."""
    piece = lexemes[at]
    if piece.text[0] in _SINGLE and piece.text[-1] not in _SINGLE:
        _single_quotes(text, lexemes, at)
    if piece.text[0] in "[{" and piece.text[-1] not in "]}":
        _brackets(text, lexemes, at)


def check_excluded(text: str, field: str, lexemes: list[Lexeme], at: int) -> None:
    """`topic:-health`: the sign that excludes stands before the field. Raises QueryError."""
    sign = lexemes[at]
    if sign.sign is not Sign.NOT:
        return
    named = lexemes[at - 1]
    fixed = f"{text[: named.start]}-{field}:{text[sign.end :].lstrip()}"
    raise refused("dash", f"{sign.text} stands before a field, not behind it", sign, f"-{field}:value", fixed)


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
    behind = lexemes[at + 1]
    is_before = piece.end == behind.start and behind.sign in (Sign.OPEN, Sign.QUOTED)
    if piece.text.startswith("!") and (words(piece.text[1:]) or is_before):
        fixed = instead(text, piece, f"-{piece.text.lstrip('!')}")
        raise refused(
            "sign", "! excludes nothing; a dash does", piece, "a - right before what to exclude", fixed
        )


def _list(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`hydrogen|ammonia`, `hydrogen,ammonia`: several words with a sign and no space between."""
    piece = lexemes[at]
    if found := _LIST.search(piece.text):
        both = [one.strip(",;") for one in _LIST.split(piece.text)]
        is_and = found[0] == "&&"
        joined = f" {'AND' if is_and else 'OR'} ".join(both)
        said = f"{found[0]} joins nothing; the operator is written {'AND' if is_and else 'OR'}"
        fixed = instead(text, piece, f"({joined})")
        raise refused("connective", said, _part(piece, found), "AND, OR, or a space", fixed)


def _brackets(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    if found := re.search(r"[\[\]{}]", piece.text):
        place = _part(piece, found)
        fixed = text.translate(_BRACKETS)
        raise refused("bracket", f"{found[0]} groups nothing; parentheses do", place, "( and )", fixed)


def _single_quotes(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    opened = _OPENING.match(piece.text)
    if opened and (closed := _CLOSING.search(text, piece.start + opened.end())):
        whole = Lexeme(piece.sign, "", piece.column, closed.end() - piece.start)
        inside = text[piece.start + opened.end() : closed.start()]
        fixed = instead(text, whole, f'"{inside}"') if words(inside) else without(text, whole)
        raise refused(
            "quote", "a phrase stands in double quotes", whole, '" before and behind the phrase', fixed
        )


def _colon(text: str, lexemes: list[Lexeme], at: int) -> None:
    piece, before = lexemes[at], lexemes[at - 1] if at else None
    check_field_inside(text, piece)
    if not piece.text.startswith(":"):
        return
    if before and before.sign in (Sign.WORD, Sign.QUOTED) and field_meant(before.text):
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
        if field_meant(before.text):
            name, piece = before.text, Lexeme(Sign.WORD, "", before.column, piece.end - before.start)
        elif not _TIME.fullmatch(rest):
            return
    meant = (field_nearly if sign[0] not in "~^" else field_meant)(name) if name else None
    is_not = "!" in sign or "≠" in sign
    if meant == DEADLINE and not is_not:
        relation = _relation(sign)
        called = f"unknown field {name}; did you mean {DEADLINE}{relation}?"
        raise refused(
            "deadline",
            f"{sign} compares no deadline" if relation is None else called,
            piece,
            "deadline<30d or deadline>2026-12-01; also <= and >=",
            instead(text, piece, f"{DEADLINE}{relation or '<'}{rest}"),
        )
    if meant and meant != DEADLINE:
        fixed = instead(text, piece, f"{'-' if is_not else ''}{meant}:{rest}")
        raise refused("colon", f"{meant} takes a colon, not {sign}", piece, f"{meant}:value", fixed)
    if meant or "<" in sign or ">" in sign:
        said, expected = "only deadlines are compared, by < and >", "deadline<30d or deadline>2026-12-01"
        is_time = not name and _TIME.fullmatch(rest) is not None
        timed = instead(text, piece, f"{DEADLINE}{sign}{rest}") if is_time else None
        raise refused("deadline", said, piece, expected, timed)


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


def _dash(text: str, lexemes: list[Lexeme], at: int) -> None:
    """`a-(b)`: a dash between a word and what may have to be excluded."""
    piece, behind = lexemes[at], lexemes[at + 1]
    if piece.text[-1] in DASHES and piece.end == behind.start and behind.sign in (Sign.OPEN, Sign.QUOTED):
        dash = Lexeme(piece.sign, "-", piece.column + len(piece.text) - 1, 1)
        said, expected = "a dash that excludes has a space before it", "a space before - or behind it"
        raise refused("dash", said, dash, expected, instead(text, dash, " -"))


def _part(piece: Lexeme, found: re.Match[str]) -> Lexeme:
    return Lexeme(piece.sign, found[0], piece.column + found.start(), max(1, len(found[0])))


_CHECKS = (
    _joints, _brackets, _single_quotes, _colon, _list, _comparison, _signs, _named_deadline, _dash,
)  # fmt: skip
