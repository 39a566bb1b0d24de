"""What the doctor says: one sentence about one thing, and how to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`is_grave` findings keep Goniec from working; the others are advice."""

    name: str
    is_ok: bool
    text: str
    remedy: str = ""
    is_grave: bool = False


def good(name: str, text: str) -> Finding:
    return Finding(name, True, text)


def bad(name: str, text: str, remedy: str, *, is_grave: bool = True) -> Finding:
    return Finding(name, False, text, remedy, is_grave)
