"""Values of fields made from the pieces of a query; what is none is refused with the nearest one."""

import re

from services.errors import QueryError
from services.interests.lexer import Lexeme, Sign
from services.interests.slips import (
    CONNECTIVES,
    check_address,
    check_enclosed,
    check_field_inside,
    instead,
    refused,
)
from services.interests.tokens import normal
from services.interests.tree import Facet, FacetField, Or, Query
from services.interests.values import UnknownValue, begun, resolve

_MOST_JOINED = 4
_DIVIDED = re.compile(r"[,;|+:/]+")
_DIVIDED_IN_OPEN = re.compile(r"[,;|]+")
_CONNECTED = re.compile(rf"\s+(?:{'|'.join(CONNECTIVES)})\s+", re.IGNORECASE)
_CLOSED = (FacetField.TOPIC, FacetField.PLACE, FacetField.KIND, FacetField.AUDIENCE, FacetField.LANG)


def facet(text: str, field: FacetField, lexemes: list[Lexeme], at: int, *, is_typed: bool) -> Query:
    """Any of the values that a piece of `text` names; what is not typed is canonical. Raises QueryError."""
    piece = lexemes[at]
    if piece.sign is Sign.EQUALS:
        raise refused("exact", f"= is for words, not for {field}", piece, f"a value of {field}",
                      instead(text, piece, ""))  # fmt: skip
    if is_typed:
        _check_typed(text, field, lexemes, at)
    try:
        found = tuple(Facet(field, value) for value in resolve(field, normal(piece.text)))
    except UnknownValue as unknown:
        raise _unknown(text, field, lexemes, at, unknown) from None
    return found[0] if len(found) == 1 else Or(found)


def _check_typed(text: str, field: FacetField, lexemes: list[Lexeme], at: int) -> None:
    piece = lexemes[at]
    check_address(text, piece)
    if piece.sign is Sign.WORD:
        check_field_inside(text, piece)
        check_enclosed(text, lexemes, at)
        check_several = _check_several if field in _CLOSED else _check_several_codes
        check_several(text, field, lexemes, at)
    if field is FacetField.SOURCE and not piece.text.removeprefix("#").isdecimal():
        said = f"a source is told by its number, not by {piece.text[:40]!r}"
        raise refused("unknown_value", said, piece, "a number, such as source:12; institution: takes names")


def check_colon(text: str, field: FacetField | str, lexemes: list[Lexeme], at: int) -> None:
    """`topic:a:b`: another colon where the value should be. Raises QueryError."""
    inner = lexemes[at]
    if inner.sign is not Sign.FIELD:
        return
    behind = lexemes[at + 1]
    check_address(text, inner)
    if behind.start > inner.end or behind.sign is Sign.END:
        last = Lexeme(Sign.FIELD, ":", inner.column + inner.length - 1, 1)
        said = f"a colon stands behind {field}, not behind its value"
        raise refused("colon", said, last, "no second colon", instead(text, last, ""))
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
    for whole in _joined(lexemes, at):
        name = text[whole.start : whole.end]
        is_connected = _CONNECTED.search(name) is not None
        if _is_value(field, name) and (is_connected or not _is_value(field, piece.text)):
            said = f"{name!r} is one value of several words"
            raise refused("quote", said, whole, '" before and behind it', instead(text, whole, f'"{name}"'))
        is_bare = lexemes[at - 1].sign is Sign.FIELD
        for divided in (_DIVIDED, _CONNECTED) if is_bare else (_DIVIDED,):
            several = [one.strip() for one in divided.split(name) if one.strip()]
            if len(several) > 1 and all(_is_value(field, one) for one in several):
                raise _several(text, field, whole, several)
    several = [one for one in _DIVIDED.split(piece.text) if one]
    if (
        len(several) > 1
        and not _is_value(field, piece.text)
        and all(_is_value(field, one) for one in several)
    ):
        raise _several(text, field, piece, several)


def _check_several_codes(text: str, field: FacetField, lexemes: list[Lexeme], at: int) -> None:
    """`institution:umk,pbs`: of what is not listed here, only signs tell that there are several."""
    piece, end = lexemes[at], at + 1
    while _DIVIDED_IN_OPEN.fullmatch(lexemes[end - 1].text[-1]) and lexemes[end].sign is Sign.WORD:
        end += 1
    whole = Lexeme(Sign.WORD, "", piece.column, lexemes[end - 1].end - piece.start)
    name = text[whole.start : whole.end]
    several = [one.strip() for one in _DIVIDED_IN_OPEN.split(name) if one.strip()]
    if len(several) > 1:
        raise _several(text, field, whole, several)


def _several(text: str, field: FacetField, whole: Lexeme, several: list[str]) -> QueryError:
    quoted = " OR ".join(f'"{one}"' if " " in one else one for one in several)
    is_grouped = text[: whole.start].endswith("(") and text[whole.end :].startswith(")")
    fixed = instead(text, whole, quoted if is_grouped else f"({quoted})")
    said = f"several values of {field} stand in parentheses, with OR between them"
    return refused("several", said, whole, f"{field}:({quoted})", fixed)


def _joined(lexemes: list[Lexeme], at: int) -> list[Lexeme]:
    """A piece with up to three bare words behind it, as one: the longest first."""
    end, first = at + 1, lexemes[at]
    while end - at < _MOST_JOINED and lexemes[end].sign is Sign.WORD:
        end += 1
    lasts = reversed(lexemes[at + 1 : end])
    return [Lexeme(Sign.WORD, "", first.column, last.end - first.start) for last in lasts]


def _is_value(field: FacetField, text: str) -> bool:
    try:
        return bool(resolve(field, text))
    except UnknownValue:
        return False


def _unknown(
    text: str, field: FacetField, lexemes: list[Lexeme], at: int, unknown: UnknownValue
) -> QueryError:
    piece, near = lexemes[at], unknown.suggestion
    if field is FacetField.PLACE and piece.sign is Sign.WORD:
        for whole in _joined(lexemes, at):
            if whole_name := begun(text[whole.start : whole.end]):
                piece, near = whole, whole_name
                break
    return refused(
        "unknown_value",
        unknown.message + (f"; did you mean {field}:{near}?" if near else ""),
        piece,
        unknown.expected,
        instead(text, piece, near) if near else None,
    )
