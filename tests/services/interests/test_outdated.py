"""A snapshot by another analyser serves after what it reads otherwise is compiled anew; nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from services.errors import QueryError
from services.interests import language
from services.interests.documents import Document
from services.interests.live import LiveIndex
from services.interests.text import Analyser
from services.interests.tree import Query
from tests.services.interests.queries import NOW, documents, trees

STEMS, WORDS = Analyser(with_dictionary=False), Analyser()


def canonical(tree: Query) -> str | None:
    try:
        text = language.canonical(tree)
        return text if language.parse(text) else None
    except (QueryError, ValueError):
        return None


def told(index: LiveIndex, document: Document) -> list[tuple[int, tuple[str, ...]]]:
    return [(hit.interest_id, hit.witnesses) for hit in index.match(document, NOW)]


@given(st.lists(trees, max_size=6), st.lists(documents, max_size=4), st.booleans())
def test_it_matches_like_one_that_was_built_anew(
    asked: list[Query], published: list[Document], to_words: bool
) -> None:
    before, after = (STEMS, WORDS) if to_words else (WORDS, STEMS)
    stored = [(number, text, True) for number, one in enumerate(asked, 1) if (text := canonical(one))]
    old, fresh, renewed = LiveIndex(before), LiveIndex(after), LiveIndex(after)
    old.refresh(stored)
    fresh.refresh(stored)

    assert renewed.restore(old.snapshot())
    missing = renewed.reconcile([number for number, _, _ in stored])
    renewed.refresh(one for one in stored if one[0] in missing)

    for document in published:
        assert told(renewed, document) == told(fresh, document)


def test_what_asks_for_no_words_stays() -> None:
    old, renewed = LiveIndex(STEMS), LiveIndex(WORDS)
    old.refresh([(1, "kind:call topic:funding", True), (2, "OZE", True), (3, "innowacja", True)])
    assert renewed.restore(old.snapshot())
    assert 1 not in renewed.reconcile([1, 2, 3])
    assert 3 in renewed.reconcile([1, 2, 3])
