"""Holding one query against many notices, for lists, previews and replays; the pipeline has its matcher."""

from collections.abc import Callable

from services.interests.documents import Document
from services.runtime import Runtime

Meets = Callable[[Document], bool]


def sieve(rt: Runtime, canonical: str) -> Meets:
    """A test that says whether a document meets the query."""
    raise NotImplementedError


def understood(rt: Runtime, canonical: str) -> tuple[str, ...]:
    """How the words of a query were read, for people."""
    raise NotImplementedError
