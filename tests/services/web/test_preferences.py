"""One's own page: everything can be changed by its holder, and nothing by looking."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from services.clock import FrozenClock
from services.domain import tokens
from services.errors import NotFound
from services.manage import subscribers
from services.manage.subscribers import SubscriberView
from services.manage.subscriptions import SubscriptionView
from services.runtime import Runtime
from tests.services.web.conftest import Tell, read, words


def reader(rt: Runtime) -> SubscriberView:
    return subscribers.show(rt, "reader@example.com")


def only(rt: Runtime) -> SubscriptionView:
    (one,) = reader(rt).subscriptions
    return one


def form_of(one: SubscriptionView, **changes: str) -> dict[str, str]:
    return {
        "subscription": str(one.id), "label": one.label, "q": one.query, "every": "daily", "hour": "07:00",
        "do": "change", **changes,
    }  # fmt: skip


def test_the_page_shows_interests_and_settings(site: TestClient, own_page: str) -> None:
    said = words(site.get(own_page).text)
    for told in ("reader@example.com", "Fundusze", "topic:funding", "every day, 07:00"):
        assert told in said


def test_an_interest_is_changed(site: TestClient, own_page: str, rt: Runtime) -> None:
    one = only(rt)
    answer = site.post(
        own_page,
        data=form_of(one, label="Wodór", q="wodór", every="weekly", weekday="fri", until="2026-12-01"),
    )
    assert answer.headers["location"] == f"{own_page}?told=changed"
    changed = only(rt)
    assert (changed.label, changed.query, changed.cadence) == ("Wodór", "wodór", "weekly:fri@07:00")
    assert changed.paused_until == datetime(2026, 11, 30, 23, tzinfo=UTC)  # midnight in Warsaw
    assert "Your changes are saved" in words(site.get(answer.headers["location"]).text)


def test_emptying_the_day_ends_a_pause(site: TestClient, own_page: str, rt: Runtime) -> None:
    site.post(own_page, data=form_of(only(rt), until="2026-12-01"))
    site.post(own_page, data=form_of(only(rt), until=""))
    assert only(rt).paused_until is None


def test_saving_again_moves_no_pause_and_a_pause_that_is_over_hinders_nothing(
    site: TestClient, own_page: str, rt: Runtime, clock: FrozenClock
) -> None:
    def shown() -> str:
        field = f"s{only(rt).id}-until"
        return str(read(site.get(own_page).text).xpath(f'string(//input[@id="{field}"]/@value)'))

    site.post(own_page, data=form_of(only(rt), until="2026-12-01"))
    site.post(own_page, data=form_of(only(rt), until=shown()))
    assert only(rt).paused_until == datetime(2026, 11, 30, 23, tzinfo=UTC)
    clock.advance(timedelta(days=30))
    assert shown() == ""
    again = site.post(own_page, data=form_of(only(rt), label="Wodór", until=shown()))
    assert (again.status_code, only(rt).label) == (303, "Wodór")


@pytest.mark.parametrize("query", ["(wodór", "", "topik:x"])
def test_a_wrong_query_is_told_beside_it_and_nothing_changes(
    site: TestClient, own_page: str, rt: Runtime, query: str
) -> None:
    one = only(rt)
    answer = site.post(own_page, data=form_of(one, q=query))
    page = read(answer.text)
    assert answer.status_code == 422
    assert page.xpath(f'//*[@id="s{one.id}"]//*[@class="problem"]')
    assert page.xpath(f'//*[@id="s{one.id}"]//details/@open')
    assert only(rt).query == "topic:funding"


def test_an_interest_is_added_from_choices(site: TestClient, own_page: str, rt: Runtime) -> None:
    added = {"do": "add", "topic": "health", "place": "0461011", "q": "szpital", "every": "instant"}
    assert site.post(own_page, data=added).headers["location"].endswith("told=added")
    new = reader(rt).subscriptions[-1]
    assert (new.query, new.cadence) == ("topic:health place:0461011 (szpital)", "instant")
    assert new.label == "Health, Bydgoszcz, szpital"


def test_adding_the_same_twice_is_told(site: TestClient, own_page: str) -> None:
    answer = site.post(own_page, data={"do": "add", "q": "topic:funding", "every": "daily"})
    assert answer.status_code == 422
    assert "You have this interest already" in words(answer.text)


def test_how_much_an_interest_would_bring_is_shown_first(
    site: TestClient, own_page: str, rt: Runtime, tell: Tell
) -> None:
    tell()
    answer = site.post(own_page, data={"do": "try", "q": "bony"})
    assert "In the last 30 days: 1 notice" in words(answer.text)
    assert len(reader(rt).subscriptions) == 1


def test_an_interest_is_removed(site: TestClient, own_page: str, rt: Runtime) -> None:
    site.post(own_page, data={"do": "remove", "subscription": str(only(rt).id)})
    assert reader(rt).subscriptions == ()
    assert "You have no interests now" in words(site.get(own_page).text)


@pytest.mark.parametrize("number", ["999", "x", "", "9" * 40])
def test_nobody_elses_interest_can_be_touched(site: TestClient, own_page: str, number: str) -> None:
    answer = site.post(own_page, data={"do": "remove", "subscription": number})
    assert answer.status_code == 404


def test_settings_are_kept(site: TestClient, own_page: str, rt: Runtime) -> None:
    wanted = {"do": "settings", "locale": "en", "timezone": "Europe/Lisbon", "commercial": "yes"}
    site.post(own_page, data=wanted)
    person = reader(rt)
    assert (person.locale, person.timezone, person.commercial) == ("en", "Europe/Lisbon", True)
    site.post(own_page, data={"do": "settings", "locale": "en", "timezone": "Europe/Lisbon"})
    assert not reader(rt).commercial


def test_a_setting_that_cannot_be_is_refused_by_a_page(site: TestClient, own_page: str, rt: Runtime) -> None:
    answer = site.post(own_page, data={"do": "settings", "locale": "xx", "timezone": "Nowhere/City"})
    assert answer.status_code == 422
    assert reader(rt).timezone == "Europe/Warsaw"


def test_a_break_begins_and_ends(site: TestClient, own_page: str, rt: Runtime) -> None:
    site.post(own_page, data={"do": "pause", "until": "2026-12-24"})
    assert reader(rt).paused_until is not None
    assert "24 December 2026" in words(site.get(own_page).text)
    site.post(own_page, data={"do": "resume"})
    assert reader(rt).paused_until is None


@pytest.mark.parametrize("day", ["2020-01-01", "tomorrow", "", "9999-99-99", "0001-01-01"])
def test_a_day_that_is_no_day_ahead_is_told(site: TestClient, own_page: str, rt: Runtime, day: str) -> None:
    answer = site.post(own_page, data={"do": "pause", "until": day})
    assert answer.status_code == 422
    assert "Give a day in the future" in words(answer.text)
    assert reader(rt).paused_until is None


def test_leaving_asks_first(site: TestClient, own_page: str, rt: Runtime) -> None:
    assert "Leave?" in words(site.get(f"{own_page}/leave").text)
    assert reader(rt).state == "active"
    assert "You have left" in words(site.post(f"{own_page}/leave", data={"do": "leave"}).text)
    assert reader(rt).state == "left"
    assert "You have left" in words(site.get(own_page).text)


def test_erasing_asks_first_and_ends_the_link(site: TestClient, own_page: str, rt: Runtime) -> None:
    site.get(f"{own_page}/erase")
    assert site.post(f"{own_page}/erase", data={"do": "leave"}).status_code == 422
    assert reader(rt).state == "active"
    assert "Everything is erased" in words(site.post(f"{own_page}/erase", data={"do": "erase"}).text)
    with pytest.raises(NotFound):
        reader(rt)
    assert site.get(own_page).status_code == 404


def test_everything_kept_can_be_taken_along(site: TestClient, own_page: str) -> None:
    answer = site.get(f"{own_page}/export")
    assert "attachment" in answer.headers["content-disposition"]
    assert json.loads(answer.text)["email"] == "reader@example.com"


@pytest.mark.parametrize("do", ["", "nothing", "__class__"])
def test_an_unknown_button_does_nothing(site: TestClient, own_page: str, do: str) -> None:
    assert site.post(own_page, data={"do": do}).status_code == 422


def test_a_token_for_something_else_opens_nothing(site: TestClient, rt: Runtime, own_page: str) -> None:
    leave = tokens.sign(rt.settings.secret_key, "leave", {"s": reader(rt).id})
    assert site.get(f"/manage/{leave}").status_code == 422
    assert site.get(own_page[:-1] + ("A" if own_page[-1] != "A" else "B")).status_code == 422


def test_the_times_of_letters_are_set_and_shown(site: TestClient, own_page: str, rt: Runtime) -> None:
    one = only(rt)
    site.post(own_page, data=form_of(one, every="usual"))
    sent = {"every": "weekly", "weekday": "fri", "hour": "08:00", "quiet_from": "22:00",
            "quiet_until": "07:00", "budget": "5", "do": "times"}  # fmt: skip
    assert site.post(own_page, data=sent).headers["location"].endswith("told=changed")

    person = reader(rt)
    assert (person.quiet_from, person.quiet_until, person.daily_budget) == ("22:00", "07:00", 5)
    assert only(rt).cadence == "weekly:fri@08:00"
    page = site.get(own_page).text
    assert 'value="22:00"' in page
    assert "every week: Friday, 08:00 (as usual)" in words(page)
    site.post(own_page, data={**sent, "quiet_from": "", "quiet_until": "", "budget": ""})
    assert (reader(rt).quiet_from, reader(rt).daily_budget) == (None, None)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("quiet_from", "", "need a beginning and an end"), ("budget", "0", "from 1 to 200"),
     ("budget", "many", "from 1 to 200")],
)  # fmt: skip
def test_times_that_cannot_be_are_told_beside_the_form(
    site: TestClient, own_page: str, rt: Runtime, field: str, value: str, told: str
) -> None:
    sent = {"every": "daily", "quiet_from": "22:00", "quiet_until": "07:00", "budget": "5", "do": "times"}
    answer = site.post(own_page, data={**sent, field: value})
    assert answer.status_code == 422
    assert told in words(answer.text)
    assert reader(rt).daily_budget is None
