"""Reads the guides as a tester does: fenced blocks, tables, and what is claimed behind a block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted(path.name for path in DOCS.glob("*.md"))
_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```\n(?P<claims>(?:(?:- [✓✗]|>) [^\n]*\n?)*)",
    re.MULTILINE | re.DOTALL,
)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and the lines of claims directly behind it."""

    language: str
    text: str
    claims: tuple[str, ...]


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str | None = None) -> list[Block]:
    """The fenced blocks of a guide, in their order; of one language, when it is named."""
    found = [
        Block(one["language"], one["text"], tuple(one["claims"].splitlines()))
        for one in _BLOCK.finditer(read(name))
    ]
    return [one for one in found if language in (None, one.language)]


def rows(name: str, head: str) -> Iterator[tuple[str, ...]]:
    """The rows of the table whose head line begins with `head`, as stripped cells."""
    lines = iter(read(name).splitlines())
    for line in lines:
        if line.startswith(head):
            break
    else:
        raise AssertionError(f"{name} has no table that begins with {head}")
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def codes(text: str) -> list[str]:
    """What stands in backquotes."""
    return _CODE.findall(text)


def prose(name: str) -> str:
    """A guide without its fenced blocks."""
    return _BLOCK.sub("", read(name))
