"""No mail has a finding of axe's, in both languages, on a phone and on a desk, in light and dark."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from services.domain import slots
from tests.services.test_rendering import CONTEXTS, EVERY_MAIL, RENDERER, Values
from tests.services.web.browser import running_browser
from tests.services.web.test_axe import AXE, FINDINGS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (800, "light")])
def test_axe_finds_nothing_in_any_mail(browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    found: dict[tuple[str, str], list[str]] = {}
    wide = []
    for name, locale in EVERY_MAIL:
        mail = RENDERER.email(name, locale, CONTEXTS[name])
        page.set_content(slots.fill(mail.html, mail.salt, Values()))
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found[name, locale] = page.evaluate(FINDINGS)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append((name, locale))
    page.close()
    assert {mail: faults for mail, faults in found.items() if faults} == {}
    assert wide == []
