"""In a real browser: the preview of a sign-up follows what is typed, whatever the order of answers."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from services.api.app import make_app
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.services.web.browser import served
from tests.services.web.conftest import FREE, Tell

pytestmark = pytest.mark.browser
PREVIEWS = "**/subscribe/preview?*"


@pytest.fixture
def rt(open_runtime: OpenRuntime, address: Any) -> Runtime:
    return open_runtime(base_url=f"http://127.0.0.1:{address.getsockname()[1]}")


@pytest.fixture
def page(browser: Browser, rt: Runtime, address: Any, tell: Tell) -> Iterator[Page]:
    """The form in English, on a small phone; there is one notice about bony."""
    tell()
    with served(make_app(rt, limits=FREE), address):
        context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en")
        page = context.new_page()
        page.goto(f"{rt.settings.base_url}/subscribe")
        yield page
        context.close()


def type_words(page: Page, text: str) -> None:
    page.get_by_label("Words to look for").fill(text)


def test_an_answer_that_comes_late_does_not_replace_what_was_taken_back(page: Page) -> None:
    type_words(page, "bony")
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")
    kept: list[Route] = []
    page.route(PREVIEWS, lambda route: kept.append(route))
    type_words(page, "wodór")
    page.wait_for_timeout(600)
    type_words(page, "bony")
    page.wait_for_timeout(600)
    for route in kept:
        with contextlib.suppress(Error):  # the page may have let go of it
            route.continue_()
    page.wait_for_timeout(300)
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")


@pytest.mark.parametrize("status", [429, 503])
def test_where_no_answer_comes_nothing_old_is_shown_and_a_button_asks_again(page: Page, status: int) -> None:
    type_words(page, "bony")
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")
    page.route(PREVIEWS, lambda route: route.fulfill(status=status, body=""))
    type_words(page, "wodór")
    expect(page.get_by_role("button", name="Show")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("")
    page.unroute(PREVIEWS)
    type_words(page, "")
    expect(page.get_by_role("status")).to_contain_text("Choose something")
    expect(page.locator("#show")).to_be_hidden()


def test_what_a_browser_keeps_of_a_form_is_counted_again(page: Page) -> None:
    page.get_by_label("Funding").check()
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")
    page.evaluate("addEventListener('unload', () => {})")  # keeps the page from being frozen as it is
    page.goto(page.url.replace("/subscribe", "/about"))
    page.go_back()
    expect(page.get_by_label("Funding")).to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")


def test_a_query_is_tried_and_mended_by_the_keyboard_alone(page: Page) -> None:
    page.get_by_text("Write a query yourself").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Query", exact=True)).to_be_focused()
    page.keyboard.type("topc:funding bony OR " + "bardzodlugieslowo" * 3)
    expect(page.get_by_role("status")).to_contain_text("Did you mean")
    expect(page.get_by_role("status")).to_contain_text("topic:funding bony")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.keyboard.press("Control+A")
    page.keyboard.type("topic:funding bony -kind:tender")
    expect(page.get_by_role("status")).to_contain_text("30 days: 1 notice")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
