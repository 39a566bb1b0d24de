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
from functools import lru_cache
from itertools import islice
from typing import Any

from pyroaring import BitMap

from services.interests import rows as sets
from services.interests.atoms import Atom, PhraseAtom
from services.interests.compiled import Condition
from services.interests.records import NUMBERS, Page
from services.interests.rows import Rows
from services.interests.table import Table
from services.interests.text import Keys
from services.interests.tree import Deadline, Prefix, Relation

FORMAT = 3
A_PIECE = 2_000
_LENGTH = struct.Struct("<Q")


class Unfit(ValueError):
    """These bytes are no snapshot for this process; nothing was taken from them."""


def dump(table: Table, *, analyser: str) -> Iterator[bytes]:
    """The table in pieces; `analyser` says by whose reading its conditions were made."""
    yield _framed(_json(_head(analyser)))
    used = [[n, c.text, uses, [_told(atom) for atom in c.atoms]] for n, c, uses in table.conditions.used()]
    yield from _in_pieces(used)
    yield _framed(array("Q", (number for pair in table.extra_rows() for number in pair)).tobytes())
    pages = list(table.records.pages())
    yield _framed(_json([number for number, _ in pages]))
    for _, page in pages:
        yield _framed(page.starts.tobytes())
        yield _framed(page.data.tobytes())
    yield _framed(table.active.serialize())
    yield _framed(_json(len(table.free)))
    for free in table.free:
        yield _framed(free.serialize())
    yield from _dump_postings(table)


def _dump_postings(table: Table) -> Iterator[bytes]:
    """Of each key how many slots; of each of those its number, and how many rows with those. None: they are a
    bitmap, so many bytes long."""
    pairs = [pair for key in table.postings for pair in table.satisfied(key)]
    packed = [sets.packed(rows) for _, rows in pairs]
    bodies = [rows.serialize() for _, rows in pairs if sets.is_many(rows)]
    yield from _in_pieces(list(table.postings))
    yield _framed(array(NUMBERS, (len(flat) // 2 for flat in table.postings.values())).tobytes())
    yield _framed(array(NUMBERS, (slot for slot, _ in pairs)).tobytes())
    yield _framed(array(NUMBERS, map(len, packed)).tobytes())
    yield _framed(array(NUMBERS, (row for few in packed for row in few)).tobytes())
    yield _framed(array(NUMBERS, map(len, bodies)).tobytes())
    yield _framed(b"".join(bodies))


def maker(data: bytes | memoryview) -> str:
    """The analyser by whose reading a snapshot was made. Raises Unfit for what is no snapshot."""
    try:
        return str(_Frames(data).json()["analyser"])
    except (ValueError, LookupError, TypeError, RuntimeError, struct.error) as exc:
        raise Unfit(str(exc)) from exc


def _in_pieces(several: list[Any]) -> Iterator[bytes]:
    """Read piece by piece: what reading leaves behind is used again."""
    starts = range(0, len(several), A_PIECE)
    yield _framed(_json(len(starts)))
    for start in starts:
        yield _framed(_json(several[start : start + A_PIECE]))


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
    for number, text, uses, told in frames.pieces():
        table.conditions.place(number, Condition(text, tuple(map(_atom, told))), uses)
    owners = iter(array("Q", frames.take()))
    for row, interest_id in zip(owners, owners, strict=True):
        table.place_extra(row, interest_id)
    for number in frames.json():
        page = Page()
        page.starts = array(NUMBERS, frames.take())
        page.data = array(NUMBERS, frames.take())
        table.records.place_page(number, page)
    table.active = BitMap.deserialize(frames.take())
    table.free = [BitMap.deserialize(frames.take()) for _ in range(frames.json())]
    keys = [sys.intern(key) if isinstance(key, str) else key for key in frames.pieces()]
    counts = array(NUMBERS, frames.take())
    pairs = _load_pairs(frames)
    for key, count in zip(keys, counts, strict=True):
        table.postings[key] = tuple(part for pair in islice(pairs, count) for part in pair)
    return table


def _load_pairs(frames: "_Frames") -> Iterator[tuple[int, Rows]]:
    slots, counts, few, lengths = (array(NUMBERS, frames.take()) for _ in range(4))
    bodies, length = frames.take(), iter(lengths)
    at = start = 0
    for slot, count in zip(slots, counts, strict=True):
        if count:
            yield slot, few[at] if count == 1 else few[at : at + count]
            at += count
        else:
            end = start + next(length)
            yield slot, BitMap.deserialize(bodies[start:end])
            start = end


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
            return PhraseAtom(tuple(_keys(*keys) for keys in words), in_title)
        case _:
            raise ValueError("no atom is written so")


@lru_cache(50_000)
def _keys(*keys: str) -> Keys:
    """One set for all phrases with the same word."""
    return frozenset(map(sys.intern, keys))


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

    def pieces(self) -> Iterator[Any]:
        for _ in range(self.json()):
            yield from self.json()
