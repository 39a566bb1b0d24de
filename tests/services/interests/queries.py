"""Random queries and documents over a small vocabulary, so that they often meet; and documents by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.interests.documents import Document
from services.interests.tree import (
    And,
    Deadline,
    Exact,
    Facet,
    FacetField,
    Leaf,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Relation,
    Word,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

_TYPED = ("innowacja", "innowacje", "sztuczna", "inteligencja", "wspolpraca", "współpracy", "Świecie", "sąd",
          "sad", "OZE", "oze", "ncbr", "research", "robots", "2026", "b+r", "Nowe", "gmina",
          "i", "LUB")  # fmt: skip
_WRITTEN = ("innowacji", "Innowacje", "sztucznej", "inteligencji", "współpracę", "Współpraca", "wspolpraca",
            "świecie", "Świeciu", "sądu", "sad", "OZE", "NCBR-u", "Research", "robot", "2026", "B+R", "i",
            "w", "gminy", "Nowe", "polsko-niemiecki", "ŻÓŁWIK", "szybki.")  # fmt: skip
_TOPICS = ("ict-ai", "ict-ai/robotics", "funding", "health")
_PLACES = ("04", "0403", "0403012", "0415011", "0415022", "0463011")


def document(**given: Any) -> Document:
    """A notice by hand; the test states only what it is about."""
    usual: dict[str, Any] = {
        "notice_id": 1,
        "kind": "news",
        "title": "",
        "summary": "",
        "body": "",
        "language": "pl",
        "topics": (),
        "places": (),
        "source": "1",
        "institutions": (),
        "audience": (),
        "deadline_at": None,
        "published_at": NOW,
    }
    return Document(**{**usual, **given})


def _some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


_texts = st.lists(st.sampled_from(_WRITTEN), max_size=8).map(" ".join)
_hours = st.integers(min_value=-72, max_value=24 * 40)

documents: st.SearchStrategy[Document] = st.builds(
    document,
    kind=st.sampled_from(("news", "call", "tender")),
    title=_texts,
    summary=_texts,
    body=_texts,
    language=st.sampled_from((None, "pl", "en", "en-GB")),
    topics=_some(_TOPICS),
    places=_some(_PLACES),
    source=st.sampled_from(("1", "2")),
    institutions=_some(("umk", "wydzial-chemii")),
    audience=_some(("company", "citizen")),
    deadline_at=st.none() | _hours.map(lambda hours: NOW + timedelta(hours=hours)),
)

_titled = st.booleans()
_facets: st.SearchStrategy[Leaf] = st.one_of(
    st.builds(Facet, st.just(FacetField.TOPIC), st.sampled_from(_TOPICS)),
    st.builds(Facet, st.just(FacetField.PLACE), st.sampled_from(_PLACES)),
    st.builds(Facet, st.just(FacetField.KIND), st.sampled_from(("news", "call", "tender"))),
    st.builds(Facet, st.just(FacetField.SOURCE), st.sampled_from(("1", "2"))),
    st.builds(Facet, st.just(FacetField.INSTITUTION), st.sampled_from(("umk", "wydzial-chemii"))),
    st.builds(Facet, st.just(FacetField.AUDIENCE), st.sampled_from(("company", "citizen"))),
    st.builds(Facet, st.just(FacetField.LANG), st.sampled_from(("pl", "en"))),
)
_texts_asked: st.SearchStrategy[Leaf] = st.one_of(
    st.builds(Word, st.sampled_from(_TYPED), _titled),
    st.builds(Exact, st.sampled_from(("innowacji", "sad", "oze", "świeciu")), _titled),
    st.builds(Prefix, st.sampled_from(("innow", "wspol", "współ", "zolw", "św", "20")), _titled),
    st.builds(Phrase, st.lists(st.sampled_from(_TYPED), min_size=2, max_size=3).map(tuple), _titled),
)
_deadlines: st.SearchStrategy[Leaf] = st.one_of(
    st.builds(Deadline, st.just(Relation.BEFORE), days=st.integers(min_value=1, max_value=40)),
    st.builds(Deadline, st.just(Relation.FROM), days=st.integers(min_value=0, max_value=40)),
    st.builds(
        Deadline,
        st.sampled_from(Relation),
        day=st.dates(min_value=date(2026, 11, 18), max_value=date(2027, 1, 5)),
    ),
)
leaves: st.SearchStrategy[Leaf] = st.one_of(_facets, _texts_asked, _texts_asked, _deadlines)


def _joined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, parts))


trees: st.SearchStrategy[Query] = st.recursive(leaves, _joined, max_leaves=8)
