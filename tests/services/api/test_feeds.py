"""Every query is a feed and a calendar; a person's interests are one of their own."""

import feedparser  # type: ignore[import-untyped]
import icalendar
import pytest
from starlette.testclient import TestClient

from services.manage import private_feed, subscribers
from services.manage.subscriptions import Wish
from services.runtime import Runtime
from tests.services.api.conftest import Push

TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "ics": "text/calendar",
}


@pytest.mark.parametrize("form", list(TYPES))
def test_a_query_is_a_feed(push: Push, anyone: TestClient, form: str) -> None:
    push(key="a", title="Nabór na bony", topics=["funding"], deadline_at="2027-01-15T12:00:00Z")
    push(key="b", title="Koncert", topics=["social"], deadline_at="2027-01-15T12:00:00Z")
    answer = anyone.get(f"/feeds/notices.{form}", params={"q": "topic:funding"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == TYPES[form]
    assert "Nabór na bony" in answer.text
    assert "Koncert" not in answer.text


@pytest.mark.parametrize("form", list(TYPES))
def test_a_feed_that_did_not_change_is_not_sent_again(push: Push, anyone: TestClient, form: str) -> None:
    push(key="a")
    first = anyone.get(f"/feeds/notices.{form}")
    headers = {"If-None-Match": first.headers["etag"]}
    same = anyone.get(f"/feeds/notices.{form}", headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    push(key="b", title="Drugi", deadline_at="2027-01-15T12:00:00Z")
    assert anyone.get(f"/feeds/notices.{form}", headers=headers).status_code == 200


def test_a_broken_query_is_no_feed(anyone: TestClient) -> None:
    answer = anyone.get("/feeds/notices.rss", params={"q": "("})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-query")


def test_feed_and_calendar_can_be_read(push: Push, anyone: TestClient) -> None:
    push(key="a", title="Spotkanie & obrady", kind="meeting", starts_at="2026-12-01T09:00:00Z")
    found = feedparser.parse(anyone.get("/feeds/notices.atom").content)
    assert not found.bozo
    assert found.entries[0].title == "Spotkanie & obrady"
    (event,) = icalendar.Calendar.from_ical(anyone.get("/feeds/notices.ics").content).walk("VEVENT")
    assert str(event["summary"]) == "Spotkanie & obrady"


def test_a_person_has_a_feed_of_their_own(rt: Runtime, push: Push, anyone: TestClient) -> None:
    person = subscribers.add_confirmed(
        rt, email="reader@example.com", interests=[Wish("topic:funding"), Wish("koncert")]
    )
    push(key="a", title="Nabór na bony", topics=["funding"])
    push(key="b", title="Koncert w parku", topics=["funding"])
    push(key="c", title="Remont drogi", topics=["transport-mobility"])
    push(key="d", title="Kredyt na bony", topics=["funding"], commercial=True)
    path = f"/feeds/private/{private_feed.token_for(rt, person.id)}.atom"
    answer = anyone.get(path)
    titles = {one.title for one in feedparser.parse(answer.content).entries}
    assert titles == {"Nabór na bony", "Koncert w parku"}
    assert "private" in answer.headers["cache-control"]
    assert anyone.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    subscribers.leave(rt, person.id)
    assert anyone.get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "%00", "AAAA"])
def test_a_guessed_private_feed_is_not_there(anyone: TestClient, token: str) -> None:
    assert anyone.get(f"/feeds/private/{token}.atom").status_code == 404
