"""What a person does over the API: looks at a query, signs up, keeps their subscriptions, leaves."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from services.clock import FrozenClock
from services.domain import links, tokens
from services.manage import subscribers
from services.manage.subscriptions import Wish
from services.runtime import Runtime
from tests.services.api.conftest import MakeClient, Push

SIGN_UP = {"email": "new@example.com", "interests": [{"query": "topic:funding", "cadence": "instant"}]}


def test_a_query_is_told_as_understood_with_what_it_would_have_sent(push: Push, anyone: TestClient) -> None:
    push(key="a", title="Nabór na bony", topics=["funding"])
    push(key="b", title="Koncert", topics=["social"])
    told = anyone.get("/v1/interests/check", params={"q": "topic:fundusze"}).json()
    assert told["canonical"] == "topic:funding"
    assert (told["count"], told["days"]) == (1, 30)
    assert [one["key"] for one in told["samples"]] == ["a"]


def test_a_query_that_cannot_be_read_is_told_with_its_place(anyone: TestClient) -> None:
    answer = anyone.get("/v1/interests/check", params={"q": "topic:funding OR"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-query")
    assert answer.json()["column"] >= 1


def test_signing_up_says_the_same_whatever_the_address(anyone: TestClient, subscriber_token: str) -> None:
    assert subscriber_token
    known = anyone.post("/v1/subscribers", json={**SIGN_UP, "email": "reader@example.com"})
    new = anyone.post("/v1/subscribers", json=SIGN_UP)
    assert known.status_code == new.status_code == 202
    assert known.content == new.content


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a@b\r\nBcc: c@d.example"},
        {"interests": []},
        {"interests": [{"query": "("}]},
        {"interests": [{"query": "x", "cadence": "sometimes"}]},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"locale": "de"},
    ],
)
def test_a_sign_up_that_cannot_be_read_is_refused(anyone: TestClient, wrong: dict[str, object]) -> None:
    assert anyone.post("/v1/subscribers", json={**SIGN_UP, **wrong}).status_code == 422


def test_a_person_keeps_their_subscriptions(subscriber: TestClient, clock: FrozenClock) -> None:
    (first,) = subscriber.get("/v1/subscriptions").json()["items"]
    assert (first["label"], first["cadence"]) == ("Fundusze", "daily@07:00")
    path = f"/v1/subscriptions/{first['id']}"
    assert subscriber.get(path).json() == first

    made = subscriber.post("/v1/subscriptions", json={"query": "grant*", "cadence": "weekly:thu,mon@7:00"})
    assert (made.status_code, made.json()["cadence"]) == (201, "weekly:mon,thu@07:00")
    assert subscriber.post("/v1/subscriptions", json={"query": "grant*"}).status_code == 409

    until = (clock.now() + timedelta(days=7)).isoformat()
    changed = subscriber.patch(path, json={"label": "Pieniądze", "paused_until": until}).json()
    assert changed["label"] == "Pieniądze"
    assert changed["paused_until"] == "2026-11-30T12:00:00Z"
    assert subscriber.patch(path, json={"label": "Fundusze"}).json()["paused_until"]
    assert subscriber.patch(path, json={"paused_until": None}).json()["paused_until"] is None
    assert (
        subscriber.patch(path, json={"paused_until": "2020-01-01T00:00:00Z"}).json()["paused_until"] is None
    )

    assert subscriber.delete(path).status_code == 204
    assert subscriber.get(path).status_code == 404


def test_a_stranger_reaches_no_subscription(
    rt: Runtime, subscriber: TestClient, make_client: MakeClient
) -> None:
    (own,) = subscriber.get("/v1/subscriptions").json()["items"]
    other = subscribers.add_confirmed(rt, email="other@example.com", interests=[Wish("topic:health")])
    client = make_client(key=links.manage_token(rt.settings.secret_key, other.id))
    assert client.get(f"/v1/subscriptions/{own['id']}").status_code == 404
    assert client.patch(f"/v1/subscriptions/{own['id']}", json={"label": "mine"}).status_code == 404
    assert client.delete(f"/v1/subscriptions/{own['id']}").status_code == 404


def test_only_the_token_of_the_own_page_opens_subscriptions(
    rt: Runtime, make_client: MakeClient, consumer_key: str
) -> None:
    leave = tokens.sign(rt.settings.secret_key, "leave", {"s": 1})
    unknown = links.manage_token(rt.settings.secret_key, 2**62)
    for token in (leave, unknown, consumer_key, "x"):
        assert make_client(key=token).get("/v1/subscriptions").status_code == 401


def test_who_has_left_changes_nothing(rt: Runtime, subscriber: TestClient) -> None:
    subscribers.leave(rt, subscribers.show(rt, "reader@example.com").id)
    answer = subscriber.post("/v1/subscriptions", json={"query": "grant"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def leave_path(rt: Runtime, **named: int | str) -> str:
    person = subscribers.show(rt, "reader@example.com")
    return f"/u/{tokens.sign(rt.settings.secret_key, 'leave', {'s': person.id, **named})}"


def test_looking_at_an_unsubscribe_link_changes_nothing(rt: Runtime, subscriber: TestClient) -> None:
    page = subscriber.get(leave_path(rt))
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert len(subscriber.get("/v1/subscriptions").json()["items"]) == 1


@pytest.mark.parametrize("way", ["form", "multipart", "nothing"])
def test_one_click_ends_it_without_session_or_redirect(
    rt: Runtime, anyone: TestClient, subscriber_token: str, way: str
) -> None:
    assert subscriber_token
    path = leave_path(rt)
    sent = {
        "form": {"data": {"List-Unsubscribe": "One-Click"}},
        "multipart": {"files": {"List-Unsubscribe": (None, "One-Click")}},
        "nothing": {},
    }[way]
    for _ in range(2):
        answer = anyone.post(path, follow_redirects=False, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 200
    assert subscribers.show(rt, "reader@example.com").subscriptions == ()


def test_one_click_ends_only_what_the_link_names(rt: Runtime, subscriber: TestClient) -> None:
    subscriber.post("/v1/subscriptions", json={"query": "grant*", "cadence": "instant"})
    kept, gone = subscriber.get("/v1/subscriptions").json()["items"]
    assert subscriber.post(leave_path(rt, p=gone["id"])).status_code == 200
    assert [one["id"] for one in subscriber.get("/v1/subscriptions").json()["items"]] == [kept["id"]]


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "ż", "a" * 3_000])
def test_a_wrong_unsubscribe_link_is_a_page(anyone: TestClient, token: str) -> None:
    for answer in (anyone.get(f"/u/{token}"), anyone.post(f"/u/{token}")):
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


def test_a_person_sets_when_their_letters_come(subscriber: TestClient, clock: FrozenClock) -> None:
    path = "/v1/subscribers/me"
    before = subscriber.get(path).json()
    assert before == {
        "email": "reader@example.com", "cadence": "daily@07:00", "quiet_hours": None, "daily_budget": None,
        "paused_until": None, "locale": "pl", "timezone": "Europe/Warsaw",
    }  # fmt: skip
    until = (clock.now() + timedelta(days=7)).isoformat()
    given = {
        "cadence": "weekly:fri@16:00", "quiet_hours": "22:00-07:30", "daily_budget": 5,
        "paused_until": until, "timezone": "Europe/London", "locale": "en",
    }  # fmt: skip
    told = subscriber.patch(path, json=given).json()
    assert told == {**before, **given, "paused_until": "2026-11-30T12:00:00Z"} == subscriber.get(path).json()
    freed = {"quiet_hours": None, "daily_budget": None, "paused_until": None}
    assert subscriber.patch(path, json=freed).json() == {**told, **freed}
    assert subscriber.patch(path, json={}).json() == {**told, **freed}


def test_the_usual_cadence_takes_along_the_interests_that_follow_it(subscriber: TestClient) -> None:
    made = subscriber.post("/v1/subscriptions", json={"query": "grant*", "cadence": "usual"}).json()
    assert made["follows_usual"]
    subscriber.patch("/v1/subscribers/me", json={"cadence": "monthly:1@09:00"})
    assert {one["label"]: one["cadence"] for one in subscriber.get("/v1/subscriptions").json()["items"]} == {
        "Fundusze": "daily@07:00", "grant*": "monthly:1@09:00"
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"cadence": "often"}, {"cadence": "usual"}, {"cadence": None}, {"quiet_hours": "22:00"},
        {"quiet_hours": "25:00-07:00"}, {"quiet_hours": "07:00-07:00"}, {"daily_budget": 0},
        {"daily_budget": "many"}, {"timezone": "Mars/Olympus"}, {"locale": "de"}, {"commercial": True},
        {"daily_budget": 5, "quiet_hours": "-"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read_change_nothing(
    subscriber: TestClient, wrong: dict[str, object]
) -> None:
    before = subscriber.get("/v1/subscribers/me").json()
    assert subscriber.patch("/v1/subscribers/me", json=wrong).status_code == 422
    assert subscriber.get("/v1/subscribers/me").json() == before


def test_settings_are_nobody_elses(anyone: TestClient, consumer: TestClient) -> None:
    for caller in (anyone, consumer):
        assert caller.get("/v1/subscribers/me").status_code == 401
        assert caller.patch("/v1/subscribers/me", json={"daily_budget": 5}).status_code == 401
