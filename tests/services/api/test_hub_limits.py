"""The hub calls nobody who did not ask, is no amplifier, and says what it cannot do."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.api.limits import Limits
from services.clock import FrozenClock
from services.manage import hub as manage
from services.pipeline import hub
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import only, publish, rows
from tests.services.api.conftest import FREE, MakeClient
from tests.services.api.following import BASE, CALLS, agrees, ask, pushed, tell, verified


@pytest.mark.parametrize(
    "answer",
    [Answer(status=404), Answer(status=500), Answer(status=302), Answer(body=b"something else"), Answer(),
     Answer(drop="silent")],
)  # fmt: skip
def test_who_does_not_repeat_the_challenge_did_not_mean_it(
    rt: Runtime, anyone: TestClient, follower: WebDouble, answer: Answer
) -> None:
    follower.answer("/cb", answer)
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    assert manage.followers(rt) == []
    assert rows(rt, "SELECT id FROM hub_topics") == []
    assert only(rt, "SELECT state, secret FROM hub_intents") == {"state": "refused", "secret": None}


def test_a_callback_that_cannot_be_reached_is_asked_a_few_times(
    rt: Runtime, anyone: TestClient, clock: FrozenClock
) -> None:
    ask(anyone, "http://127.0.0.1:9/cb")
    states = []
    for _ in range(3):
        hub.run(rt)
        states.append(only(rt, "SELECT state FROM hub_intents")["state"])
        clock.advance(timedelta(minutes=10))
    assert states == ["pending", "pending", "refused"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"hub.mode": "publish"}, "hub.mode"),
        ({"hub.topic": "http://elsewhere.example/feed"}, "hub.topic"),
        ({"hub.topic": f"{BASE}/feeds/private/x.atom"}, "hub.topic"),
        ({"hub.topic": ""}, "hub.topic"),
        ({"hub.callback": ""}, "hub.callback"),
        ({"hub.callback": "http://x.example/\r\nHost: y"}, "hub.callback"),
        ({"hub.lease_seconds": "soon"}, "hub.lease_seconds"),
        ({"hub.lease_seconds": "0"}, "hub.lease_seconds"),
        ({"hub.secret": "s" * 201}, "hub.secret"),
    ],
)
def test_what_cannot_be_done_is_refused(anyone: TestClient, wrong: dict[str, str], field: str) -> None:
    given = {"hub.mode": "subscribe", "hub.topic": CALLS, "hub.callback": "http://127.0.0.1:9/cb", **wrong}
    answer = anyone.post("/hub", data=given)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("callback", ["http://10.0.0.1/", "http://169.254.169.254/latest", "ftp://x.example/",
                                      "http://[::ffff:10.0.0.1]/", "javascript:alert(1)"])  # fmt: skip
def test_a_callback_that_must_not_be_dialled_is_refused(anyone: TestClient, callback: str) -> None:
    given = {"hub.mode": "subscribe", "hub.topic": CALLS, "hub.callback": callback}
    answer = anyone.post("/hub", data=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "address-refused")


def test_a_name_that_leads_elsewhere_later_is_not_dialled(
    open_runtime: OpenRuntime, follower: WebDouble
) -> None:
    rt = open_runtime(resolve={"cb.example": ["127.0.0.1"]})
    manage.ask(rt, {"hub.mode": "subscribe", "hub.topic": CALLS,
                    "hub.callback": follower.url("/cb", host="cb.example")})  # fmt: skip
    rebound = open_runtime(resolve={"cb.example": ["10.0.0.1"]})
    hub.run(rebound)
    assert follower.received == []
    assert only(rt, "SELECT state FROM hub_intents")["state"] == "refused"


def test_a_broken_query_is_no_topic(anyone: TestClient) -> None:
    topic = f"{BASE}/feeds/notices.rss?q=%28"
    given = {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": "http://127.0.0.1:9/cb"}
    answer = anyone.post("/hub", data=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-query")


def test_another_content_type_is_no_form(anyone: TestClient) -> None:
    assert anyone.post("/hub", json={"hub.mode": "subscribe"}).status_code == 415


def test_a_name_is_not_looked_up_while_its_asker_waits(rt: Runtime, anyone: TestClient) -> None:
    assert ask(anyone, "http://callback.invalid/") == 202
    hub.run(rt)
    assert only(rt, "SELECT detail FROM hub_intents")["detail"].startswith("dns")


def test_asking_many_times_calls_a_host_once(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    for _ in range(20):
        assert ask(anyone, follower.url("/cb")) == 202
    hub.run(rt)
    assert len(follower.received) == 1


def test_a_host_is_not_flooded_with_questions(anyone: TestClient, follower: WebDouble) -> None:
    statuses = [ask(anyone, follower.url(f"/cb{n}")) for n in range(manage.MAX_ASKED + 5)]
    assert statuses == [202] * manage.MAX_ASKED + [429] * 5


def test_followers_are_told_though_somebody_asks_on_and_on(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/follower"))
    hub.run(rt)

    def again(_: Received) -> Answer:
        clock.advance(1.0)
        ask(anyone, follower.url(f"/cb{len(follower.received)}"))
        return Answer(status=404)

    follower.answer("*", again)
    follower.answer("/follower", agrees)
    ask(anyone, follower.url("/cb"))
    tell(rt, "new")
    assert len(pushed(follower)) == 1
    assert len(verified(follower)) < manage.MAX_ASKED / 2
    assert only(rt, "SELECT count(*) AS n FROM hub_intents WHERE state = 'pending'")["n"] >= 1


def test_a_caller_may_not_ask_without_end(make_client: MakeClient, follower: WebDouble) -> None:
    client = make_client(limits=Limits(anonymous=10**6, hub=3))
    assert [ask(client, follower.url("/cb")) for _ in range(4)] == [202, 202, 202, 429]
    assert FREE.hub > 3


def test_what_was_asked_last_is_what_holds(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    ask(anyone, follower.url("/cb"))
    ask(anyone, follower.url("/cb"), mode="unsubscribe")
    hub.run(rt)
    assert [one["hub.mode"] for one in verified(follower)] == ["unsubscribe"]
    assert manage.followers(rt) == []


def test_a_dismissed_follower_is_told_that_it_is_over(
    rt: Runtime, anyone: TestClient, follower: WebDouble
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    (one,) = manage.followers(rt)
    manage.dismiss(rt, one.id, reason="too many calls failed")
    hub.run(rt)
    told = verified(follower)[-1]
    assert told == {"hub.mode": "denied", "hub.topic": CALLS, "hub.reason": "too many calls failed"}
    assert manage.followers(rt) == []


def test_a_feed_names_its_hub_and_itself(anyone: TestClient, rt: Runtime) -> None:
    publish(rt)
    canonical = urlencode({"q": "kind:call place:0463011"})
    for form in ("rss", "atom", "json", "ics"):
        answer = anyone.get(f"/feeds/notices.{form}", params={"q": "place:Toruń  kind:call"})
        assert (
            answer.headers["link"]
            == f'<{BASE}/hub>; rel="hub", <{BASE}/feeds/notices.{form}?{canonical}>; rel="self"'
        )
        if form != "ics":
            assert f"{BASE}/hub" in answer.text.replace("\\/", "/")


def test_an_operator_may_have_no_hub(open_runtime: OpenRuntime) -> None:
    with TestClient(make_app(open_runtime(websub=False), limits=FREE)) as client:
        assert ask(client, "http://127.0.0.1:9/cb") == 404
        answer = client.get("/feeds/notices.atom")
        assert "link" not in answer.headers
        assert "/hub" not in answer.text
