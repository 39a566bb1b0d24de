"""Holding one query against many notices, for lists, previews and replays; the pipeline has its matcher."""

from collections.abc import Callable

from services.interests import language
from services.interests.documents import Document
from services.interests.evaluate import meets
from services.interests.explain import understood as words_understood
from services.interests.reading import Reading
from services.runtime import Runtime

Meets = Callable[[Document | Reading], bool]


def sieve(rt: Runtime, canonical: str) -> Meets:
    """A test that says whether a document meets the query as of now.

    A document that is tested often is better given as its `Reading`, which keeps the words it was cut into.
    """
    tree, now = language.recall(canonical), rt.clock.now()

    def test(document: Document | Reading) -> bool:
        reading = document if isinstance(document, Reading) else Reading(document, rt.analyser)
        return meets(tree, reading, now)

    return test


def understood(rt: Runtime, canonical: str) -> tuple[str, ...]:
    """How words of a query were read, where as something else than themselves: `wspolprace: współpraca`."""
    return words_understood(language.recall(canonical), rt.analyser)
