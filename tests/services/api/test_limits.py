"""How much and how often: bodies counted as they come, requests counted in Redis."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import redis
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from services.api.app import make_app
from services.api.limits import BodyLimit, Limits, network_of
from services.clock import FrozenClock
from services.runtime import Runtime
from tests.services.api.conftest import MakeClient

SMALL = Limits(max_body_bytes=10, max_batch_bytes=20, dropped_bytes=20)


async def length_of(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """Swallows whatever the body does, as frameworks do, and answers for itself."""
    try:
        await Request(scope, receive).body()
    except Exception:
        await Response("parsing failed", 400)(scope, receive, send)
        return
    await Response("fine")(scope, receive, send)


def chunks(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def test_a_body_within_the_limit_passes() -> None:
    client = TestClient(BodyLimit(length_of, SMALL))
    assert client.post("/x", content=b"1234567890").text == "10"


def test_a_declared_length_is_refused_before_the_body_is_read() -> None:
    answer = TestClient(BodyLimit(length_of, SMALL)).post("/x", content=b"12345678901")
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too-large"
    assert answer.headers["connection"] == "close"


def test_a_chunked_body_is_counted_as_it_comes() -> None:
    client = TestClient(BodyLimit(length_of, SMALL))
    assert client.post("/x", content=chunks(b"12345", b"67890")).text == "10"
    assert client.post("/x", content=chunks(b"12345", b"67890", b"1")).status_code == 413


def test_an_application_that_swallows_the_refusal_cannot_hide_it() -> None:
    answer = TestClient(BodyLimit(deaf, SMALL)).post("/x", content=chunks(b"123456", b"123456"))
    assert answer.status_code == 413


def test_no_more_of_a_body_that_never_ends_is_taken() -> None:
    taken = 0

    async def endless() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"12345", "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": [], "query_string": b""}
    asyncio.run(BodyLimit(length_of, SMALL)(scope, endless, send))
    assert sent[0]["status"] == 413
    assert taken == 3 + 4


@pytest.mark.parametrize(("headers", "read"), [([], 4), ([(b"expect", b"100-continue")], 0)])
def test_a_long_body_is_let_pass_by_so_that_its_sender_hears_the_answer(
    headers: list[tuple[bytes, bytes]], read: int
) -> None:
    taken = 0

    async def rest() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"12345", "more_body": taken < 4}

    async def send(_: Message) -> None:
        assert taken == read

    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b""}
    declared = {**scope, "headers": [(b"content-length", b"20"), *headers]}
    asyncio.run(BodyLimit(length_of, SMALL)(declared, rest, send))


def test_batches_of_who_shows_a_key_may_be_longer() -> None:
    client = TestClient(BodyLimit(length_of, SMALL))
    key = {"Authorization": "Bearer gon_x"}
    assert client.post("/v1/notices/batch", content=b"1" * 20, headers=key).text == "20"
    assert client.post("/v1/notices/batch", content=b"1" * 21, headers=key).status_code == 413
    assert client.post("/v1/notices/batch", content=b"1" * 11).status_code == 413


def test_who_asks_too_often_is_told_when_to_come_again(make_client: MakeClient, clock: FrozenClock) -> None:
    client = make_client(limits=Limits(anonymous=2))
    assert [client.get("/v1/notices").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/v1/notices")
    assert refused.json()["code"] == "rate-limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    clock.advance(61)
    assert client.get("/v1/notices").status_code == 200


def test_health_is_never_counted(make_client: MakeClient) -> None:
    client = make_client(limits=Limits(anonymous=1))
    assert [client.get("/healthz").status_code for _ in range(5)] == [200] * 5


def test_a_key_has_a_count_of_its_own(make_client: MakeClient, consumer_key: str) -> None:
    client = make_client(limits=Limits(anonymous=1, by_key=3))
    client.get("/v1/notices")
    assert client.get("/v1/notices").status_code == 429
    headers = {"Authorization": f"Bearer {consumer_key}"}
    assert [client.get("/v1/events", headers=headers).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_guessing_keys_ends_soon(make_client: MakeClient) -> None:
    client = make_client(limits=Limits(refused_keys=3))
    answers = [
        client.get("/v1/endpoints", headers={"Authorization": f"Bearer gon_{n:040}"}).status_code
        for n in range(6)
    ]
    assert answers == [401, 401, 401, 401, 429, 429]


def test_sign_ups_are_few(make_client: MakeClient) -> None:
    client = make_client(limits=Limits(sign_ups=1))
    assert client.post("/v1/subscribers", json={}).status_code == 422
    assert client.post("/v1/subscribers", json={}).status_code == 429
    assert client.get("/v1/notices").status_code == 200


def test_a_made_up_key_buys_no_further_count(make_client: MakeClient) -> None:
    client = make_client(limits=Limits(anonymous=5, sign_ups=1, previews=1))

    def ask(method: str, path: str) -> list[int]:
        keys = [{"Authorization": f"Bearer {n}"} for n in range(2)]
        return [client.request(method, path, headers=key, json={}).status_code for key in keys]

    assert ask("POST", "/v1/subscribers") == [422, 429]
    assert ask("GET", "/v1/interests/check?q=nauka") == [200, 429]
    assert ask("GET", "/v1/notices") == [200, 429]


def test_without_redis_nobody_is_held_up(open_runtime: Callable[..., Runtime]) -> None:
    rt = open_runtime(redis_url="redis://127.0.0.1:1/0")
    client = TestClient(make_app(rt, limits=Limits(anonymous=1)))
    assert [client.get("/v1/notices").status_code for _ in range(3)] == [200] * 3


def test_an_address_is_known_by_its_network_and_no_closer() -> None:
    def of(host: str) -> str:
        return network_of({"type": "http", "client": (host, 1)})

    assert of("192.0.2.7") == of("::ffff:192.0.2.7") == "192.0.2.7"
    assert of("2001:db8:1:2::1") == of("2001:db8:1:2:ffff::9")
    assert of("2001:db8:1:2::1") != of("2001:db8:1:3::1")
    assert of("testclient") == "testclient"


def test_no_address_is_kept_in_redis(make_client: MakeClient, rt: Runtime) -> None:
    assert rt.settings.redis_url
    make_client().get("/v1/notices")
    with redis.Redis.from_url(rt.settings.redis_url, decode_responses=True) as kept:
        names = kept.keys("goniec:rate:*")
        assert names
        assert not any("testclient" in name for name in names)
        assert all(0 < kept.ttl(name) <= 65 for name in names)
