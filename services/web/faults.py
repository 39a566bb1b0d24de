"""A query that cannot be read, told to its writer: what is wrong, where, and what they may have meant."""

from dataclasses import dataclass
from urllib.parse import urlencode

from services.errors import Conflict, GoniecError, QueryError
from services.interests import language

SPAN_CHARS = 60  # of the query around its wrong place: what fits on a phone


@dataclass(frozen=True, slots=True)
class Fault:
    """`before`, `marked` and `after` are the piece of the query around its wrong place, empty where `code`
    is not `query` (then it is `conflict`, or the `field` that cannot be accepted)."""

    code: str
    reason: str
    text: str
    expected: str
    column: int
    before: str
    marked: str
    after: str
    pointer: str
    suggestion: str | None
    suggestion_url: str | None = None


def check(query: str, *, whole: str = "") -> None:
    """Raises QueryError with the place in what was typed.

    A query may exclude alone where the `whole` choice that it narrows down says what is wanted.
    """
    if not query:
        return
    try:
        language.parse(query)
    except QueryError as error:
        if error.reason != "only_excluded" or not _reads(whole):
            raise


def _reads(query: str) -> bool:
    try:
        return bool(language.parse(query))
    except QueryError:
        return False


def refusal(error: GoniecError) -> Fault:
    """Trouble that has no place in a query."""
    code = "conflict" if isinstance(error, Conflict) else str(error.data.get("field", "input"))
    return Fault(code, "", error.message, "", 0, "", "", "", "", None)


def fault_in(query: str, *, whole: str = "", page: str | None = None) -> Fault | None:
    """What is wrong with a query, or None; `page` is where its suggestion may be tried as `q`."""
    try:
        check(query, whole=whole)
    except QueryError as error:
        return fault(error, query, page=page)
    return None


def fault(error: QueryError, query: str, *, page: str | None = None) -> Fault:
    start = min(max(error.column - 1, 0), len(query))
    end = min(start + max(error.length, 1), len(query))
    left, right = max(start - SPAN_CHARS // 2, 0), end + SPAN_CHARS // 2
    before = ("…" if left else "") + query[left:start]
    suggestion = error.suggestion
    return Fault(
        code="query",
        reason=error.reason,
        text=error.message,
        expected=error.expected,
        column=error.column,
        before=before,
        marked=query[start:end],
        after=query[end:right] + ("…" if right < len(query) else ""),
        pointer=" " * len(before) + "^" * max(end - start, 1),
        suggestion=suggestion,
        suggestion_url=f"{page}?{urlencode({'q': suggestion})}" if page and suggestion else None,
    )
