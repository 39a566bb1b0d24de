"""The client asks many at once, each host fairly, from any thread."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.http import Client, Request
from tests.doubles.web import Answer, Received, WebDouble
from tests.services.http.answers import OpenClient, answered


def test_an_answer_brings_status_headers_body_address_and_phases(web: WebDouble, client: Client) -> None:
    answer = answered(client.fetch_one(Request(web.url("/feed"), headers=(("If-None-Match", '"0"'),))))
    assert (answer.status, answer.body, answer.address) == (200, b"<rss/>", "127.0.0.1")
    assert answer.header("ETag") == '"1"'
    assert answer.header("X-Missing") is None
    assert answer.url == web.url("/feed")
    assert 0 < answer.phases.first_byte_ms <= answer.phases.total_ms
    [request] = web.received
    assert request.headers["if-none-match"] == '"0"'
    assert request.headers["user-agent"] == "Goniec-test/1"


def test_any_status_is_an_answer(web: WebDouble, client: Client) -> None:
    for status in (204, 304, 302, 404, 500):
        web.answer("/x", Answer(status=status))
        assert answered(client.fetch_one(Request(web.url("/x")))).status == status


def test_bodies_and_methods_arrive_as_given(web: WebDouble, client: Client) -> None:
    web.answer("/x", Answer(body=b"ok"))
    body = bytes(range(256))
    for method, sent in (
        ("POST", body),
        ("PUT", body),
        ("DELETE", None),
        ("HEAD", None),
        ("POST", b""),
        ("GET", None),
    ):
        headers = (("Content-Type", "application/json"),) if sent is not None else ()
        answered(client.fetch_one(Request(web.url("/x"), method=method, body=sent, headers=headers)))
        last = web.received[-1]
        assert (last.method, last.body) == (method, sent or b"")
        assert last.headers.get("content-type") == (headers[0][1] if headers else None)
        assert "expect" not in last.headers


def test_a_header_cannot_smuggle_in_another(web: WebDouble, client: Client) -> None:
    client.fetch_one(Request(web.url("/feed"), headers=(("If-None-Match", '"a"\r\nX-Evil: 1\x00'),)))
    assert "x-evil" not in web.received[0].headers
    assert web.received[0].headers["if-none-match"] == '"a" X-Evil: 1'
    with pytest.raises(ValueError, match="header"):
        Request(web.url("/feed"), headers=(("X-A: 1\r\nX-Evil", "1"),))
    with pytest.raises(ValueError, match="method"):
        Request(web.url("/feed"), method="GET / HTTP/1.1\r\n")


def test_many_are_asked_at_once_and_come_as_they_finish(web: WebDouble, client: Client) -> None:
    web.answer("/slow", Answer(delay_s=0.3))
    requests = [Request(web.url("/slow"), tag="slow")] + [Request(web.url("/feed"), tag=n) for n in range(50)]
    began = time.monotonic()
    tags = [request.tag for request, answer in client.fetch(requests) if answered(answer)]
    assert time.monotonic() - began < 2
    assert tags[-1] == "slow"
    assert sorted(tags[:-1], key=str) == sorted(range(50), key=str)
    assert web.connections <= 10


def test_no_host_gets_more_connections_than_its_share(web: WebDouble, open_client: OpenClient) -> None:
    now, most, lock = [0], [0], threading.Lock()

    def count(_request: Received) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return Answer()

    web.answer("/x", count)
    answers = list(open_client(max_per_host=3).fetch(Request(web.url("/x")) for _ in range(20)))
    assert len(answers) == 20
    assert most[0] == 3


def test_a_slow_host_does_not_hold_up_the_others(web: WebDouble, open_client: OpenClient) -> None:
    client = open_client(
        max_per_host=1, resolve={"slow.example": ["127.0.0.1"], "fast.example": ["127.0.0.1"]}
    )
    web.answer("/slow", Answer(delay_s=0.2))
    requests = [Request(web.url("/slow", host="slow.example")) for _ in range(3)]
    requests.append(Request(web.url("/feed", host="fast.example"), tag="fast"))
    assert next(request.tag for request, _ in client.fetch(requests)) == "fast"


def test_connections_are_kept_from_one_fetch_to_the_next(web: WebDouble, client: Client) -> None:
    for _ in range(5):
        answered(client.fetch_one(Request(web.url("/feed"))))
    assert web.connections == 1


def test_threads_share_one_client(web: WebDouble, client: Client) -> None:
    def ask(number: int) -> int:
        return sum(
            answered(answer).status for _, answer in client.fetch([Request(web.url("/feed"), tag=number)] * 5)
        )

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [1000] * 40


def test_a_fetch_inside_a_fetch_and_one_given_up_do_no_harm(web: WebDouble, client: Client) -> None:
    web.answer("/hang", Answer(hang=True))
    requests = [Request(web.url("/feed")), Request(web.url("/hang"))]
    with contextlib.closing(client.fetch(requests)) as answers:  # type: ignore[type-var]
        answered(next(answers)[1])
        assert answered(client.fetch_one(Request(web.url("/feed")))).status == 200
    assert answered(client.fetch_one(Request(web.url("/feed")))).status == 200
