"""The query language: what people type becomes a tree, or an error that names its place. Never guesses.

    query   = all { "OR" all }
    all     = one { ["AND"] one }
    one     = { "NOT" | "-" } ( "(" query ")" | field ":" ( value | "(" query ")" ) | deadline | text )
    text    = word | word"*" | "="word | '"' word { word } '"'

`parse` answers the canonical tree, so that equal meaning is an equal tree; `canonical` writes it; `recall`
reads what was stored.
"""

from services.errors import QueryError
from services.interests import deadlines, leaves, slips
from services.interests.canonical import canonical, normalise, render
from services.interests.facets import check_colon, facet
from services.interests.fields import TITLE, field_named
from services.interests.lexer import Lexeme, Sign, lex, straight
from services.interests.parts import MAX_PARTS, TooManyParts, parts_of
from services.interests.slips import refused, without
from services.interests.tree import And, FacetField, Not, Or, Query

__all__ = ["MAX_DEPTH", "MAX_LEAVES", "MAX_LENGTH", "canonical", "parse", "recall"]

MAX_LENGTH = 2_000
MAX_DEPTH = 20
MAX_LEAVES = 100
MAX_MENDED = 10

_SOMETHING = "a word, a phrase in quotes, a field such as topic: or a parenthesis"
_ENDS = (Sign.OR, Sign.CLOSE, Sign.END)


def parse(text: str) -> Query:
    """Read what was typed into its canonical tree.

    Raises QueryError with the column and what was expected; what it suggests can be read.
    """
    typed = straight(text) if len(text) <= MAX_LENGTH else text
    try:
        return _read(typed, is_typed=True)
    except QueryError as fault:
        fault.suggestion = fault.data["suggestion"] = _mended(fault)
        raise


def recall(stored: str) -> Query:
    """Read a canonical form. Words that look like operators are words: earlier versions wrote them bare.

    Raises QueryError for what only an earlier version allowed.
    """
    return _read(stored, is_typed=False)


def _read(text: str, *, is_typed: bool) -> Query:
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the query is longer than {MAX_LENGTH:,} characters",
            column=MAX_LENGTH + 1,
            length=len(text) - MAX_LENGTH,
            expected="a shorter query",
            reason="too_big",
        )
    if not text.strip():
        raise QueryError("the query is empty", column=1, expected=_SOMETHING, reason="dangling")
    parser = _Parser(text, is_typed=is_typed)
    tree = normalise(parser.whole())
    _check_size(text, tree)
    _check_wanted(tree, parser.sides)
    return tree


def _mended(fault: QueryError) -> str | None:
    """What a fault suggests with its further faults mended too; None where it still cannot be read."""
    text = fault.suggestion
    for _ in range(MAX_MENDED):
        if text is None:
            return None
        try:
            _read(text, is_typed=True)
        except QueryError as further:
            text = None if further.suggestion == text else further.suggestion
        else:
            return text.strip()
    return None


class _Parser:
    """One reading of one text: recursive descent over its pieces."""

    def __init__(self, text: str, *, is_typed: bool) -> None:
        self._text = text
        self._is_typed = is_typed
        self._lexemes = lex(text)
        self._at = 0
        self._depth = 0
        self._field: FacetField | str | None = None
        self.sides: list[tuple[Query, Lexeme]] = []
        """The sides of the outermost OR, each with its place."""

    def whole(self) -> Query:
        query = self._any_of()
        if self._here.sign is Sign.CLOSE:
            fixed = without(self._text, self._here)
            raise refused("parenthesis", "no parenthesis is open here", self._here,
                          "the end of the query, or ( before", fixed)  # fmt: skip
        return query

    @property
    def _here(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> Lexeme:
        taken = self._here
        self._at += 1
        return taken

    def _any_of(self) -> Query:
        parts = [self._side()]
        while self._here.sign is Sign.OR:
            self._take()
            parts.append(self._side())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def _side(self) -> Query:
        first = self._here
        found = self._all_of()
        if not self._depth:
            length = self._lexemes[self._at - 1].end - first.start
            self.sides.append((found, Lexeme(first.sign, "", first.column, length)))
        return found

    def _all_of(self) -> Query:
        parts: list[Query] = []
        while self._here.sign not in _ENDS:
            if self._here.sign is Sign.AND and parts:
                self._take()
            parts.append(self._one())
        if not parts:
            raise self._nothing()
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Query:
        is_negated = False
        while self._here.sign is Sign.NOT:
            self._take()
            is_negated = not is_negated
        found = self._primary()
        return Not(found) if is_negated else found

    def _primary(self) -> Query:
        match self._here.sign:
            case Sign.OPEN:
                return self._group()
            case Sign.FIELD:
                return self._fielded()
            case Sign.DEADLINE:
                return self._deadline()
            case Sign.WORD | Sign.QUOTED | Sign.EQUALS:
                return self._value()
            case _:
                raise self._nothing()

    def _group(self) -> Query:
        opening = self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            said = f"more than {MAX_DEPTH} parentheses inside each other"
            raise refused("too_big", said, opening, "fewer of them")
        found = self._any_of()
        if self._here.sign is not Sign.CLOSE:
            said = "this parenthesis is never closed"
            raise refused("parenthesis", said, opening, "a closing )", f"{self._text.rstrip()})")
        self._take()
        self._depth -= 1
        return found

    def _fielded(self) -> Query:
        named = self._take()
        slips.check_address(self._text, named)
        if self._field is not None:
            said, expected = f"a field inside {self._field}:( )", f"a value of {self._field}"
            raise refused("colon", said, named, expected)
        self._field = field_named(named, self._text)
        check_colon(self._text, self._field, self._lexemes, self._at)
        slips.check_excluded(self._text, self._field, self._lexemes, self._at)
        if self._here.sign not in (Sign.OPEN, Sign.WORD, Sign.QUOTED, Sign.EQUALS):
            said, expected = f"{self._field}: has no value", f"a value, such as {self._field}:(a OR b)"
            raise refused("dangling", said, named, expected, without(self._text, named))
        found = self._primary()
        self._field = None
        return found

    def _value(self) -> Query:
        """A word, a quote or an exact form: of the text, of the title, or of a facet."""
        at, first = self._at, self._take()
        if first.sign is Sign.EQUALS:
            slips.check_equals(self._text, self._lexemes, at)
        elif first.sign is Sign.WORD and self._is_typed:
            slips.check_connective(self._text, self._lexemes, at)
        if isinstance(self._field, FacetField):
            return facet(self._text, self._field, self._lexemes, at, is_typed=self._is_typed)
        in_title = self._field == TITLE
        if first.sign is Sign.WORD and self._is_typed:
            slips.check_piece(self._text, self._lexemes, at)
        if first.sign is not Sign.EQUALS:
            return leaves.text_leaf(self._text, first, in_title=in_title)
        word = self._here
        if word.sign not in (Sign.WORD, Sign.QUOTED, *_KEYWORD_SIGNS) or word.column != first.column + 1:
            said, expected = "= stands directly before a word", "a word right behind ="
            raise refused("exact", said, first, expected, without(self._text, first))
        return leaves.exact_leaf(self._text, self._take(), in_title=in_title)

    def _deadline(self) -> Query:
        relation = self._take()
        if self._field is not None:
            said, expected = f"a deadline inside {self._field}:( )", f"a value of {self._field}"
            raise refused("colon", said, relation, expected)
        value = self._here if self._here.sign is not Sign.WORD else self._take()
        return deadlines.read(relation, value, self._text)

    def _nothing(self) -> QueryError:
        before = self._lexemes[self._at - 1] if self._at else None
        here = self._here
        if here.sign in (Sign.OR, Sign.AND):
            return self._missing(f"{here.text} needs something before it", here)
        if before is None:
            return self._missing("something is missing here", here)
        if before.sign is Sign.OPEN and here.sign is Sign.CLOSE:
            both = Lexeme(Sign.OPEN, "", before.column, here.end - before.start)
            return self._missing("the parentheses are empty", both)
        if before.sign in _KEYWORD_SIGNS:
            return self._missing(f"{before.text} needs something behind it", before)
        return self._missing("something is missing here", here if here.sign is not Sign.END else before)

    def _missing(self, message: str, where: Lexeme) -> QueryError:
        return refused("dangling", message, where, _SOMETHING, without(self._text, where))


_KEYWORD_SIGNS = (Sign.AND, Sign.OR, Sign.NOT)


def _check_size(text: str, tree: Query) -> None:
    """What a matcher can bear: leaves, depth, alternatives."""
    if (leaf_count := _leaf_count(tree)) > MAX_LEAVES:
        raise _whole(text, f"the query has {leaf_count} conditions, at most {MAX_LEAVES} are possible")
    if _depth(tree) > MAX_DEPTH or len(render(tree)) > MAX_LENGTH:
        raise _whole(text, "written out in full the query is too long")
    try:
        parts_of(tree)
    except TooManyParts:
        message = f"the query has more than {MAX_PARTS} alternatives of several conditions each"
        raise _whole(text, message) from None


def _check_wanted(tree: Query, sides: list[tuple[Query, Lexeme]]) -> None:
    """Something that must be there, in each alternative. Raises QueryError at the side without it."""
    if _wants(tree):
        return
    place = next(place for side, place in sides if not _wants(normalise(side)))
    raise refused(
        "only_excluded",
        "a query (and each side of its OR) must say what it wants, not only what it does not want: "
        "otherwise nearly everything would match",
        place,
        "a word, a topic or another field beside what is excluded",
    )


def _wants(tree: Query) -> bool:
    return all(part.clauses for part in parts_of(tree))


def _whole(text: str, message: str) -> QueryError:
    expected = "a simpler query, or several interests"
    return QueryError(message, column=1, length=len(text), expected=expected, reason="too_big")


def _leaf_count(tree: Query) -> int:
    return sum(map(_leaf_count, tree.parts)) if isinstance(tree, And | Or) else 1


def _depth(tree: Query) -> int:
    return 1 + max(map(_depth, tree.parts)) if isinstance(tree, And | Or) else 0
