"""A matcher's table as bytes and back, so that a restart reads seconds of bitmaps, not minutes of queries.

A snapshot is a shortcut, never a source: what another format, machine or analyser wrote is refused, and the
interests are compiled anew. It is data alone; reading one runs nothing.
"""

import json
import struct
import sys
from array import array
from collections.abc import Iterator
from datetime import date
from typing import Any

from pyroaring import BitMap

from services.interests.atoms import Atom, PhraseAtom
from services.interests.compiled import Condition
from services.interests.records import NUMBERS, Page
from services.interests.table import Posting, Table
from services.interests.tree import Deadline, Prefix, Relation

FORMAT = 1
_LENGTH = struct.Struct("<Q")


class Unfit(ValueError):
    """These bytes are no snapshot for this process; nothing was taken from them."""


def dump(table: Table, *, analyser: str) -> Iterator[bytes]:
    """The table in pieces; `analyser` says by whose reading its conditions were made."""
    yield _framed(_json(_head(analyser)))
    yield _framed(
        _json([[n, c.text, uses, [_told(a) for a in c.atoms]] for n, c, uses in table.conditions.used()])
    )
    yield _framed(_json(sorted(table.owners.items())))
    pages = list(table.records.pages())
    yield _framed(_json([number for number, _ in pages]))
    for _, page in pages:
        yield _framed(page.starts.tobytes())
        yield _framed(page.data.tobytes())
    yield _framed(_json(list(table.slots)))  # in the order of their numbers
    for rows in (table.active, *table.constrained):
        yield _framed(rows.serialize())
    yield _framed(_json([_told(atom) for atom in table.postings]))
    yield _framed(array(NUMBERS, (len(flat) // 2 for flat in table.postings.values())).tobytes())
    pairs = [pair for atom in table.postings for pair in table.satisfied(atom)]
    bodies = [rows.serialize() for _, rows in pairs]
    yield _framed(array(NUMBERS, (slot for slot, _ in pairs)).tobytes())
    yield _framed(array(NUMBERS, map(len, bodies)).tobytes())
    yield _framed(b"".join(bodies))


def load(data: bytes | memoryview, *, analyser: str) -> Table:
    """The table that was dumped. Raises Unfit."""
    try:
        return _load(_Frames(data), analyser)
    except (ValueError, LookupError, TypeError, RuntimeError, struct.error) as exc:
        raise Unfit(str(exc)) from exc


def _load(frames: "_Frames", analyser: str) -> Table:
    if frames.json() != _head(analyser):
        raise Unfit("another format, machine or analyser wrote it")
    table = Table()
    for number, text, uses, atoms in frames.json():
        table.conditions.place(number, Condition(text, tuple(map(_atom, atoms))), uses)
    for row, interest_id in frames.json():
        table.place_extra(row, interest_id)
    for number in frames.json():
        page = Page()
        page.starts = array(NUMBERS, frames.take())
        page.data = array(NUMBERS, frames.take())
        table.records.place_page(number, page)
    for dimension, number in frames.json()[1:]:
        table.slot(dimension, number)
    table.active = BitMap.deserialize(frames.take())
    table.constrained = [BitMap.deserialize(frames.take()) for _ in table.constrained]
    table.postings = dict(_postings(frames))
    return table


def _postings(frames: "_Frames") -> Iterator[tuple[Atom, Posting]]:
    atoms = [_atom(told) for told in frames.json()]
    counts = array(NUMBERS, frames.take())
    slots = iter(array(NUMBERS, frames.take()))
    lengths = iter(array(NUMBERS, frames.take()))
    bodies = frames.take()
    start = 0
    for atom, count in zip(atoms, counts, strict=True):
        flat: list[int | BitMap] = []
        for _ in range(count):
            end = start + next(lengths)
            flat += (next(slots), BitMap.deserialize(bodies[start:end]))
            start = end
        yield atom, tuple(flat)


def _head(analyser: str) -> dict[str, Any]:
    return {
        "goniec": "matcher",
        "format": FORMAT,
        "analyser": analyser,
        "order": sys.byteorder,
        "size": array(NUMBERS).itemsize,
    }


def _told(atom: Atom) -> object:
    """An atom as JSON: a text, or a list that begins with its kind."""
    match atom:
        case str():
            return atom
        case Prefix(text, in_title):
            return ["prefix", text, in_title]
        case Deadline(relation, days, day):
            return ["deadline", relation, days, day.isoformat() if day else None]
        case PhraseAtom(words, in_title):
            return ["phrase", [sorted(keys) for keys in words], in_title]


def _atom(told: Any) -> Atom:
    match told:
        case str():
            return sys.intern(told)
        case ["prefix", text, in_title]:
            return Prefix(text, in_title)
        case ["deadline", relation, days, day]:
            return Deadline(Relation(relation), days, date.fromisoformat(day) if day else None)
        case ["phrase", words, in_title]:
            return PhraseAtom(tuple(frozenset(keys) for keys in words), in_title)
        case _:
            raise ValueError("no atom is written so")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _framed(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


class _Frames:
    """Reads one piece after the other."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self) -> bytes:
        (length,) = _LENGTH.unpack_from(self._data, self._at)
        start = self._at + _LENGTH.size
        self._at = start + length
        if self._at > len(self._data):
            raise ValueError("it ends too soon")
        return bytes(self._data[start : self._at])

    def json(self) -> Any:
        return json.loads(self.take())
