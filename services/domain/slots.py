"""The personal places in a shared body: marked when it is rendered, filled for each reader by cutting.

A body is rendered once for all its readers. The salt is random for each rendering, so that text from outside
can never imitate a marker. A body must never leave with a marker unfilled: a missing value is an error.
"""

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from html import escape

from services.errors import GoniecError

_NAME = re.compile(r"[a-z][a-z_]*(?::\d{1,4})?")
_SALT = re.compile(r"[0-9a-f]{16,64}")


class SlotError(GoniecError):
    """A slot without a value, or a name that cannot be a slot's: a fault of templates or of the caller."""

    code = "slot"


def new_salt() -> str:
    """A salt that nobody outside can guess."""
    return secrets.token_hex(8)


def text_marker(name: str, salt: str) -> str:
    """What stands for `name` in a plain-text body."""
    return _marker("t", name, salt)


def html_marker(name: str, salt: str) -> str:
    """What stands for `name` in HTML, also inside a quoted attribute."""
    return _marker("h", name, salt)


def fill(body: str, salt: str, values: Mapping[str, str]) -> str:
    """The body for one reader. Markers of HTML get the value escaped, those of text on one line."""
    if not salt:
        return body
    pieces, slots = _cut(body, salt)
    if not slots:
        return body
    filled = [pieces[0]]
    for (kind, name), piece in zip(slots, pieces[1:], strict=True):
        filled.append(_value(kind, name, values))
        filled.append(piece)
    return "".join(filled)


def cut(body: str, salt: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What all readers share of a body, and the (kind, name) of the slots between: one fewer."""
    return _cut(body, salt) if salt else ((body,), ())


def value(kind: str, name: str, values: Mapping[str, str]) -> str:
    """What stands in this slot for this reader. Raises SlotError."""
    return _value(kind, name, values)


def slots_in(body: str, salt: str) -> frozenset[str]:
    """The names of the slots that a body needs filled."""
    return frozenset(name for _, name in _cut(body, salt)[1]) if salt else frozenset()


def substitutions(body: str, salt: str, values: Mapping[str, str]) -> dict[str, str]:
    """Marker to value, for a service that fills them itself."""
    if not salt:
        return {}
    return {_marker(kind, name, salt): _value(kind, name, values) for kind, name in _cut(body, salt)[1]}


def _marker(kind: str, name: str, salt: str) -> str:
    if not _NAME.fullmatch(name):
        raise SlotError(f"“{name}” cannot name a slot: lower-case words, optionally a colon and a number.")
    if not _SALT.fullmatch(salt):
        raise SlotError("A slot's salt is 16 to 64 hexadecimal digits.")
    return f"[[{kind}.{name}.{salt}]]"


def _value(kind: str, name: str, values: Mapping[str, str]) -> str:
    try:
        value = values[name]
    except KeyError:
        raise SlotError(f"The slot “{name}” has no value; the body was not sent.", slot=name) from None
    return escape(value) if kind == "h" else " ".join(value.split())


@lru_cache(maxsize=512)
def _cut(body: str, salt: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """A body as the pieces between its markers, and the markers' (kind, name) in order."""
    parts = re.split(rf"\[\[([th])\.({_NAME.pattern})\.{re.escape(salt)}\]\]", body)
    return tuple(parts[0::3]), tuple(zip(parts[1::3], parts[2::3], strict=True))
