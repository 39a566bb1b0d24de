"""An editor sees what an address would bring before it goes live, without JavaScript or a session."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from services.manage import accounts, sources
from services.runtime import Runtime
from tests import factories
from tests.doubles.web import Answer, WebDouble
from tests.services.web.conftest import words

FEED = b"""<rss><channel><title>Feed</title><item><title>A call</title><guid>1</guid>
<category>zdrowie</category><pubDate>Sun, 22 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"""


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/rss", Answer(body=FEED))
        yield double


@pytest.fixture
def key(rt: Runtime) -> str:
    return accounts.create_key(rt, institution=factories.institution(rt)).key


def test_looking_tells_and_adds_nothing_and_adding_reads_it(
    rt: Runtime, site: TestClient, web: WebDouble, key: str
) -> None:
    form = {"key": key, "address": web.url("/rss"), "topic": "funding"}
    told = site.post("/sources/new", data=form | {"do": "look"})
    assert told.status_code == 200
    for said in ("A call", "Health", "Stable: each has an id of its own.", "The newest: "):
        assert said in words(told.text)
    assert sources.list_all(rt) == []

    done = site.post("/sources/new", data=form | {"do": "add"})
    assert "has been read" in words(done.text)
    [made] = sources.list_all(rt)
    assert (made.institution, made.topics, made.notices) == ("gmina-testowa", ("funding",), 1)
    assert len(web.received) == 2


def test_rules_of_a_page_are_previewed(site: TestClient, web: WebDouble, key: str) -> None:
    web.answer("/bip", Answer(body=b"<html><li><a href='/a'>Przetarg</a></li></html>"))
    form = {"key": key, "address": web.url("/bip"), "kind": "page", "do": "look"}
    assert "names its items" in words(site.post("/sources/new", data=form).text)
    assert "Przetarg" in words(site.post("/sources/new", data=form | {"rule-item": "li"}).text)


@pytest.mark.parametrize("wrong", ["", "gon_" + "x" * 43])
def test_without_a_right_key_nothing_is_asked(site: TestClient, web: WebDouble, wrong: str) -> None:
    told = site.post("/sources/new", data={"key": wrong, "address": web.url("/rss"), "do": "look"})
    assert told.status_code == 401
    assert "This key cannot be used here" in words(told.text)
    assert web.received == []


def test_a_key_adds_for_its_own_institution_alone(
    rt: Runtime, site: TestClient, web: WebDouble, key: str
) -> None:
    factories.institution(rt, "Inna")
    form = {"key": key, "address": web.url("/rss"), "institution": "inna", "do": "add"}
    site.post("/sources/new", data=form)
    assert sources.list_all(rt)[0].institution == "gmina-testowa"
    consumer = accounts.create_key(rt, consumer="x").key
    assert site.post("/sources/new", data=form | {"key": consumer}).status_code == 422


def test_trouble_is_told_with_advice_and_the_form_is_kept(site: TestClient, web: WebDouble, key: str) -> None:
    told = site.post("/sources/new", data={"key": key, "address": web.url("/nothing"), "do": "look"})
    assert told.status_code == 422
    assert "status 404" in words(told.text)
    assert web.url("/nothing") in told.text
    assert told.headers["cache-control"] == "no-store"
