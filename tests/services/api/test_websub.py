"""We subscribe as the list of websub.rocks asks of a subscriber (100 to 104, 200 to 205, 300 to 302)."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from feeds.pool import ParserPool
from services.clock import FrozenClock
from services.domain import websub
from services.domain.source_hubs import ASK_FOR_S, PROVEN_AGAIN, SLOWER_THAN_A_POLL, Trust
from services.manage import housekeeping, source_hubs, sources
from services.pipeline import listen, poll
from services.runtime import Runtime
from tests.doubles.web import Answer, Received, WebDouble, redirect
from tests.factories import feed, only, rows
from tests.feeds.bodies import rss

XML = ("Content-Type", "application/rss+xml")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/hub", Answer(status=202))
        yield double


WARM: list[ParserPool] = []


@pytest.fixture(autouse=True, scope="module")
def parsers() -> Iterator[None]:
    """Children that read, warm for all tests here."""
    with ParserPool(size=1) as pool:
        WARM.append(pool)
        yield
        WARM.clear()


def hear(rt: Runtime) -> None:
    listen.run(rt, WARM[0])


def item(key: str) -> str:
    return f"<title>Nabór {key}</title><guid>{key}</guid><link>https://miasto.example/{key}</link>"


def links(web: WebDouble, topic: str = "/feed", hub: str = "/hub") -> tuple[str, str]:
    return ("Link", f'<{web.url(hub)}>; rel="hub", <{web.url(topic)}>; rel="self"')


def serve(web: WebDouble, *keys: str, path: str = "/feed", **given: str) -> None:
    web.answer(path, Answer(headers=(XML, links(web, **given)), body=rss(*map(item, keys))))


def read(rt: Runtime, clock: FrozenClock) -> None:
    """The source is polled when it falls due, and its hub is asked."""
    clock.set(max([clock.now(), *(row["due_at"] for row in rows(rt, "SELECT due_at FROM sources"))]))
    poll.run(rt, WARM[0])
    hear(rt)


def asked(web: WebDouble) -> list[dict[str, str]]:
    posts = [one for one in web.received if one.method == "POST"]
    return [{name: values[0] for name, values in parse_qs(one.body.decode()).items()} for one in posts]


def agree(client: TestClient, form: dict[str, str], lease_s: int = ASK_FOR_S, **other: str) -> Any:
    given = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": "c h+a&l",
             "hub.lease_seconds": str(lease_s)} | {f"hub.{k}": v for k, v in other.items()}  # fmt: skip
    return client.get(urlsplit(form["hub.callback"]).path, params=given)


def push(client: TestClient, form: dict[str, str], *keys: str, algorithm: str = "sha256",
         body: bytes | None = None, signature: str | None = "") -> int:  # fmt: skip
    content = rss(*map(item, keys)) if body is None else body
    signed = websub.signature(form["hub.secret"], content, algorithm=algorithm)
    headers = {"Content-Type": "application/rss+xml"}
    if signature is not None:
        headers["X-Hub-Signature"] = signature or signed
    return client.post(urlsplit(form["hub.callback"]).path, content=content, headers=headers).status_code


def followed(rt: Runtime, web: WebDouble, client: TestClient, clock: FrozenClock) -> dict[str, str]:
    """A source whose hub has agreed; what the hub was asked."""
    serve(web, "a")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    (form,) = asked(web)
    assert agree(client, form).status_code == 200
    return form


def trust(rt: Runtime) -> Trust:
    found = source_hubs.show(rt, only(rt, "SELECT id FROM sources")["id"])
    assert found is not None
    return found.trust


def titles(rt: Runtime) -> list[str]:
    return [row["title"] for row in rows(rt, "SELECT title FROM notices ORDER BY title")]


def next_check(rt: Runtime) -> datetime:
    due_at: datetime = only(rt, "SELECT due_at FROM sources")["due_at"]
    return due_at


def test_100_hub_and_topic_are_found_in_link_headers(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", web.url("/feed"))
    assert form["hub.callback"].startswith(f"{rt.settings.base_url}/websub/")
    assert form["hub.lease_seconds"] == str(ASK_FOR_S)
    assert 20 < len(form["hub.secret"].encode()) < 200


@pytest.mark.parametrize("kind", ["atom", "rss", "json"])
def test_101_to_103_hub_and_topic_are_found_in_the_document(
    rt: Runtime, web: WebDouble, clock: FrozenClock, kind: str
) -> None:
    hub, topic = web.url("/hub"), web.url("/topic")
    bodies = {
        "atom": f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><link rel='hub' href='{hub}'/>"
        f"<link rel='self' href='{topic}'/><entry><id>a</id><title>A</title></entry></feed>",
        "rss": "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>T</title>"
        f"<atom:link rel='hub' href='{hub}'/><atom:link rel='self' href='{topic}'/>"
        f"<item>{item('a')}</item></channel></rss>",
        "json": json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "T",
                "feed_url": topic,
                "hubs": [{"type": "WebSub", "url": hub}],
                "items": [{"id": "a", "title": "A"}],
            }
        ),
    }
    web.answer("/feed", Answer(body=bodies[kind].encode()))
    feed(rt, web.url("/feed"))
    read(rt, clock)
    assert [one["hub.topic"] for one in asked(web)] == [topic]


def test_104_link_headers_come_before_the_document(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>"
        f"<link rel='hub' href='{web.url('/no')}'/><link rel='self' href='{web.url('/not')}'/>"
        "<entry><id>a</id><title>A</title></entry></feed>"
    )
    web.answer("/feed", Answer(headers=(links(web),), body=body.encode()))
    feed(rt, web.url("/feed"))
    read(rt, clock)
    assert [one["hub.topic"] for one in asked(web)] == [web.url("/feed")]


def test_200_the_topic_is_what_a_feed_calls_itself(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    serve(web, "a", topic="/its/own/name")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    assert [one["hub.topic"] for one in asked(web)] == [web.url("/its/own/name")]


@pytest.mark.parametrize("status", [302, 301])
def test_201_and_202_a_feed_that_redirects_is_followed(
    rt: Runtime, web: WebDouble, clock: FrozenClock, status: int
) -> None:
    web.answer("/old", redirect(web.url("/feed"), status))
    serve(web, "a")
    feed(rt, web.url("/old"))
    read(rt, clock)
    assert [one["hub.topic"] for one in asked(web)] == [web.url("/feed")]


@pytest.mark.parametrize("status", [302, 301, 307, 308])
def test_203_and_204_a_hub_that_redirects_is_asked_where_it_went(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock, status: int
) -> None:
    web.answer("/hub", redirect("/moved", status))
    web.answer("/moved", Answer(status=202))
    serve(web, "a")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    first, second = asked(web)
    assert first == second
    assert agree(anyone, second).status_code == 200
    assert trust(rt) is Trust.NEW


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "https://elsewhere.example/"},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"challenge": ""},
    ],
)
def test_205_only_what_was_asked_is_confirmed(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock, wrong: dict[str, str]
) -> None:
    serve(web, "a")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    (form,) = asked(web)
    assert agree(anyone, form, ASK_FOR_S, **wrong).status_code == 404
    assert trust(rt) is Trust.WAITING
    answer = agree(anyone, form)
    assert (answer.status_code, answer.text) == (200, "c h+a&l")
    assert answer.headers["content-type"].startswith("text/plain")


def test_205_nobody_guesses_a_callback(anyone: TestClient) -> None:
    assert anyone.get("/websub/guessed", params={"hub.mode": "subscribe"}).status_code == 404
    assert anyone.post("/websub/guessed", content=b"x").status_code == 404


@pytest.mark.parametrize("algorithm", websub.ALGORITHMS)
def test_300_what_is_signed_is_taken(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock, algorithm: str
) -> None:
    form = followed(rt, web, anyone, clock)
    assert push(anyone, form, "b", algorithm=algorithm) == 202
    hear(rt)
    assert titles(rt) == ["Nabór a", "Nabór b"]
    assert trust(rt) is Trust.TRUSTED


@pytest.mark.parametrize("signature", [None, "sha256=" + "0" * 64, "md5=0", "sha256", "="])
def test_301_and_302_what_is_not_signed_rightly_is_thanked_for_and_forgotten(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock, signature: str | None
) -> None:
    form = followed(rt, web, anyone, clock)
    assert push(anyone, form, "forged", signature=signature) == 202
    hear(rt)
    assert titles(rt) == ["Nabór a"]
    assert trust(rt) is Trust.NEW


def test_a_lease_is_renewed_before_its_end(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    clock.advance(timedelta(seconds=ASK_FOR_S) * 0.79)
    hear(rt)
    assert asked(web) == [form]
    clock.advance(timedelta(seconds=ASK_FOR_S) * 0.02)
    hear(rt)
    again = asked(web)[-1]
    assert agree(anyone, again, lease_s=1_000_000).status_code == 200
    row = only(rt, "SELECT follows_until, due_at FROM source_hubs")
    assert row["follows_until"] == clock.now() + timedelta(seconds=1_000_000)
    assert row["due_at"] == clock.now() + timedelta(seconds=800_000)


def test_a_trusted_hub_lets_us_poll_once_a_day(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    assert next_check(rt) - clock.now() < 2 * HOUR
    push(anyone, form, "b")
    hear(rt)
    serve(web, "a", "b")
    read(rt, clock)
    assert DAY <= next_check(rt) - clock.now() <= DAY * 1.1
    read(rt, clock)  # the same body again
    assert DAY <= next_check(rt) - clock.now() <= DAY * 1.1


def test_a_hub_that_keeps_news_from_us_is_trusted_no_more(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    push(anyone, form, "b")
    hear(rt)
    serve(web, "a", "b", "c")
    read(rt, clock)  # c was not told
    assert trust(rt) is Trust.DISTRUSTED
    assert next_check(rt) - clock.now() < 2 * HOUR
    clock.advance(SLOWER_THAN_A_POLL * 2)
    for number in range(PROVEN_AGAIN):
        assert trust(rt) is Trust.DISTRUSTED
        push(anyone, form, f"d{number}")
        hear(rt)
    assert trust(rt) is Trust.TRUSTED


def test_a_hub_that_was_only_slower_than_our_poll_is_forgiven(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    serve(web, "a", "b")
    read(rt, clock)
    assert trust(rt) is Trust.DISTRUSTED
    clock.advance(timedelta(minutes=2))
    push(anyone, form, "a", "b")
    hear(rt)
    assert trust(rt) is Trust.TRUSTED


def test_a_push_that_cannot_be_read_makes_us_poll(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    push(anyone, form, "b")
    hear(rt)
    serve(web, "a", "b")
    read(rt, clock)
    clock.advance(HOUR)
    assert push(anyone, form, body=b"something happened") == 202
    hear(rt)
    assert next_check(rt) <= clock.now()
    assert trust(rt) is Trust.DISTRUSTED


def test_a_topic_that_moved_is_followed_where_it_went(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    serve(web, "a", "b", topic="/new")
    read(rt, clock)
    left, fresh = sorted(asked(web)[1:], key=lambda one: one["hub.mode"], reverse=True)
    assert (left["hub.mode"], left["hub.topic"]) == ("unsubscribe", form["hub.topic"])
    assert (fresh["hub.mode"], fresh["hub.topic"]) == ("subscribe", web.url("/new"))
    assert fresh["hub.callback"] != form["hub.callback"]
    assert agree(anyone, left).status_code == 200
    assert push(anyone, form, "late") == 410


def test_a_source_that_is_stopped_is_left(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    assert push(anyone, form, "waits to be read") == 202
    sources.stop(rt, only(rt, "SELECT id FROM sources")["id"])
    hear(rt)
    assert titles(rt) == ["Nabór a"]
    left = asked(web)[-1]
    assert (left["hub.mode"], left["hub.callback"]) == ("unsubscribe", form["hub.callback"])
    assert "hub.secret" not in left
    assert agree(anyone, left).status_code == 200
    clock.advance(DAY * 8)
    housekeeping.tidy(rt)
    assert rows(rt, "SELECT id FROM source_hubs") == []


def test_a_hub_that_denies_is_no_reason_to_wait_for_it(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    form = followed(rt, web, anyone, clock)
    assert agree(anyone, form, mode="denied", reason="too much").status_code == 200
    assert trust(rt) is Trust.WAITING
    assert only(rt, "SELECT last_error FROM source_hubs")["last_error"] == "denied: too much"


def test_a_hub_that_fails_is_asked_ever_more_rarely(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    web.answer("/hub", Answer(status=500, body=b"broken"))
    serve(web, "a")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    waits = []
    for _ in range(4):
        row = only(rt, "SELECT due_at, last_error FROM source_hubs")
        assert row["last_error"] == "HTTP 500: broken"
        waits.append(row["due_at"] - clock.now())
        clock.set(row["due_at"])
        hear(rt)
    assert waits == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR]


def test_a_hub_may_ask_back_before_it_answers(
    rt: Runtime, web: WebDouble, anyone: TestClient, clock: FrozenClock
) -> None:
    def at_once(received: Received) -> Answer:
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        assert agree(anyone, form).status_code == 200
        return Answer(status=202)

    web.answer("/hub", at_once)
    serve(web, "a")
    feed(rt, web.url("/feed"))
    read(rt, clock)
    assert trust(rt) is Trust.NEW
    assert only(rt, "SELECT due_at FROM source_hubs")["due_at"] > clock.now() + DAY


def test_a_hub_on_a_forbidden_address_is_not_asked(rt: Runtime, web: WebDouble, clock: FrozenClock) -> None:
    link = ("Link", f'<http://169.254.169.254/hub>; rel="hub", <{web.url("/feed")}>; rel="self"')
    web.answer("/feed", Answer(headers=(XML, link), body=rss(item("a"))))
    feed(rt, web.url("/feed"))
    read(rt, clock)
    assert "address" in only(rt, "SELECT last_error FROM source_hubs")["last_error"]
    assert titles(rt) == ["Nabór a"]
