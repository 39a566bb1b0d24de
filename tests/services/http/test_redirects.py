"""Redirects are followed by hand, so far and no further, and carry no keys."""

import time

import pytest

from services.http import Client, FailureKind, Request
from tests.doubles.web import Answer, WebDouble, redirect
from tests.services.http.answers import OpenClient, answered, failed


def test_redirects_are_followed_as_far_as_asked_and_told(web: WebDouble, client: Client) -> None:
    web.answer("/old", redirect("/older", 301))
    web.answer("/older", redirect(web.url("/feed"), 307))
    answer = answered(client.fetch_one(Request(web.url("/old"), redirects=2)))
    assert (answer.body, answer.url) == (b"<rss/>", web.url("/feed"))
    assert [(hop.url, hop.status, hop.location) for hop in answer.hops] == [
        (web.url("/old"), 301, "/older"),
        (web.url("/older"), 307, web.url("/feed")),
    ]


def test_a_loop_of_redirects_ends(web: WebDouble, client: Client) -> None:
    web.answer("/loop", redirect("/loop"))
    failure = failed(client.fetch_one(Request(web.url("/loop"), redirects=5)))
    assert failure.kind is FailureKind.TOO_MANY_REDIRECTS
    assert len(web.received) == 6


def test_a_redirect_is_an_answer_to_who_follows_none(web: WebDouble, client: Client) -> None:
    web.answer("/old", redirect("/feed"))
    assert answered(client.fetch_one(Request(web.url("/old")))).status == 302
    assert len(web.received) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/",
        "http://127.0.0.2/",
        "file:///etc/passwd",
        "http://a:b@example.pl/",
        "//[::1]/",
        "http://[",
    ],
)
def test_a_redirect_inside_is_refused(web: WebDouble, client: Client, location: str) -> None:
    web.answer("/old", redirect(location))
    failure = failed(client.fetch_one(Request(web.url("/old"), redirects=3)))
    assert failure.kind is FailureKind.ADDRESS_REFUSED
    assert [hop.location for hop in failure.hops] == [location]


def test_keys_do_not_travel_to_another_host(web: WebDouble, open_client: OpenClient) -> None:
    client = open_client(resolve={"other.example": ["127.0.0.1"]})
    headers = (("Authorization", "Bearer key"), ("X-Api-Key", "key"), ("Accept", "text/xml"))
    web.answer("/here", redirect("/there"))
    web.answer("/there", redirect(web.url("/feed", host="other.example")))
    answered(client.fetch_one(Request(web.url("/here"), headers=headers, redirects=3)))
    first, second, third = web.received
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer key"
    assert "authorization" not in third.headers
    assert "x-api-key" not in third.headers
    assert third.headers["accept"] == "text/xml"


def test_a_post_becomes_a_get_unless_the_redirect_says_otherwise(web: WebDouble, client: Client) -> None:
    for status, method, body in (
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b"x"),
        (308, "POST", b"x"),
    ):
        web.answer("/old", redirect("/feed", status))
        answered(client.fetch_one(Request(web.url("/old"), method="POST", body=b"x", redirects=1)))
        assert (web.received[-1].method, web.received[-1].body) == (method, body)


def test_the_time_of_all_hops_together_is_capped(web: WebDouble, client: Client) -> None:
    web.answer("/loop", Answer(status=302, headers=(("Location", "/loop"),), delay_s=0.2))
    began = time.monotonic()
    failure = failed(client.fetch_one(Request(web.url("/loop"), redirects=50, total_timeout_s=0.5)))
    assert failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - began < 2
