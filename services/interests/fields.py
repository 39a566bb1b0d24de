"""The names of fields, and what people call them instead."""

from difflib import get_close_matches

from services.domain.folding import fold
from services.errors import QueryError
from services.interests.lexer import Lexeme
from services.interests.tree import FacetField

TITLE = "title"
DEADLINE = "deadline"
NAMES = (*FacetField, TITLE)
_ALSO_CALLED = {
    "temat": "topic", "tag": "topic", "category": "topic", "kategoria": "topic",
    "rodzaj": "kind", "typ": "kind", "type": "kind",
    "miejsce": "place", "gmina": "place", "powiat": "place", "location": "place", "city": "place",
    "zrodlo": "source", "instytucja": "institution", "from": "institution", "od": "institution",
    "odbiorca": "audience", "dla": "audience", "for": "audience",
    "jezyk": "lang", "language": "lang", "tytul": "title", "termin": "deadline", "due": "deadline",
}  # fmt: skip


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
            suggestion=_with(text, named, "deadline<"),
        )
    near = _nearest(fold(name))
    raise QueryError(
        f"unknown field {named.text[:40]}:" + (f" did you mean {near}?" if near else ""),
        column=named.column,
        length=named.length,
        expected=f"one of {', '.join(f'{known}:' for known in NAMES)}, deadline<; or quotes around words",
        suggestion=_with(text, named, near) if near else None,
    )


def _nearest(name: str) -> str | None:
    near = get_close_matches(name, [*NAMES, DEADLINE, *_ALSO_CALLED], n=1, cutoff=0.6)
    if not near:
        return None
    field = _ALSO_CALLED.get(near[0], near[0])
    return "deadline<" if field == DEADLINE else f"{field}:"


def _with(text: str, named: Lexeme, replacement: str) -> str:
    start = named.column - 1
    return text[:start] + replacement + text[start + named.length :]
