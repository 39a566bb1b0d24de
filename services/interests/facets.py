"""Values of fields made from the pieces of a query; what is none is refused with the nearest one."""

import re

from services.errors import QueryError
from services.interests.lexer import Lexeme, Sign
from services.interests.slips import check_address, instead, refused
from services.interests.tree import Facet, FacetField, Or, Query
from services.interests.values import UnknownValue, resolve

_MOST_JOINED = 4
_DIVIDED = re.compile(r"[,;|+:/]+")
_CLOSED = (FacetField.TOPIC, FacetField.PLACE, FacetField.KIND, FacetField.AUDIENCE, FacetField.LANG)


def facet(text: str, field: FacetField, lexemes: list[Lexeme], at: int, *, is_typed: bool) -> Query:
    """Any of the values that a piece of `text` names; what is not typed is canonical. Raises QueryError."""
    piece = lexemes[at]
    if piece.sign is Sign.EQUALS:
        raise refused("exact", f"= is for words, not for {field}", piece, f"a value of {field}",
                      instead(text, piece, ""))  # fmt: skip
    if is_typed:
        check_address(text, piece)
    if is_typed and field in _CLOSED and piece.sign is Sign.WORD:
        _check_several(text, field, lexemes, at)
    try:
        found = tuple(Facet(field, value) for value in resolve(field, piece.text))
    except UnknownValue as unknown:
        raise _unknown(text, field, piece, unknown) from None
    return found[0] if len(found) == 1 else Or(found)


def check_colon(text: str, field: FacetField | str, lexemes: list[Lexeme], at: int) -> None:
    """`topic:a:b`: another colon where the value should be. Raises QueryError."""
    inner = lexemes[at]
    if inner.sign is not Sign.FIELD:
        return
    behind = lexemes[at + 1]
    check_address(text, inner)
    is_joined = inner.end == behind.start and behind.sign is Sign.WORD
    whole = Lexeme(Sign.WORD, "", inner.column, behind.end - inner.start if is_joined else inner.length)
    expected = f"one value, such as {field}:a; or several, {field}:(a OR b)"
    fixed = None
    if is_joined and isinstance(field, FacetField):
        both = (inner.text, behind.text)
        below = f"{inner.text}/{behind.text}"
        fixed = f"({' OR '.join(both)})" if all(_is_value(field, one) for one in both) else None
        if fixed is None and field is FacetField.TOPIC and _is_value(field, below):
            fixed = below
    elif is_joined:
        fixed = f'"{inner.text} {behind.text}"'
    said = f"a colon inside the value of {field}"
    raise refused("colon", said, whole, expected, instead(text, whole, fixed) if fixed else None)


def _check_several(text: str, field: FacetField, lexemes: list[Lexeme], at: int) -> None:
    """Several values side by side, or one of several words, where one word was expected."""
    piece = lexemes[at]
    for end in range(_joined_end(lexemes, at), at + 1, -1):
        whole = Lexeme(Sign.WORD, "", piece.column, lexemes[end - 1].end - piece.start)
        name = text[whole.start : whole.end]
        if _is_value(field, name) and not _is_value(field, piece.text):
            said = f"{name!r} is one value of several words"
            raise refused("quote", said, whole, '" before and behind it', instead(text, whole, f'"{name}"'))
        several = [one.strip() for one in _DIVIDED.split(name) if one.strip()]
        if len(several) > 1 and all(_is_value(field, one) for one in several):
            raise _several(text, field, whole, several)
    several = [one for one in _DIVIDED.split(piece.text) if one]
    if (
        len(several) > 1
        and not _is_value(field, piece.text)
        and all(_is_value(field, one) for one in several)
    ):
        raise _several(text, field, piece, several)


def _several(text: str, field: FacetField, whole: Lexeme, several: list[str]) -> QueryError:
    quoted = " OR ".join(f'"{one}"' if " " in one else one for one in several)
    said = f"several values of {field} stand in parentheses, with OR between them"
    return refused("several", said, whole, f"{field}:({quoted})", instead(text, whole, f"({quoted})"))


def _joined_end(lexemes: list[Lexeme], at: int) -> int:
    end = at + 1
    while end - at < _MOST_JOINED and lexemes[end].sign is Sign.WORD:
        end += 1
    return end


def _is_value(field: FacetField, text: str) -> bool:
    try:
        return bool(resolve(field, text))
    except UnknownValue:
        return False


def _unknown(text: str, field: FacetField, piece: Lexeme, unknown: UnknownValue) -> QueryError:
    near = unknown.suggestion
    return refused(
        "unknown_value",
        unknown.message + (f"; did you mean {field}:{near}?" if near else ""),
        piece,
        unknown.expected,
        instead(text, piece, near) if near else None,
    )
