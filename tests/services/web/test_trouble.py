"""Trouble is told to people as a page in their language, to machines as before."""

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.api.limits import Limits
from services.runtime import Runtime
from services.web.visits import Here
from tests.services.web.conftest import ENGLISH, read, words


@pytest.mark.parametrize(
    ("language", "title"), [("en", "There is no such page"), ("pl", "Nie ma takiej strony")]
)
def test_a_missing_page_is_told_in_ones_language(site: TestClient, language: str, title: str) -> None:
    answer = site.get("/nothing/here", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert title in words(answer.text)


@pytest.mark.parametrize("path", ["/notices/999999", "/notices/99999999999999999999999", "/notices/abc"])
def test_a_missing_notice_is_a_page_with_404(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/manage/x", "/confirm/x", "/u/x", "/issues/x"])
def test_a_false_link_says_that_it_does_not_work(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code in (404, 422)
    assert "This link no longer works" in words(answer.text)


def test_machines_get_their_problem_as_json(site: TestClient) -> None:
    assert site.get("/v1/notices/999999").headers["content-type"] == "application/problem+json"


def test_too_many_requests_are_told_with_the_wait(rt: Runtime) -> None:
    with TestClient(make_app(rt, limits=Limits(anonymous=1)), headers=ENGLISH) as hasty:
        hasty.get("/bot")
        answer = hasty.get("/bot")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many requests" in words(answer.text)


def test_a_fault_of_ours_is_a_page_without_its_words(rt: Runtime) -> None:
    app = make_app(rt)

    @app.get("/broken")
    def broken(_: Here) -> None:
        raise RuntimeError("secret@example.com")

    with TestClient(app, headers=ENGLISH, raise_server_exceptions=False) as site:
        answer = site.get("/broken")
    assert answer.status_code == 500
    assert "Something broke on our side" in words(answer.text)
    assert "secret@example.com" not in answer.text


def test_the_wrong_method_is_a_page_that_names_the_right_ones(site: TestClient) -> None:
    answer = site.post("/about")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert read(answer.text).xpath("//h1")
