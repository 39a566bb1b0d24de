"""The log is pulled by pages, by waiting, as a stream and as feeds; waiting costs next to nothing."""

import http.client
import json
import signal
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import feedparser  # type: ignore[import-untyped]
import pytest
import uvicorn
from anyio import create_task_group, current_time, run, sleep_forever
from starlette.testclient import TestClient
from starlette.types import Message

from services.api.app import make_app
from services.api.waiting import LOOK_EVERY_S, MOST_OF_ONE, EndingStream, Waiting
from services.cli.serving import Server
from services.errors import RateLimited
from services.runtime import Runtime
from tests.factories import draft, publish, withdraw
from tests.services.api.conftest import FREE
from tests.services.api.serving import served

BEGIN = "0-0"


def end(client: TestClient) -> str:
    """The cursor behind all there is."""
    cursor: str = client.get("/v1/events", params={"limit": 200}).json()["next"]
    return cursor


def later(rt: Runtime, *keys: str, after_s: float = 0.3) -> threading.Timer:
    timer = threading.Timer(after_s, lambda: publish(rt, *(draft(key) for key in keys)))
    timer.start()
    return timer


def test_who_waits_gets_an_event_when_it_happens(rt: Runtime, consumer: TestClient) -> None:
    publish(rt, draft("old"))
    cursor, began = end(consumer), time.monotonic()
    timer = later(rt, "new")
    answer = consumer.get("/v1/events", params={"after": cursor, "wait": 30})
    timer.join()
    assert [one["data"]["key"] for one in answer.json()["items"]] == ["new"]
    assert time.monotonic() - began < 10


def test_what_is_there_is_not_waited_for(rt: Runtime, consumer: TestClient) -> None:
    publish(rt, draft("old"))
    began = time.monotonic()
    assert len(consumer.get("/v1/events", params={"wait": 60}).json()["items"]) == 1
    assert time.monotonic() - began < 10


def test_waiting_ends_with_an_empty_page_and_a_cursor(rt: Runtime, consumer: TestClient) -> None:
    publish(rt, draft("old"))
    cursor, began = end(consumer), time.monotonic()
    answer = consumer.get("/v1/events", params={"after": cursor, "wait": 1}).json()
    assert answer == {"items": [], "next": cursor}
    assert time.monotonic() - began >= 1


def test_who_waits_for_a_query_is_not_woken_by_others(rt: Runtime, consumer: TestClient) -> None:
    publish(rt, draft("old"))
    cursor = end(consumer)
    timer = later(rt, "call", after_s=0.1)
    answer = consumer.get("/v1/events", params={"after": cursor, "wait": 2, "q": "kind:job"}).json()
    timer.join()
    assert answer["items"] == []
    assert answer["next"] != cursor  # what was passed over is not looked at again


@pytest.mark.parametrize("wait", [-1, 61, "soon"])
def test_a_wait_has_bounds(consumer: TestClient, wait: object) -> None:
    assert consumer.get("/v1/events", params={"wait": str(wait)}).status_code == 422


def test_many_who_wait_look_at_the_database_as_one(rt: Runtime) -> None:
    waiting = Waiting(rt)

    async def all_wait() -> None:
        async with create_task_group() as group:
            for number in range(100):
                group.start_soon(one_waits, f"key {number}")

    async def one_waits(who: str) -> None:
        with waiting.place(who):
            assert not await waiting.grown("", until=current_time() + 3 * LOOK_EVERY_S)

    run(all_wait)
    assert 2 <= waiting.looks <= 5


def test_so_many_may_wait_and_no_more(rt: Runtime) -> None:
    waiting = Waiting(rt, most=3, most_of_one=2)
    with waiting.place("a"), waiting.place("a"):
        with pytest.raises(RateLimited):
            waiting.require_room("a")
        with waiting.place("b"), pytest.raises(RateLimited), waiting.place("c"):
            pass
    with waiting.place("a"):  # who left makes room
        pass
    assert MOST_OF_ONE >= 2


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_who_takes_nothing_of_a_stream_holds_no_place_for_ever(rt: Runtime, spec_version: str) -> None:
    waiting, sent = Waiting(rt, most_of_one=1), list[Message]()

    async def news() -> AsyncGenerator[str]:
        with waiting.place("a"):
            while True:
                yield "data: 1\n\n"

    async def take(message: Message) -> None:
        sent.append(message)
        if len(sent) == 2:
            with pytest.raises(RateLimited):
                waiting.require_room("a")
            await sleep_forever()

    async def hang() -> Message:
        await sleep_forever()
        raise AssertionError

    async def stream() -> None:
        whole = EndingStream(news(), within_s=0.1, media_type="text/event-stream", headers={})
        await whole({"type": "http", "asgi": {"spec_version": spec_version}}, hang, take)
        waiting.require_room("a")

    run(stream)
    assert len(sent) == 2


@contextmanager
def streaming(address: str, key: str, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(address)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        asked = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream", **headers}
        connection.request("GET", path, headers=asked)
        yield connection.getresponse()
    finally:
        connection.close()


def told(answer: http.client.HTTPResponse, number: int) -> list[tuple[str, str]]:
    """The next so many events of a stream: (cursor, key of the notice)."""
    found: list[tuple[str, str]] = []
    cursor = ""
    while len(found) < number:
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("id: "):
            cursor = line.removeprefix("id: ")
        if line.startswith("data: "):
            found.append((cursor, json.loads(line.removeprefix("data: "))["data"]["key"]))
    return found


def test_a_stream_tells_events_as_they_happen_and_goes_on_where_it_was_cut(
    rt: Runtime, consumer_key: str
) -> None:
    publish(rt, draft("a"), draft("b"))
    with served(make_app(rt, limits=FREE)) as address:
        with streaming(address, consumer_key, "/v1/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            (cursor, _), second = told(answer, 2)
            assert second[1] == "b"
            timer = later(rt, "c")
            assert [key for _, key in told(answer, 1)] == ["c"]
            timer.join()
        last = {"Last-Event-ID": cursor}
        with streaming(address, consumer_key, f"/v1/events?after={BEGIN}", **last) as answer:
            assert [key for _, key in told(answer, 2)] == ["b", "c"]


def test_a_stream_needs_a_key_and_a_query_that_can_be_read(rt: Runtime, consumer_key: str) -> None:
    with served(make_app(rt, limits=FREE)) as address:
        with streaming(address, "gon_wrong", "/v1/events") as answer:
            assert answer.status == 401
        with streaming(address, consumer_key, "/v1/events?q=%28") as answer:
            assert answer.status == 422


def test_the_log_is_a_feed_in_which_withdrawals_stand(rt: Runtime, anyone: TestClient) -> None:
    publish(rt, draft("a", title="Nabór", summary="Bony dla firm"), draft("b", title="Inny", kind="job"))
    withdraw(rt, "a")
    found = feedparser.parse(anyone.get("/feeds/events.atom", params={"q": "kind:call"}).content)
    assert not found.bozo
    assert [one.title for one in found.entries] == ["Withdrawn: Nabór", "New: Nabór"]
    assert found.entries[0].id != found.entries[1].id
    assert "summary" not in found.entries[0]
    items = anyone.get("/feeds/events.json").json()["items"]
    assert [one["title"] for one in items] == ["Withdrawn: Nabór", "New: Inny", "New: Nabór"]
    answer = anyone.get("/feeds/events.json")
    again = anyone.get("/feeds/events.json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert anyone.get("/feeds/events.atom", params={"q": "("}).status_code == 422


def test_a_stream_does_not_hold_up_a_restart(rt: Runtime, consumer_key: str) -> None:
    config = uvicorn.Config(
        make_app(rt, limits=FREE), port=0, ws="none", log_config=None, lifespan="off",
        timeout_graceful_shutdown=60,
    )  # fmt: skip
    server = Server(config, rt.stopping)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with streaming(f"http://127.0.0.1:{port}", consumer_key, "/v1/events") as answer:
        assert answer.readline().startswith(b"retry:")
        began = time.monotonic()
        server.handle_exit(signal.SIGTERM, None)
        thread.join(20)
        assert not thread.is_alive()
        assert time.monotonic() - began < 15
