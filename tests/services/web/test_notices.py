"""The list with its search and filters, and the page of one notice."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from services.domain.drafts import Draft
from services.pipeline import accept
from services.runtime import Runtime
from tests.factories import draft, publish
from tests.services.web.conftest import OpenDoor, Tell, read, words

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def titles(html: str) -> list[str]:
    return [link.text_content() for link in read(html).xpath('//ul[@class="notices"]//h2/a')]


def test_the_newest_notice_comes_first(site: TestClient, tell: Tell) -> None:
    tell(key="a", title="Starsze", published_at=NOW - timedelta(days=2))
    tell(key="b", title="Nowsze", published_at=NOW - timedelta(days=1))
    assert titles(site.get("/").text) == ["Nowsze", "Starsze"]


def test_words_and_filters_narrow_the_list(site: TestClient, tell: Tell) -> None:
    tell(key="a", title="Bony dla firm", kind="call", topics=("funding",))
    tell(key="b", title="Przetarg na autobusy", kind="tender", topics=("transport-mobility",))
    assert titles(site.get("/?q=autobus").text) == ["Przetarg na autobusy"]
    assert titles(site.get("/?kind=call").text) == ["Bony dla firm"]
    assert titles(site.get("/?topic=funding&kind=tender").text) == []


def test_a_query_that_cannot_be_read_is_told_with_its_place(site: TestClient) -> None:
    answer = site.get("/", params={"q": "wodór (autobusy"})
    page = read(answer.text)
    assert answer.status_code == 422
    assert "from character 7 on" in words(answer.text)
    assert page.xpath('//input[@id="q"]/@aria-describedby') == ["problem"]
    (place,) = page.xpath('//*[@id="problem"]//pre')
    query, pointer = place.text_content().splitlines()
    assert query == "wodór (autobusy"
    assert pointer.index("^") == query.index("(")


def test_a_suggestion_can_be_followed(site: TestClient) -> None:
    page = read(site.get("/", params={"q": "topik:funding"}).text)
    (suggestion,) = page.xpath('//*[@id="problem"]//a/@href')
    assert site.get(suggestion).status_code == 200


def test_a_fault_is_told_in_polish_too(site: TestClient) -> None:
    answer = site.get("/", params={"q": '"wodór'}, headers={"Accept-Language": "pl"})
    assert "ujmij w cudzysłów" in words(answer.text)


def test_older_notices_are_a_link_away_and_none_is_lost(site: TestClient, tell: Tell) -> None:
    for number in range(25):
        tell(key=str(number), title=f"Notice {number:02}", published_at=NOW - timedelta(hours=number))
    first = site.get("/?kind=call").text
    (older,) = read(first).xpath('//a[@rel="next"]/@href')
    assert "kind=call" in older
    second = site.get(older).text
    assert len(titles(first)) == 20
    assert sorted(titles(first) + titles(second)) == [f"Notice {number:02}" for number in range(25)]
    assert "Back to the newest" in words(second)


def test_a_cursor_that_is_not_ours_is_no_crash(site: TestClient) -> None:
    assert site.get("/?after=nonsense").status_code == 422


def test_what_is_shown_is_offered_by_mail_and_as_feeds(site: TestClient, tell: Tell) -> None:
    tell()
    page = read(site.get("/?topic=funding&q=bony").text)
    assert "/subscribe?topic=funding&q=bony" in page.xpath("//aside//a/@href")
    feeds = page.xpath('//link[@rel="alternate"]/@href')
    assert len(feeds) == 4
    assert all("q=topic%3Afunding" in feed for feed in feeds)


def test_text_from_outside_is_shown_and_never_run(site: TestClient, tell: Tell) -> None:
    notice = tell(
        title="<script>alert(1)</script>",
        summary='"><img src=x onerror=alert(1)>',
        body_html="<p onclick='x()'>Treść<script>alert(1)</script></p>",
        url="https://example.org/?a=1&b=2",
    )
    for html in (site.get("/").text, site.get(f"/notices/{notice}").text):
        page = read(html)
        assert page.xpath("//script | //img | //@onerror | //@onclick") == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in site.get("/").text


def test_a_notice_says_where_it_comes_from_and_when(site: TestClient, tell: Tell) -> None:
    notice = tell(
        url="https://urzad.example/nabor",
        deadline_at=NOW + timedelta(days=5),
        published_at=NOW - timedelta(days=1),
        places=("0463011",),
        audience=("company",),
    )
    answer = site.get(f"/notices/{notice}")
    said = words(answer.text)
    for told in ("Urząd Marszałkowski", "5 days left", "22 November 2026", "23 November 2026", "Toruń"):
        assert told in said
    assert read(answer.text).xpath('//a[@href="https://urzad.example/nabor"]')


@pytest.mark.parametrize(
    ("days", "told"), [(1, "został 1 dzień"), (3, "zostały 3 dni"), (12, "zostało 12 dni"), (0, "dziś")]
)
def test_days_left_are_told_in_good_polish(site: TestClient, tell: Tell, days: int, told: str) -> None:
    notice = tell(deadline_at=NOW + timedelta(days=days, hours=1))
    answer = site.get(f"/notices/{notice}", headers={"Accept-Language": "pl"})
    assert told in words(answer.text)


def test_a_changed_notice_is_marked(site: TestClient, tell: Tell) -> None:
    notice = tell(title="Pierwsza wersja")
    tell(title="Druga wersja")
    said = words(site.get(f"/notices/{notice}").text)
    assert "Druga wersja" in said
    assert "The institution has changed this notice" in said


def test_a_withdrawn_notice_is_marked_and_leaves_the_list(
    site: TestClient, rt: Runtime, open_door: OpenDoor
) -> None:
    source = open_door("Urząd")
    (told,) = accept.accept(rt, source, [Draft(key="x", title="Odwołane")])
    accept.withdraw(rt, source, ["x"])
    page = site.get(f"/notices/{told.notice_id}").text
    assert "has withdrawn this notice" in words(page)
    assert read(page).xpath('//meta[@name="robots"]/@content') == ["noindex"]
    assert titles(site.get("/").text) == []


def test_other_tellers_of_the_same_news_are_named(
    site: TestClient, rt: Runtime, tell: Tell, open_door: OpenDoor
) -> None:
    notice = tell(url="https://region.example/nabor")
    other = Draft(key="x", title="Także o naborze", url="https://region.example/nabor")
    accept.accept(rt, open_door("Agencja Rozwoju"), [other])
    page = read(site.get(f"/notices/{notice}").text)
    assert page.xpath('//aside//dd//a[text()="Agencja Rozwoju"]')


def test_a_notice_in_another_language_says_so_to_screen_readers(site: TestClient, tell: Tell) -> None:
    notice = tell(language="pl")
    assert read(site.get(f"/notices/{notice}").text).xpath("//h1/@lang") == ["pl"]


def test_the_two_cities_stand_in_alphabetical_order_and_none_is_chosen(site: TestClient) -> None:
    page = read(site.get("/").text)
    cities = page.xpath('//select[@id="place"]/optgroup[1]/option/text()')
    assert cities == ["Bydgoszcz", "Toruń"]
    assert page.xpath('//select[@id="place"]//option[@selected]') == []


def test_a_need_shows_who_could_help_and_why(site: TestClient, rt: Runtime) -> None:
    publish(
        rt, draft("o", kind="offer", title="Tomografia odlewów", topics=("tools-plastics",)), name="Uczelnia"
    )
    [need] = publish(
        rt, draft("n", kind="need", title="Badanie odlewów", topics=("tools-plastics",)), name="Zakład"
    )
    said = words(site.get(f"/notices/{need.notice_id}").text)
    assert "Who could help Tomografia odlewów" in said
    assert "topic Tools and plastics · words odlewów" in said
    told = site.get(f"/v1/counterparts?notice={need.notice_id}").json()["items"]
    assert [(one["notice"]["key"], one["words"]) for one in told] == [("o", ["odlewów"])]
    assert site.get("/v1/counterparts?notice=99").status_code == 404
