"""Our hub does what the list of websub.rocks asks of one (100 to 105), and loses nothing on the way."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from services.clock import FrozenClock
from services.domain import websub
from services.manage import housekeeping
from services.manage import hub as manage
from services.pipeline import hub, match
from services.pipeline.leases import LEASE
from services.runtime import Runtime
from services.storage import work
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import draft, only, publish, rows, withdraw
from tests.services.api.following import BASE, CALLS, SECRET, agrees, ask, pushed, tell, verified


def test_100_a_subscription_is_verified_and_told(
    rt: Runtime, anyone: TestClient, follower: WebDouble
) -> None:
    assert ask(anyone, follower.url("/cb"), secret=SECRET) == 202
    assert follower.received == []  # never while the asker waits
    hub.run(rt)
    (question,) = verified(follower)
    assert (question["hub.mode"], question["hub.topic"]) == ("subscribe", CALLS)
    assert int(question["hub.lease_seconds"]) == websub.USUAL_LEASE_S
    assert len(question["hub.challenge"]) > 30

    tell(rt, "a", title="Nabór na bony")
    (call,) = pushed(follower)
    assert call.headers["content-type"].startswith("application/atom+xml")
    assert call.headers["link"] == f'<{BASE}/hub>; rel="hub", <{CALLS}>; rel="self"'
    assert "Nabór na bony" in call.body.decode()
    right = hmac.new(SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hub-signature"] == f"sha256={right}"


def test_101_further_parameters_are_ignored(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    assert ask(anyone, follower.url("/cb"), foo="bar", verify="sync") == 202
    hub.run(rt)
    tell(rt, "a")
    assert len(pushed(follower)) == 1
    assert "x-hub-signature" not in pushed(follower)[0].headers  # nobody gave a secret


def test_102_asking_again_renews_with_the_new_secret(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"), lease_seconds="7200", secret="old")
    hub.run(rt)
    clock.advance(timedelta(hours=1))
    ask(anyone, follower.url("/cb"), lease_seconds="7200", secret="new")
    hub.run(rt)
    (one,) = manage.followers(rt)
    assert one.follows_until == clock.now() + timedelta(hours=2)
    tell(rt, "a")
    (call,) = pushed(follower)
    assert websub.is_signed("new", call.body, call.headers["x-hub-signature"])


def test_102_a_renewal_that_is_not_meant_changes_nothing(
    rt: Runtime, anyone: TestClient, follower: WebDouble
) -> None:
    ask(anyone, follower.url("/cb"), secret="theirs")
    hub.run(rt)
    follower.answer("/cb", Answer(status=404))
    ask(anyone, follower.url("/cb"), secret="of somebody else")
    hub.run(rt)
    follower.answer("/cb", agrees)
    tell(rt, "a")
    (call,) = pushed(follower)
    assert websub.is_signed("theirs", call.body, call.headers["x-hub-signature"])


def test_103_who_leaves_hears_nothing_more(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    assert ask(anyone, follower.url("/cb"), mode="unsubscribe") == 202
    hub.run(rt)
    assert [one["hub.mode"] for one in verified(follower)] == ["subscribe", "unsubscribe"]
    assert "hub.lease_seconds" not in verified(follower)[1]
    tell(rt, "a")
    assert pushed(follower) == []


def test_103_nobody_else_can_end_a_subscription(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    follower.answer("/cb", Answer(status=404))
    ask(anyone, follower.url("/cb"), mode="unsubscribe")
    hub.run(rt)
    follower.answer("/cb", agrees)
    tell(rt, "a")
    assert len(pushed(follower)) == 1


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("ics", "text/calendar; charset=utf-8"), ("json", "application/feed+json"),
     ("rss", "application/rss+xml; charset=utf-8")],
)  # fmt: skip
def test_104_and_105_a_topic_is_sent_as_what_it_is(
    rt: Runtime, anyone: TestClient, follower: WebDouble, form: str, media_type: str
) -> None:
    topic = f"{BASE}/feeds/notices.{form}"
    ask(anyone, follower.url("/cb"), topic=topic)
    hub.run(rt)
    tell(rt, "a", deadline_at=rt.clock.now() + timedelta(days=9))
    (call,) = pushed(follower)
    served = anyone.get(f"/feeds/notices.{form}")
    assert call.headers["content-type"] == media_type == served.headers["content-type"]
    assert call.body == served.content
    assert call.headers["link"] == served.headers["link"]


def test_equal_queries_are_one_topic(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    for number, query in enumerate(("kind:call place:Toruń", "place:torun  kind:call")):
        topic = f"{BASE}/feeds/notices.atom?{urlencode({'q': query})}"
        ask(anyone, follower.url(f"/cb{number}"), topic=topic)
    hub.run(rt)
    assert only(rt, "SELECT query FROM hub_topics")["query"] == "kind:call place:0463011"
    tell(rt, "a", places=("0463011",))
    first, second = pushed(follower)
    assert first.body == second.body
    assert "kind%3Acall+place%3A0463011" in first.headers["link"]


def test_only_what_a_topic_asks_for_changes_it(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    tell(rt, "a", kind="news")
    assert pushed(follower) == []
    tell(rt, "b", kind="call")
    assert len(pushed(follower)) == 1


def test_what_is_withdrawn_or_no_longer_meets_the_query_changes_the_topic(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    tell(rt, "a", "b")
    clock.advance(timedelta(minutes=1))
    withdraw(rt, "a")
    match.run(rt)
    hub.run(rt)
    clock.advance(timedelta(minutes=1))
    tell(rt, "b", kind="news")
    assert [call.body.count(b"<entry") for call in pushed(follower)] == [2, 1, 0]


def test_a_burst_of_notices_is_few_calls_and_none_is_missed(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    for number in range(5):
        tell(rt, f"n-{number}")
    assert len(pushed(follower)) == 1
    clock.advance(hub.REST)
    hub.run(rt)
    assert len(pushed(follower)) == 2
    assert pushed(follower)[-1].body.count(b"<entry") == 5
    clock.advance(hub.REST)
    hub.run(rt)
    assert len(pushed(follower)) == 2  # what it has it is not sent again


def test_a_change_during_a_call_is_told_after_it(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)

    def late(_: Received) -> Answer:
        publish(rt, draft("second"))
        match.run(rt)
        follower.answer("/cb", agrees)
        return Answer()

    follower.answer("/cb", late)
    tell(rt, "first")
    clock.advance(hub.REST)
    hub.run(rt)
    assert [call.body.count(b"<entry") for call in pushed(follower)] == [1, 2]


def test_a_callback_keeps_its_own_query(rt: Runtime, anyone: TestClient, follower: WebDouble) -> None:
    ask(anyone, follower.url("/cb?a=1&b=%20x"))
    hub.run(rt)
    assert follower.received[0].path.startswith("/cb?a=1&b=%20x&hub.mode=subscribe&")
    tell(rt, "a")
    assert pushed(follower)[0].path == "/cb?a=1&b=%20x"


def test_a_failed_call_is_made_again_and_a_gone_callback_is_forgotten(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    follower.answer("/cb", Answer(status=503, headers=(("Retry-After", "600"),)), Answer(status=410))
    tell(rt, "a")
    assert only(rt, "SELECT state FROM hub_followers")["state"] == "retry"
    clock.advance(timedelta(minutes=5))
    hub.run(rt)
    assert len(pushed(follower)) == 1  # it asked for ten minutes
    clock.advance(timedelta(minutes=5))
    hub.run(rt)
    assert len(pushed(follower)) == 2
    assert manage.followers(rt) == []


def test_a_lease_ends_and_its_topic_with_it(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"), lease_seconds="1")  # raised to the least there is
    hub.run(rt)
    clock.advance(timedelta(seconds=websub.MIN_LEASE_S))
    tell(rt, "a")
    assert pushed(follower) == []
    housekeeping.tidy(rt)
    assert rows(rt, "SELECT id FROM hub_followers UNION ALL SELECT id FROM hub_topics") == []
    assert rows(rt, "SELECT id FROM subscriptions") == []


def test_a_worker_killed_in_the_middle_loses_nothing(
    rt: Runtime, anyone: TestClient, follower: WebDouble, clock: FrozenClock
) -> None:
    ask(anyone, follower.url("/cb"))
    hub.run(rt)
    publish(rt, draft("a"))
    match.run(rt)
    with rt.begin() as session:  # it claims, and is never heard of again
        work.claim(session, work.HUB_FOLLOWERS, now=rt.clock.now(), lease=LEASE, limit=10)
    hub.run(rt)
    assert pushed(follower) == []
    clock.advance(LEASE + timedelta(seconds=1))
    hub.run(rt)
    assert len(pushed(follower)) == 1


def test_one_follower_that_hangs_delays_no_other(
    rt: Runtime, anyone: TestClient, follower: WebDouble
) -> None:
    for number in range(8):
        ask(anyone, follower.url(f"/cb{number}"))
    hub.run(rt)
    follower.answer("/cb0", Answer(delay_s=1.0))
    tell(rt, "a")
    calls = pushed(follower)
    assert len(calls) == 8
    assert max(one.at for one in calls) - min(one.at for one in calls) < 0.9
