"""The one form of a query: what means the same by order, repetition or nesting is written the same.

The canonical text is what is stored; reading it again gives the same tree.
"""

from typing import assert_never

from services.interests.tree import And, Deadline, Exact, Facet, Leaf, Not, Or, Phrase, Prefix, Query, Word

# Written bare, these are operators or look like them.
OPERATORS = frozenset(
    {"and", "or", "not", "i", "oraz", "lub", "albo", "nie", "near", "xor", "nand", "andnot"}
)


def canonical(query: Query) -> str:
    """The query in its one form, as text."""
    return render(normalise(query))


def normalise(query: Query) -> Query:
    """NOT only before leaves, one level of each joint, parts sorted and each once."""
    return _normal(query, is_negated=False)


def render(query: Query) -> str:
    """A tree as text that reads back as this tree."""
    match query:
        case And(parts):
            return " ".join(f"({render(p)})" if isinstance(p, Or) else render(p) for p in parts)
        case Or(parts):
            return " OR ".join(render(part) for part in parts)
        case Not(part):
            return f"-({render(part)})" if isinstance(part, And | Or) else f"-{render(part)}"
        case _:
            return leaf_text(query)


def leaf_text(leaf: Leaf) -> str:
    """One test as text: `topic:funding`, `title:"zielony ład"`, `deadline<30d`."""
    match leaf:
        case Facet(field, value):
            return f"{field}:{value}"
        case Word(text, in_title):
            return _titled(f'"{text}"' if text.lower() in OPERATORS else text, in_title)
        case Exact(text, in_title):
            return _titled(f"={text}", in_title)
        case Prefix(text, in_title):
            return _titled(f"{text}*", in_title)
        case Phrase(words, in_title):
            return _titled('"' + " ".join(words) + '"', in_title)
        case Deadline(relation, days, day):
            return f"deadline{relation}{f'{days}d' if days is not None else day}"
        case _:
            assert_never(leaf)


def _titled(text: str, in_title: bool) -> str:
    return f"title:{text}" if in_title else text


def _normal(query: Query, *, is_negated: bool) -> Query:
    match query:
        case Not(part):
            return _normal(part, is_negated=not is_negated)
        case And(parts) | Or(parts):
            is_and = isinstance(query, And) is not is_negated
            return _joined([_normal(part, is_negated=is_negated) for part in parts], is_and)
        case _:
            return Not(query) if is_negated else query


def _joined(parts: list[Query], is_and: bool) -> Query:
    """De Morgan has been applied; parts are normal themselves."""
    flat: dict[Query, None] = {}
    for part in parts:
        same = isinstance(part, And) if is_and else isinstance(part, Or)
        flat.update(dict.fromkeys(part.parts if same and isinstance(part, And | Or) else (part,)))
    if len(flat) == 1:
        return next(iter(flat))
    ordered = tuple(sorted(flat, key=lambda part: (isinstance(part, Not), render(part))))
    return And(ordered) if is_and else Or(ordered)
