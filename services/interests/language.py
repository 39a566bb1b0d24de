"""The query language: what people type becomes a tree, or an error that names its place. Never guesses.

    query   = all { "OR" all }
    all     = one { ["AND"] one }
    one     = { "NOT" | "-" } ( "(" query ")" | field ":" ( value | "(" query ")" ) | deadline | text )
    text    = word | word"*" | "="word | '"' word { word } '"'

`parse` answers the canonical tree, so that equal meaning is an equal tree; `canonical` writes it.
"""

from services.errors import QueryError
from services.interests import deadlines, leaves
from services.interests.canonical import canonical, normalise, render
from services.interests.fields import TITLE, field_named
from services.interests.lexer import Lexeme, Sign, lex
from services.interests.parts import MAX_PARTS, TooManyParts, parts_of
from services.interests.tree import And, FacetField, Not, Or, Query
from services.interests.values import UnknownValue, resolve

__all__ = ["MAX_DEPTH", "MAX_LEAVES", "MAX_LENGTH", "canonical", "parse"]

MAX_LENGTH = 2_000
MAX_DEPTH = 20
MAX_LEAVES = 100

_SOMETHING = "a word, a phrase in quotes, a field such as topic: or a parenthesis"
_ENDS = (Sign.OR, Sign.CLOSE, Sign.END)


def parse(text: str) -> Query:
    """Read a query into its canonical tree. Raises QueryError with the column and what was expected."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the query is longer than {MAX_LENGTH:,} characters",
            column=MAX_LENGTH + 1,
            length=len(text) - MAX_LENGTH,
            expected="a shorter query",
        )
    if not text.strip():
        raise QueryError("the query is empty", column=1, expected=_SOMETHING)
    tree = normalise(_Parser(text).whole())
    _check_size(text, tree)
    return tree


class _Parser:
    """One reading of one text: recursive descent over its pieces."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lexemes = lex(text)
        self._at = 0
        self._depth = 0
        self._field: FacetField | str | None = None

    def whole(self) -> Query:
        query = self._any_of()
        if self._here.sign is Sign.CLOSE:
            raise self._error("no parenthesis is open here", "the end of the query, or ( before")
        return query

    @property
    def _here(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> Lexeme:
        taken = self._here
        self._at += 1
        return taken

    def _any_of(self) -> Query:
        parts = [self._all_of()]
        while self._here.sign is Sign.OR:
            self._take()
            parts.append(self._all_of())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

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
            raise self._error(
                f"more than {MAX_DEPTH} parentheses inside each other", "fewer of them", opening
            )
        found = self._any_of()
        if self._here.sign is not Sign.CLOSE:
            raise self._error("this parenthesis is never closed", "a closing )", opening)
        self._take()
        self._depth -= 1
        return found

    def _fielded(self) -> Query:
        named = self._take()
        if self._field is not None:
            raise self._error(f"a field inside {self._field}:( )", f"a value of {self._field}", named)
        self._field = field_named(named, self._text)
        if self._here.sign not in (Sign.OPEN, Sign.WORD, Sign.QUOTED, Sign.EQUALS):
            raise self._error(f"{self._field}: has no value", f"a value, such as {self._field}:(a OR b)")
        found = self._primary()
        self._field = None
        return found

    def _value(self) -> Query:
        """A word, a quote or an exact form: of the text, of the title, or of a facet."""
        first = self._take()
        if isinstance(self._field, FacetField):
            return self._facet(self._field, first)
        in_title = self._field == TITLE
        if first.sign is not Sign.EQUALS:
            return leaves.text_leaf(first, in_title=in_title)
        word = self._here
        if word.sign not in (Sign.WORD, Sign.QUOTED, *_KEYWORD_SIGNS) or word.column != first.column + 1:
            raise self._error("= stands directly before a word", "a word right behind =")
        return leaves.exact_leaf(self._take(), in_title=in_title)

    def _facet(self, field: FacetField, value: Lexeme) -> Query:
        if value.sign is Sign.EQUALS:
            raise self._error(f"= is for words, not for {field}", f"a value of {field}", value)
        try:
            found = resolve(field, value.text)
        except UnknownValue as unknown:
            near = unknown.suggestion
            raise QueryError(
                unknown.message + (f"; did you mean {field}:{near}?" if near else ""),
                column=value.column,
                length=value.length,
                expected=unknown.expected,
                suggestion=leaves.replaced(self._text, value, near) if near else None,
            ) from None
        return leaves.facets(field, found)

    def _deadline(self) -> Query:
        relation = self._take()
        if self._field is not None:
            raise self._error(f"a deadline inside {self._field}:( )", f"a value of {self._field}", relation)
        return deadlines.read(relation, self._here if self._here.sign is not Sign.WORD else self._take())

    def _nothing(self) -> QueryError:
        before = self._lexemes[self._at - 1].sign if self._at else None
        here = self._here
        if before is Sign.OPEN and here.sign is Sign.CLOSE:
            return self._error("the parentheses are empty", _SOMETHING)
        if here.sign in (Sign.OR, Sign.AND):
            return self._error(f"{here.text} needs something before it", _SOMETHING)
        if before in _KEYWORD_SIGNS:
            return self._error(f"{self._lexemes[self._at - 1].text} needs something behind it", _SOMETHING)
        return self._error("something is missing here", _SOMETHING)

    def _error(self, message: str, expected: str, where: Lexeme | None = None) -> QueryError:
        where = where or self._here
        return QueryError(message, column=where.column, length=where.length, expected=expected)


_KEYWORD_SIGNS = (Sign.AND, Sign.OR, Sign.NOT)


def _check_size(text: str, tree: Query) -> None:
    """What a matcher can bear: leaves, depth, alternatives; and something that must be there."""
    if (leaf_count := _leaf_count(tree)) > MAX_LEAVES:
        raise _whole(text, f"the query has {leaf_count} conditions, at most {MAX_LEAVES} are possible")
    if _depth(tree) > MAX_DEPTH or len(render(tree)) > MAX_LENGTH:
        raise _whole(text, "written out in full the query is too long")
    try:
        alternatives = parts_of(tree)
    except TooManyParts:
        message = f"the query has more than {MAX_PARTS} alternatives of several conditions each"
        raise _whole(text, message) from None
    if not all(part.clauses for part in alternatives):
        raise QueryError(
            "a query (and each side of its OR) must say what it wants, not only what it does not want: "
            "otherwise nearly everything would match",
            column=1,
            length=len(text),
            expected="a word, a topic or another field beside what is excluded",
        )


def _whole(text: str, message: str) -> QueryError:
    return QueryError(message, column=1, length=len(text), expected="a simpler query, or several interests")


def _leaf_count(tree: Query) -> int:
    return sum(map(_leaf_count, tree.parts)) if isinstance(tree, And | Or) else 1


def _depth(tree: Query) -> int:
    return 1 + max(map(_depth, tree.parts)) if isinstance(tree, And | Or) else 0
