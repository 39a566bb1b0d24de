"""Sets of rows, each kept in the form that costs least: one row as itself, a few packed, many as a bitmap.

Most conditions are asked for by few interests, and a bitmap of five rows weighs a kilobyte.
"""

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeGuard

from pyroaring import BitMap

NUMBERS = "I"
FEW = 32  # so many rows are packed at most: more make an event slower, fewer cost memory

if TYPE_CHECKING:
    Packed = array[int]
else:
    Packed = array  # takes no parameter before Python 3.12

Rows = int | Packed | BitMap


def is_many(rows: Rows) -> TypeGuard[BitMap]:
    """Are these more than are worth packing?"""
    return isinstance(rows, BitMap) and len(rows) > FEW


def packed(rows: Rows) -> Packed:
    """Few rows one after the other; nothing where they are many."""
    if isinstance(rows, int):
        return array(NUMBERS, (rows,))
    if isinstance(rows, BitMap):
        return array(NUMBERS) if is_many(rows) else rows.to_array()
    return rows


def added(rows: Rows | None, row: int) -> Rows:
    """With a row that is not among them yet."""
    match rows:
        case None:
            return row
        case int():
            return array(NUMBERS, (rows, row))
        case BitMap():
            rows.add(row)
            return rows
        case _:
            rows.append(row)
            return rows if len(rows) <= FEW else BitMap(rows)


def dropped(rows: Rows | None, row: int) -> Rows | None:
    """Without a row; None when that leaves nothing."""
    match rows:
        case None:
            return None
        case int():
            return None if rows == row else rows
        case BitMap():
            rows.discard(row)
            return rows or None
        case _:
            left = array(NUMBERS, (one for one in rows if one != row))
            return left or None


def union(several: Iterable[Rows], base: BitMap | None = None) -> BitMap:
    """All rows of several sets and of `base`, which, where it is dense, makes the others cheap to add."""
    few = array(NUMBERS)
    many = [] if base is None else [base]
    for rows in several:
        if isinstance(rows, BitMap):
            many.append(rows)
        elif isinstance(rows, int):
            few.append(rows)
        else:
            few.extend(rows)
    return BitMap.union(*many, BitMap(few))
