"""A repository's page is read record by record, and the next address to ask follows from it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from feeds.errors import BrokenFeed, NotAFeed
from feeds.oai import address_to_ask
from feeds.types import Door, Habits
from tests.doubles.repository import Repository
from tests.feeds.bodies import NOW, read

OAI = Habits(door=Door.OAI)


def asked(**memory: str) -> dict[str, str]:
    url = address_to_ask(
        "https://r.example/oai?old=1", rules={"set": "n", "since": "2020-01-01"}, memory=memory
    )
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def document(inside: str) -> bytes:
    return Repository()._document(inside).encode()


def test_a_token_is_asked_with_alone_and_a_day_from_the_last_harvest_on() -> None:
    assert asked() == {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "n", "from": "2020-01-01"}
    assert asked()["from"] == "2020-01-01"
    assert asked(**{"from": "2026-11-20"})["from"] == "2026-11-20"
    assert asked(token="a b&c=ż", **{"from": "x"}) == {"verb": "ListRecords", "resumptionToken": "a b&c=ż"}


def test_a_day_of_a_record_is_a_day_in_utc() -> None:
    body = document(
        "<ListRecords>" + Repository()._record("oai:1", "2026-11-20", "Żółw & co") + "</ListRecords>"
    )
    [entry] = read(body, habits=OAI).entries
    assert entry.published_at is not None
    assert (entry.title, entry.published_at.isoformat()) == ("Żółw & co", "2026-11-20T00:00:00+00:00")
    assert entry.authors == ("Kowalska, Anna",)
    assert entry.published_at < NOW


def test_a_token_that_never_moves_ends_the_harvest() -> None:
    page = document("<ListRecords><resumptionToken>t</resumptionToken></ListRecords>")
    feed = read(page, habits=Habits(door=Door.OAI, memory={"token": "t", "began": "2026-11-20", "page": "3"}))
    assert (feed.has_more, feed.memory) == (False, {"from": "2026-11-20"})


def test_after_many_pages_a_harvest_takes_breath() -> None:
    page = document("<ListRecords><resumptionToken>u</resumptionToken></ListRecords>")
    held = {"token": "t", "began": "2026-11-20", "page": "19"}
    feed = read(page, habits=Habits(door=Door.OAI, memory=held))
    assert (feed.has_more, feed.memory["token"], feed.memory["page"]) == (False, "u", "20")


@pytest.mark.parametrize(
    ("body", "error"), [(b"<html></html>", NotAFeed), (b"<OAI-PMH><x></OAI-PMH>", BrokenFeed)]
)
def test_another_document_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(body, habits=OAI)
