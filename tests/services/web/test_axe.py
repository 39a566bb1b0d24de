"""In a real browser: axe-core finds nothing; pages work by keyboard, on a small phone, without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from services.api.app import make_app
from services.domain import links, tokens
from services.domain.drafts import Draft
from services.domain.mutes import MuteKind
from services.manage import call_log, consumers, endpoints, mutes, outbox, replays, subscribers
from services.manage import topics as defined
from services.manage.mutes import Unwanted
from services.manage.subscriptions import Wish
from services.pipeline import deliver, match
from services.runtime import Runtime
from services.storage import held
from tests import factories
from tests.conftest import NOON, OpenRuntime
from tests.services.web.browser import served
from tests.services.web.conftest import FREE, Tell

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "vendor" / "axe.min.js"
FINDINGS = """() => axe.run({resultTypes: ["violations"]}).then(found => found.violations.map(
    fault => fault.id + ": " + fault.nodes.map(node => node.html.slice(0, 200)).join(" | ")))"""


@pytest.fixture
def rt(open_runtime: OpenRuntime, address: Any) -> Runtime:
    """A runtime whose links lead to the served application."""
    return open_runtime(base_url=f"http://127.0.0.1:{address.getsockname()[1]}")


@pytest.fixture
def base(rt: Runtime, address: Any) -> Iterator[str]:
    with served(make_app(rt, limits=FREE), address):
        yield rt.settings.base_url


@pytest.fixture
def person(rt: Runtime) -> int:
    wishes = [Wish("topic:funding place:torun", "Fundusze", "weekly:mon,thu@07:00"), Wish("wodór")]
    made = subscribers.add_confirmed(rt, email="reader@example.com", interests=wishes)
    subscribers.pause(rt, made.id, NOON + timedelta(days=9))
    return made.id


@pytest.fixture
def paths(rt: Runtime, person: int, tell: Tell) -> list[str]:
    """Every page there is, in the states that look different."""
    secret = rt.settings.secret_key
    body = "<h1>O naborze</h1><p>Treść z <a href='https://example.org'>linkiem</a>.</p><h4>Dalej</h4>"
    open_one = tell(body_html=body, deadline_at=NOON + timedelta(days=3), url="https://example.org/a")
    tell(key="b", title="Call for partners", language="en", commercial=True, places=("0461011",))
    tell(key="b", title="Call for more partners", language="en")
    subscribers.sign_up(rt, email="anna@example.com", interests=[Wish("wodór")])
    deliver.run_mail(rt)
    letter = outbox.list_letters(rt)[0].key
    text = outbox.open_letter(rt, letter).text
    confirm = next(word for word in text.split() if "/confirm/" in word)
    drafts = [Draft(key=str(n), title=f"Wpis {n}", url=f"https://example.org/{n}") for n in range(7)]
    source_id = factories.feed(rt, "http://127.0.0.1:9/feed.xml")
    with rt.begin() as session:
        held.hold(session, source_id, drafts, reason="flood", now=NOON)
    own = f"/manage/{links.manage_token(secret, person)}"
    less = links.less_url("", secret, person, subscription_id=0, notice_id=open_one)
    muted = mutes.add(rt, person, Unwanted(MuteKind.WORD, "hulajnoga", NOON + timedelta(days=9)))
    stay = links.stay_url("", secret, person)
    listened = integrator(rt)
    leave = f"/u/{tokens.sign(secret, 'leave', {'s': person})}"
    topics = links.topics_url("", secret, expires_at=NOON + timedelta(days=1))
    defined.define(rt, "food", "żywność OR miód")
    return [
        "/", "/?q=(bony", "/?q=nothing+of+this", "/?topic=funding&place=0403&kind=call",
        f"/notices/{open_one}", f"/notices/{open_one + 1}", "/subscribe",
        "/subscribe?topic=funding&q=bony", "/subscribe?q=(x",
        "/subscribe/sent", confirm.removeprefix(rt.settings.base_url), own, f"{own}?told=changed",
        f"{own}/letters", "/ledger", f"/notices/{open_one}/ledger",
        f"{own}/leave", f"{own}/erase", leave, "/outbox", f"/outbox/{letter}", "/about", "/bot", "/nowhere",
        "/sources/new", "/manage/false", less, f"{less}?done={muted.id}",
        stay, f"{stay}?told=stays",
        topics, f"{topics}/health", f"{topics}/health?look=1&q=wod%C3%B3r+OR+nab%C3%B3r",
        f"{topics}/health?look=1&q=(a", f"{topics}/food?look=1&q=&done=define",
        "/sources", links.health_url("", secret), links.health_url("", secret, source_id),
        links.held_url("", secret), links.held_url("", secret) + "?done=drop",
        f"{own}/why?notice={open_one}", f"{own}/why?notice=0",
        *listened,
    ]  # fmt: skip


def integrator(rt: Runtime) -> list[str]:
    """A consumer's pages: endpoints that are well, unwell and paused, with deliveries and a replay."""
    uids = [
        factories.listener(rt, f"http://127.0.0.1:9/{name}", consumer="Portal").endpoint.uid
        for name in ("well", "x" * 70)
    ]
    factories.publish(rt, *(factories.draft(f"c-{n}") for n in range(6)))
    match.run(rt)
    deliver.run_webhooks(rt)
    endpoints.patch(rt, None, uids[1], state="paused")
    replays.start(rt, None, uids[0], since=NOON - timedelta(days=1))
    told = call_log.find(rt, None, uids[0]).items
    own = f"/endpoints/{consumers.link_by_name(rt, 'Portal').token}"
    return [
        "/endpoints", own, f"{own}/new?q=kind:call", f"{own}/new?q=(x",
        f"{own}/{uids[0]}", f"{own}/{uids[1]}",
        f"{own}/{uids[0]}?told=changed", f"{own}/{uids[0]}/deliveries", f"{own}/{uids[0]}/deliveries?q=none",
        f"{own}/{uids[0]}/deliveries/{told[0].id}", f"{own}/{uids[0]}/deliveries/msg_0", "/endpoints/false",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("pl", 360, "light"), ("en", 1200, "dark"), ("pl", 800, "dark")]
)
def test_axe_finds_nothing_on_any_page(
    browser: Browser, base: str, paths: list[str], language: str, width: int, scheme: Any
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        locale=language,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = {path: _findings(page, base + path) for path in paths}
    context.close()
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_axe_finds_nothing_where_a_form_is_shown_again(browser: Browser, base: str) -> None:
    page = browser.new_page(locale="pl")
    page.goto(f"{base}/subscribe")
    page.click("button[value=subscribe]")
    expect(page.get_by_role("alert")).to_be_visible()
    assert _check(page) == []
    page.close()


def test_axe_finds_nothing_on_what_buttons_of_an_endpoint_show(
    browser: Browser, base: str, rt: Runtime
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800}, locale="pl")
    page = context.new_page()
    own = next(path for path in integrator(rt) if path.endswith("?told=changed")).partition("?")[0]
    found = {}
    for button in ("test", "check", "rotate"):
        page.goto(base + own)
        page.click(f"button[value={button}]")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found[button] = _check(page)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), button
    context.close()
    assert found == {"test": [], "check": [], "rotate": []}


def test_axe_would_find_a_picture_without_words(browser: Browser, base: str) -> None:
    page = browser.new_page()
    page.goto(f"{base}/bot")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [fault.partition(":")[0] for fault in _check(page)] == ["image-alt"]
    page.close()


def test_no_page_is_wider_than_a_small_phone(browser: Browser, base: str, paths: list[str]) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640}, locale="pl")
    wide = []
    for path in paths:
        page.goto(base + path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    page.close()
    assert wide == []


def test_buttons_and_menus_are_large_enough_for_a_thumb(
    browser: Browser, base: str, paths: list[str]
) -> None:
    small = """() => [...document.querySelectorAll('button, .button, .menu a, select, summary, .tick, .line')]
        .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
        .map(one => one.outerHTML.slice(0, 120))"""
    page = browser.new_page(viewport={"width": 360, "height": 740}, locale="pl")
    found = {}
    for path in paths:
        page.goto(base + path)
        found[path] = page.evaluate(small)
    page.close()
    assert {path: ones for path, ones in found.items() if ones} == {}


def test_the_browser_has_nothing_to_complain_of(browser: Browser, base: str, paths: list[str]) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            said.append(message.text)

    page = browser.new_page(locale="en")
    page.on("console", note)
    for path in paths:
        page.goto(base + path)
    page.close()
    assert said == []


def test_the_first_key_leads_past_the_menu(browser: Browser, base: str) -> None:
    page = browser.new_page(locale="en")
    page.goto(base)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.close()


def test_the_count_follows_what_is_typed(browser: Browser, base: str, tell: Tell) -> None:
    tell()
    page = browser.new_page(locale="en")
    page.goto(f"{base}/subscribe")
    expect(page.locator("#show")).to_be_hidden()
    page.get_by_label("Funding").check()
    expect(page.get_by_role("status")).to_contain_text("In the last 30 days: 1 notice")
    page.get_by_label("Words to look for").fill("wodór")
    expect(page.get_by_role("status")).to_contain_text("In the last 30 days: 0 notices")
    page.close()


def test_by_keys_alone_enter_mutes_the_word_that_was_typed(
    browser: Browser, base: str, rt: Runtime, person: int, tell: Tell
) -> None:
    page = browser.new_page(locale="en")
    page.goto(base + links.less_url("", rt.settings.secret_key, person, subscription_id=0, notice_id=tell()))
    page.get_by_label("Word that you want no more of").focus()
    page.keyboard.type("hulajnogami")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Muted")
    assert [(one.kind, one.label) for one in mutes.list_for(rt, person)] == [("word", "hulajnogami")]
    page.close()


def test_a_reader_signs_up_without_javascript(browser: Browser, base: str, rt: Runtime, tell: Tell) -> None:
    tell()
    context = browser.new_context(java_script_enabled=False, locale="pl")
    page = context.new_page()
    page.goto(f"{base}/subscribe")
    page.get_by_label("Fundusze i dofinansowania").check()
    page.get_by_role("button", name="Pokaż").click()
    expect(page.get_by_role("status")).to_contain_text("W ostatnich 30 dniach: 1 ogłoszenie")
    page.get_by_label("Adres e-mail").fill("anna@example.com")
    page.get_by_role("button", name="Zapisz się").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zajrzyj do skrzynki")
    deliver.run_mail(rt)
    page.goto(f"{base}/outbox")
    page.locator("main h2 a").first.click()
    page.goto(page.locator(".plain a[href*='/confirm/']").get_attribute("href") or "")
    page.get_by_role("button", name="Tak, chcę je dostawać").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gotowe")
    page.get_by_role("link", name="Zobacz i zmień to, co dostajesz").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Co dostajesz")
    page.get_by_role("button", name="Zapisz").last.click()
    expect(page.get_by_role("status").first).to_contain_text("Zmiany zapisane")
    context.close()


def _findings(page: Page, url: str) -> list[str]:
    page.goto(url)
    return _check(page)


def _check(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(FINDINGS)
    return found
