"""Signing up: what one would get is shown before, and what is answered tells nothing of the address."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from services.manage import outbox, subscribers
from services.manage.subscriptions import Wish
from services.pipeline import deliver
from services.runtime import Runtime
from tests.services.web.conftest import Tell, read, words

WISH = {"topic": "funding", "email": "anna@example.com", "every": "daily", "hour": "07:00", "do": "subscribe"}


def letters(rt: Runtime) -> int:
    with rt.begin() as session:
        return int(session.execute(text("SELECT count(*) FROM issues WHERE kind = 'confirm'")).scalar_one())


def test_the_way_from_the_form_to_a_confirmed_reader(site: TestClient, rt: Runtime) -> None:
    sent = site.post("/subscribe", data={**WISH, "place": ["0461011", "0463011"]})
    assert (sent.status_code, sent.headers["location"]) == (303, "/subscribe/sent")
    deliver.run_mail(rt)
    (letter,) = outbox.list_letters(rt)
    plain = outbox.open_letter(rt, letter.key).text
    link = next(word for word in plain.split() if "/confirm/" in word)
    asked = site.get(link)
    assert "Funding, Bydgoszcz, Toruń" in words(asked.text)
    assert subscribers.show(rt, "anna@example.com").state == "pending"
    done = site.post(link)
    assert "Your address is confirmed" in words(done.text)
    person = subscribers.show(rt, "anna@example.com")
    assert person.state == "active"
    assert person.locale == "en"
    assert not person.commercial
    assert [one.cadence for one in person.subscriptions] == ["daily@07:00"]
    (manage,) = read(done.text).xpath('//main//a[contains(@href, "/manage/")]/@href')
    assert "Funding, Bydgoszcz, Toruń" in words(site.get(manage).text)


def test_the_answer_is_the_same_for_a_known_address(site: TestClient, rt: Runtime) -> None:
    subscribers.add_confirmed(rt, email="anna@example.com", interests=[Wish("wodór")])
    known = site.post("/subscribe", data=WISH)
    unknown = site.post("/subscribe", data={**WISH, "email": "nobody@example.com"})
    assert (known.status_code, known.headers["location"], known.text) == (
        unknown.status_code,
        unknown.headers["location"],
        unknown.text,
    )


def test_a_machine_that_fills_in_everything_sends_no_letter(site: TestClient, rt: Runtime) -> None:
    answer = site.post("/subscribe", data={**WISH, "website": "https://spam.example"})
    assert answer.headers["location"] == "/subscribe/sent"
    assert letters(rt) == 0


def test_commercial_consent_is_separate_and_not_ticked(site: TestClient) -> None:
    page = read(site.get("/subscribe").text)
    assert page.xpath('//input[@name="commercial"][@type="checkbox"][not(@checked)]')


@pytest.mark.parametrize("address", ["", "anna", "anna@", "a b@example.com", "anna@example.com\nBcc: x@y.pl"])
def test_a_wrong_address_is_told_and_what_was_chosen_stays(
    site: TestClient, rt: Runtime, address: str
) -> None:
    answer = site.post("/subscribe", data={**WISH, "email": address, "words": "wodór"})
    page = read(answer.text)
    assert answer.status_code == 422
    assert "Give an e-mail address" in words(answer.text)
    assert page.xpath('//input[@value="funding"]/@checked')
    assert page.xpath('//input[@name="words"]/@value') == ["wodór"]
    assert letters(rt) == 0


def test_choosing_nothing_is_told(site: TestClient) -> None:
    answer = site.post("/subscribe", data={"email": "anna@example.com", "do": "subscribe"})
    assert answer.status_code == 422
    assert "Choose at least one" in words(answer.text)


def test_a_query_that_cannot_be_read_is_shown_in_its_place(site: TestClient, rt: Runtime) -> None:
    answer = site.post("/subscribe", data={**WISH, "q": "(wodór"})
    assert answer.status_code == 422
    assert "from character 1 on" in words(answer.text)
    assert read(answer.text).xpath('//textarea[@id="query"]/@aria-invalid') == ["true"]
    assert letters(rt) == 0


def test_how_much_would_come_is_shown_without_javascript(site: TestClient, tell: Tell) -> None:
    for number in range(5):
        tell(key=str(number), title=f"Nabór {number}")
    answer = site.post("/subscribe", data={"topic": "funding", "email": "anna@example.com", "do": "show"})
    page = read(answer.text)
    assert "In the last 30 days: 5 notices" in words(answer.text)
    assert len(page.xpath('//ul[@class="samples"]/li')) == 5
    assert page.xpath('//input[@name="email"]/@value') == ["anna@example.com"]


def test_the_piece_that_follows_ones_typing_says_the_same(site: TestClient, tell: Tell) -> None:
    tell()
    answer = site.get("/subscribe/preview?topic=funding")
    assert "<html" not in answer.text
    assert "In the last 30 days: 1 notice" in words(answer.text)
    assert "Nothing yet" in words(site.get("/subscribe/preview?topic=health").text)
    assert "Choose something" in words(site.get("/subscribe/preview").text)
    assert "Parentheses must come in pairs" in words(site.get("/subscribe/preview?q=(a").text)


def test_a_query_may_only_exclude_where_something_else_is_chosen(site: TestClient, tell: Tell) -> None:
    tell()
    tell(key="b", title="Przetarg na bony", kind="tender")
    narrowed = site.get("/subscribe/preview?topic=funding&q=-kind:tender")
    assert "In the last 30 days: 1 notice" in words(narrowed.text)
    assert "Say what you want" in words(site.get("/subscribe/preview?q=-kind:tender").text)
    assert site.post("/subscribe", data={**WISH, "q": "-kind:tender"}).status_code == 303
    assert site.post("/subscribe", data={**WISH, "topic": "", "q": "-kind:tender"}).status_code == 422


def test_an_address_may_bring_choices_along(site: TestClient) -> None:
    page = read(site.get("/subscribe?topic=funding&q=bony").text)
    assert page.xpath('//input[@value="funding"]/@checked')
    assert page.xpath('//textarea[@name="q"]')[0].text == "bony"


def test_looking_at_a_confirmation_changes_nothing(site: TestClient, rt: Runtime) -> None:
    site.post("/subscribe", data=WISH)
    deliver.run_mail(rt)
    plain = outbox.open_letter(rt, outbox.list_letters(rt)[0].key).text
    link = next(word for word in plain.split() if "/confirm/" in word)
    for _ in range(3):
        site.get(link)
    assert subscribers.show(rt, "anna@example.com").state == "pending"
