"""The link in a letter: looking changes nothing, one button mutes, another takes it back."""

import re
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from services.clock import FrozenClock
from services.domain import links, tokens
from services.manage import mutes, outbox, subscribers
from services.pipeline import match
from services.runtime import Runtime
from tests.factories import carry, draft, only, publish, reader
from tests.services.web.conftest import read, words


@pytest.fixture
def link(rt: Runtime) -> str:
    """The way to “less of this” of the one item in a letter that went out."""
    reader(rt, "anna@mail.example", "dotacja")
    publish(rt, draft("a", title="Dotacje na rowery"))
    carry(rt)
    [letter] = outbox.list_letters(rt)
    [found] = re.findall(r"http://goniec\.example(/less/[\w-]+)", outbox.open_letter(rt, letter.key).text)
    return str(found)


def muted(rt: Runtime) -> list[tuple[str, str]]:
    person = subscribers.show(rt, "anna@mail.example").id
    return [(one.kind, one.label) for one in mutes.list_for(rt, person)]


def test_looking_changes_nothing_and_shows_what_there_could_be_less_of(
    site: TestClient, link: str, rt: Runtime
) -> None:
    said = words(site.get(link).text)
    for told in ("Dotacje na rowery", "Gmina Testowa", "zakres dotacja"):
        assert told in said
    assert muted(rt) == []


@pytest.mark.parametrize(
    ("button", "given", "label"),
    [
        ("institution", {}, "Gmina Testowa"), ("story", {}, "Dotacje na rowery"),
        ("interest", {}, "zakres dotacja"), ("word", {"word": "rower"}, "rower"),
    ],
)  # fmt: skip
def test_one_button_mutes_and_the_next_takes_it_back(
    site: TestClient, link: str, rt: Runtime, button: str, given: dict[str, str], label: str
) -> None:
    answer = site.post(link, data={"do": button, **given})
    assert muted(rt) == [(button, label)]
    page = site.get(answer.headers["location"])
    assert label in words(page.text)
    [number] = read(page.text).xpath('//input[@name="mute"]/@value')
    back = site.post(link, data={"do": "lift", "mute": number})
    assert muted(rt) == []
    assert "Lifted" in words(site.get(back.headers["location"]).text)


def test_a_mute_may_last_for_a_while(site: TestClient, link: str, rt: Runtime) -> None:
    site.post(link, data={"do": "word", "word": "rower", "span": "month"})
    publish(rt, draft("b", title="Dotacje i rowery"))
    match.run(rt)
    assert only(rt, "SELECT reason FROM candidates WHERE reason IS NOT NULL")["reason"] == "muted_word"
    site.post(link, data={"do": "word", "word": "rower", "until": "2026-12-24"})
    assert str(only(rt, "SELECT until FROM mutes")["until"]).startswith("2026-12-23 23:00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "word", "word": ""}, {"do": "word", "word": "(x"},
        {"do": "word", "word": "x", "until": "soon"}, {"do": "story", "until": "2020-01-01"},
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_form(
    site: TestClient, link: str, rt: Runtime, wrong: dict[str, str]
) -> None:
    answer = site.post(link, data=wrong)
    assert answer.status_code == 422
    assert read(answer.text).xpath('//*[@id="less-problem"]')
    assert muted(rt) == []


def test_a_false_link_and_another_site_open_nothing(site: TestClient, link: str, rt: Runtime) -> None:
    assert site.get(link[:-2]).status_code == 422
    other = {"Sec-Fetch-Site": "cross-site"}
    assert site.post(link, data={"do": "story"}, headers=other).status_code == 403
    assert muted(rt) == []


def test_enter_in_the_field_of_the_word_mutes_the_word(site: TestClient, link: str) -> None:
    [form] = read(site.get(link).text).xpath('//form[.//input[@name="word"]]')
    assert form.xpath("(.//button)[1]/@value") == ["word"], "the first button is what Enter presses"


def test_a_button_pressed_twice_mutes_once_and_lifts_once(site: TestClient, link: str, rt: Runtime) -> None:
    for _ in range(2):
        site.post(link, data={"do": "word", "word": "rower"})
    assert muted(rt) == [("word", "rower")]
    number = only(rt, "SELECT id FROM mutes")["id"]
    for _ in range(2):
        assert (
            site.post(link, data={"do": "lift", "mute": number}).headers["location"] == f"{link}?done=lifted"
        )
    assert muted(rt) == []


def test_a_link_acts_for_its_own_reader_alone(site: TestClient, link: str, rt: Runtime) -> None:
    jan = reader(rt, "jan@mail.example", "dotacja")
    secret, anna = rt.settings.secret_key, subscribers.show(rt, "anna@mail.example").id
    notice = only(rt, "SELECT id FROM notices")["id"]
    other = links.less_url("", secret, jan.id, subscription_id=1, notice_id=notice)
    site.post(link, data={"do": "word", "word": "rower"})
    site.post(other, data={"do": "lift", "mute": only(rt, "SELECT id FROM mutes")["id"]})
    assert muted(rt) == [("word", "rower")]
    assert "zakres dotacja" not in words(site.get(other).text), "nor is the interest of another named"
    assert site.post(other, data={"do": "interest"}).status_code == 404
    assert mutes.list_for(rt, jan.id) == []
    for purpose in (links.MANAGE, links.STAY, links.LEAVE):
        forged = tokens.sign(secret, purpose, {"s": anna, "p": 1, "n": notice})
        assert site.post(f"/less/{forged}", data={"do": "story"}).status_code == 422
    over = tokens.sign(secret, links.LESS, {"s": anna, "p": 1, "n": notice}, rt.clock.now())
    assert site.post(f"/less/{over}", data={"do": "story"}).status_code == 422
    site.get(f"{link}?do=story&word=x")
    site.head(link)
    assert muted(rt) == [("word", "rower")]


def test_a_snooze_ends_when_its_day_begins_where_the_reader_is(
    site: TestClient, link: str, rt: Runtime, clock: FrozenClock
) -> None:
    anna = subscribers.show(rt, "anna@mail.example")
    subscribers.set_timezone(rt, anna.id, "America/New_York")
    told = site.post(link, data={"do": "word", "word": "rower", "until": "2026-12-01"})
    assert "Tuesday, 1 December 2026" in words(site.get(told.headers["location"]).text)

    def outcome_at(key: str, at: datetime) -> str:
        clock.advance(at - clock.now())
        publish(rt, draft(key, title=f"Dotacje na rowery {key}"))
        match.run(rt)
        return str(
            only(rt, "SELECT coalesce(reason, state) AS o FROM candidates ORDER BY id DESC LIMIT 1")["o"]
        )

    assert outcome_at("b", datetime(2026, 12, 1, 4, 59, 59, tzinfo=UTC)) == "muted_word"
    assert outcome_at("c", datetime(2026, 12, 1, 5, 0, tzinfo=UTC)) == "pending"


def test_own_page_lists_mutes_lifts_them_and_takes_a_word(site: TestClient, own_page: str) -> None:
    answer = site.post(own_page, data={"do": "mute", "word": "hulajnoga"})
    page = site.get(answer.headers["location"])
    assert "Word: hulajnoga" in words(page.text)
    [number] = read(page.text).xpath('//*[@id="muted"]//input[@name="mute"]/@value')
    site.post(own_page, data={"do": "lift", "mute": number})
    assert "hulajnoga" not in words(site.get(own_page).text)
    refused = site.post(own_page, data={"do": "mute", "word": "(("})
    assert refused.status_code == 422
    assert read(refused.text).xpath('//*[@id="mute-problem"]')
