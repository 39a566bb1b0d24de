"""What docs/queries.md and docs/zapytania.md say of the query language is so."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from services.api import texts
from services.api.app import make_app
from services.domain.notices import AUDIENCES, KINDS
from services.domain.topics import TOPICS
from services.errors import QueryError
from services.interests import fields, language, parts
from services.interests.atoms import event_atoms
from services.interests.documents import Document
from services.interests.index import Matcher, compile_query
from services.interests.naive import NaiveMatcher
from services.interests.text import Analyser
from services.runtime import Runtime
from tests.docs import guides

GUIDE, POLISH = "queries.md", "zapytania.md"
GUIDES = (GUIDE, POLISH)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")
MANY = {"topic": "topics", "place": "places", "institution": "institutions", "audience": "audience"}
EXAMPLES = [
    (line, one.claims)
    for guide in GUIDES
    for one in guides.blocks(guide, "query")
    for line in one.text.splitlines()
]
CLAIMS = [(query, claim) for query, claims in EXAMPLES for claim in claims]


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser()


@pytest.mark.parametrize("query", [query for query, _ in EXAMPLES])
def test_every_example_reads_and_its_canonical_form_reads_back(query: str) -> None:
    tree = language.parse(query)
    written = language.canonical(tree)
    assert language.parse(written) == tree
    assert language.canonical(language.parse(written)) == written


@pytest.mark.parametrize(("query", "claim"), CLAIMS)
def test_every_example_brings_what_is_claimed(query: str, claim: str, analyser: Analyser) -> None:
    if analyser.notice:
        pytest.skip(analyser.notice)
    compiled = compile_query(language.parse(query), analyser)
    event = event_atoms(document(claim), analyser, NOW)
    for matcher in (NaiveMatcher(), Matcher()):
        matcher.add(1, compiled)
        assert bool(matcher.match(event)) is claim.startswith("- ✓"), f"{query!r} and {claim!r}"


def test_every_example_claims_something() -> None:
    assert EXAMPLES
    assert [query for query, claims in EXAMPLES if not claims] == []


def test_faults_are_told_as_the_guide_tells_them() -> None:
    shown = guides.blocks(GUIDE, "refused")
    assert shown
    for one in shown:
        with pytest.raises(QueryError) as fault:
            language.parse(one.text.strip())
        assert one.claims == (f"> column {fault.value.column}: {fault.value.message}",)


@pytest.mark.parametrize(("guide", "head"), [(GUIDE, "| typed |"), (POLISH, "| wpisane |")])
def test_what_is_typed_wrong_is_suggested_as_the_guide_tells(guide: str, head: str) -> None:
    told = [(guides.codes(row[0])[0], guides.codes(row[1])[0]) for row in guides.rows(guide, head)]
    assert len(told) > 5
    for typed, suggested in told:
        with pytest.raises(QueryError) as fault:
            language.parse(typed)
        assert fault.value.suggestion == suggested
        assert language.parse(suggested)


@pytest.mark.parametrize(
    ("guide", "said"),
    [(GUIDE, "`-kind:tender` alone is refused"), (POLISH, "samo `-kind:tender` nie przejdzie")],
)
def test_a_query_of_exclusions_alone_is_refused_as_the_guide_says(guide: str, said: str) -> None:
    assert said in guides.read(guide)
    with pytest.raises(QueryError):
        language.parse("-kind:tender")


@pytest.mark.parametrize(
    ("guide", "name", "values"),
    [
        (GUIDE, "Topics", tuple(TOPICS)),
        (GUIDE, "Kinds", KINDS),
        (GUIDE, "Audiences", AUDIENCES),
        (POLISH, "Dziedziny", tuple(topic.pl for topic in TOPICS.values())),
    ],
)
def test_the_lists_of_values_are_whole(guide: str, name: str, values: tuple[str, ...]) -> None:
    listed = re.search(rf"\*\*{name}:\*\*(.*?)\n\n", guides.read(guide), re.DOTALL)
    assert listed is not None
    assert tuple(guides.codes(listed[1])) == values


@pytest.mark.parametrize(("guide", "head"), [(GUIDE, "| field |"), (POLISH, "| pole |")])
def test_the_table_of_fields_is_whole(guide: str, head: str) -> None:
    assert {guides.codes(row[0])[0] for row in guides.rows(guide, head)} == set(fields.NAMES)


def test_the_limits_are_those_of_the_code() -> None:
    said = " ".join(guides.read(GUIDE).split())
    assert f"{language.MAX_LENGTH:,} characters ({texts.MAX_QUERY:,} over the API)" in said
    assert f"{language.MAX_LEAVES} conditions, {language.MAX_DEPTH} parentheses" in said
    assert f"{parts.MAX_PARTS} alternatives" in said
    said = " ".join(guides.read(POLISH).split()).replace(" 000", "000")
    assert f"{language.MAX_LENGTH} znaków (przez API {texts.MAX_QUERY})" in said.replace("2 000", "2000")
    assert f"{language.MAX_LEAVES} warunków, {language.MAX_DEPTH} nawiasów" in said
    assert f"{parts.MAX_PARTS} wariantów" in said


def test_the_addresses_that_take_queries_answer(rt: Runtime) -> None:
    addresses = [address for row in guides.rows(GUIDE, "| | |") for address in guides.codes(row[0])]
    assert addresses
    with TestClient(make_app(rt)) as client:
        assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(
            addresses, 200
        )


def document(claim: str) -> Document:
    """A notice as a claim describes it: `- ✓ title · topic: funding · deadline: in 12 days`."""
    title, *facts = claim.removeprefix("- ✓ ").removeprefix("- ✗ ").split(" · ")
    given: dict[str, Any] = {
        "kind": "news", "summary": "", "body": "", "language": "pl", "topics": (), "places": (),
        "institutions": (), "audience": (), "deadline_at": None,
    }  # fmt: skip
    for fact in facts:
        name, _, value = fact.partition(": ")
        if name in MANY:
            given[MANY[name]] += (value,)
        elif name == "deadline":
            given["deadline_at"] = deadline(value)
        else:
            given[{"lang": "language"}.get(name, name)] = value
    return Document(notice_id=1, title=title, source="1", published_at=NOW, **given)


def deadline(text: str) -> datetime:
    if days := re.fullmatch(r"in (-?\d+) days", text):
        return NOW + timedelta(days=int(days[1]))
    return datetime.combine(datetime.fromisoformat(text).date(), time(12), WARSAW)
