"""The visitor's own choice, else their browser's wish, else Polish; remembered in one cookie."""

import pytest
from starlette.testclient import TestClient

from tests.services.web.conftest import read


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9,pl;q=0.1", "en"),
        ("de, pl;q=0.5, en;q=0.4", "pl"),
        ("pl;q=0, en;q=0.1", "en"),
        ("de", "pl"),
        ("", "pl"),
        ("*;q=x,,;;;", "pl"),
    ],
)
def test_the_browsers_wish_is_met(site: TestClient, wish: str, language: str) -> None:
    answer = site.get("/bot", headers={"Accept-Language": wish})
    assert read(answer.text).get("lang") == language
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]


def test_the_switch_wins_and_is_remembered(site: TestClient) -> None:
    picked = site.get("/bot?lang=pl")
    assert read(picked.text).get("lang") == "pl"
    assert "HttpOnly" in picked.headers["set-cookie"]
    assert read(site.get("/about").text).get("lang") == "pl"


def test_the_switch_keeps_the_page_and_its_parameters(site: TestClient) -> None:
    page = read(site.get("/?q=bony&topic=funding").text)
    (polish,) = page.xpath('//nav[contains(@class, "languages")]//a[@hreflang="pl"]')
    assert polish.get("href") == "/?q=bony&topic=funding&lang=pl"


def test_an_unknown_language_in_the_address_changes_nothing(site: TestClient) -> None:
    answer = site.get("/bot?lang=xx")
    assert read(answer.text).get("lang") == "en"
    assert "set-cookie" not in answer.headers
