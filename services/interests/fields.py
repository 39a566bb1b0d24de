"""The names of fields, and what people call them instead."""

import re
from difflib import get_close_matches

from services.domain.folding import fold
from services.errors import QueryError
from services.interests.lexer import Lexeme
from services.interests.tree import FacetField

TITLE = "title"
DEADLINE = "deadline"
NAMES = (*FacetField, TITLE)
ALSO_CALLED = {
    "temat": "topic", "tematy": "topic", "topics": "topic", "tag": "topic", "category": "topic",
    "kategoria": "topic", "dziedzina": "topic", "rodzaj": "kind", "typ": "kind", "type": "kind",
    "miejsce": "place", "gmina": "place", "powiat": "place", "miasto": "place", "location": "place",
    "city": "place", "gdzie": "place", "where": "place", "zrodlo": "source", "instytucja": "institution",
    "from": "institution", "od": "institution", "org": "institution", "organizacja": "institution",
    "organization": "institution", "publisher": "institution", "uczelnia": "institution",
    "odbiorca": "audience", "dla": "audience", "for": "audience", "komu": "audience",
    "jezyk": "lang", "language": "lang", "tytul": "title", "subject": "title", "termin": "deadline",
    "due": "deadline",
}  # fmt: skip
_MIN_START = 3


def field_named(named: Lexeme, text: str) -> FacetField | str:
    """The field that a query names. Raises QueryError with the nearest name."""
    name = named.text.lower()
    if name in NAMES:
        return TITLE if name == TITLE else FacetField(name)
    if name == DEADLINE:
        raise QueryError(
            "a deadline is compared, not named",
            column=named.column,
            length=named.length,
            expected="deadline<30d or deadline>2026-12-01",
            reason="deadline",
            suggestion=_compared(text, named),
        )
    near = _nearest(fold(name))
    said = f" did you mean {'deadline<' if near == DEADLINE else f'{near}:'}?" if near else ""
    raise QueryError(
        f"unknown field {named.text[:40]}:{said}",
        column=named.column,
        length=named.length,
        expected=f"one of {', '.join(f'{known}:' for known in NAMES)}, deadline<; or quotes around words",
        reason="unknown_field",
        suggestion=_suggested(text, named, near),
    )


def field_meant(name: str) -> str | None:
    """The field of this name, or of a name that people give it instead; None for any other word."""
    folded = fold(name)
    return folded if folded in (*NAMES, DEADLINE) else ALSO_CALLED.get(folded)


def field_nearly(name: str) -> str | None:
    """The field that a name means or is misspelt from, where a sign behind it says that it is one."""
    return field_meant(name) or (_nearest(fold(name)) if len(name) > _MIN_START else None)


def _nearest(name: str) -> str | None:
    called = [*NAMES, DEADLINE, *ALSO_CALLED]
    near = get_close_matches(name, called, n=1, cutoff=0.7)
    if not near and len(name) >= _MIN_START:
        near = [one for one in (*NAMES, DEADLINE) if one.startswith(name)][:1]
    return ALSO_CALLED.get(near[0], near[0]) if near else None


def _suggested(text: str, named: Lexeme, near: str | None) -> str:
    """The nearest field; else without the colon that ends a word, else the piece in quotes."""
    if near == DEADLINE:
        return _compared(text, named)
    if near:
        return f"{text[: named.start]}{near}:{text[named.end :]}"
    rest = text[named.end :]
    piece = re.match(r'[^\s()"„“”‟«»]*', rest)
    if piece is None or not piece[0]:
        return f"{text[: named.start]}{named.text} {rest.lstrip()}".rstrip()
    return f'{text[: named.start]}"{named.text} {piece[0]}"{rest[piece.end() :]}'


_BETWEEN = re.compile(r"\s*[\[{(]\s*(\S+?)\s+(?:TO|to|do|-|–)\s+(\S+?)\s*[\]})]")
_TO = re.compile(r"\s*([\w-]+)\.\.\.?([\w-]+)")


def _compared(text: str, named: Lexeme) -> str:
    """`deadline:30d` → `deadline<30d`; `deadline:[2026-01-01 TO 2026-02-01]` → both its ends.

    A sign that stands behind the colon is kept: `deadline:>30d` → `deadline>30d`.
    """
    if found := _BETWEEN.match(text, named.end) or _TO.match(text, named.end):
        both = f"{DEADLINE}>={found[1]} {DEADLINE}<={found[2]}"
        return text[: named.start] + both + text[found.end() :]
    rest = text[named.end :].lstrip()
    return f"{text[: named.start]}{DEADLINE}{'' if rest.startswith(('<', '>', '≤', '≥')) else '<'}{rest}"
