"""A query as alternatives: each a list of OR-groups that must all hold, minus what must not.

This is the shape the matcher indexes; how many alternatives a query has is its cost.
"""

from dataclasses import dataclass

from services.interests.tree import And, Leaf, Not, Or, Query

MAX_PARTS = 16


class TooManyParts(ValueError):
    """Multiplied out, the query has more alternatives than one interest may have."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of every clause at least one leaf holds, and none of `excluded`."""

    clauses: tuple[tuple[Leaf, ...], ...] = ()
    excluded: tuple[Leaf, ...] = ()


def parts_of(query: Query) -> tuple[Part, ...]:
    """The alternatives of a normal query (NOT only before leaves). Raises TooManyParts."""
    match query:
        case And(parts):
            return _product([parts_of(part) for part in parts])
        case Or(parts):
            return _alternatives(parts)
        case Not(part):
            if isinstance(part, And | Or | Not):
                raise TypeError("the query is not normal")
            return (Part(excluded=(part,)),)
        case _:
            return (Part(clauses=((query,),)),)


def _product(factors: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    done: tuple[Part, ...] = (Part(),)
    for factor in factors:
        if len(done) * len(factor) > MAX_PARTS:
            raise TooManyParts
        done = tuple(
            Part(
                tuple(dict.fromkeys(one.clauses + other.clauses)),
                tuple(dict.fromkeys(one.excluded + other.excluded)),
            )
            for one in done
            for other in factor
        )
    return tuple(dict.fromkeys(done))


def _alternatives(parts: tuple[Query, ...]) -> tuple[Part, ...]:
    """Plain leaves make one clause together: OR between them costs nothing."""
    leaves: list[Leaf] = []
    found: list[Part] = []
    for part in parts:
        if isinstance(part, And | Or | Not):
            found.extend(parts_of(part))
        else:
            leaves.append(part)
    if leaves:
        found.insert(0, Part(clauses=(tuple(leaves),)))
    if len(found) > MAX_PARTS:
        raise TooManyParts
    return tuple(dict.fromkeys(found))
