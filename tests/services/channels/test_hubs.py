"""What a hub answers to our asking is followed where that is safe, and told as its refusal elsewhere."""

import pytest

from services.channels import hubs
from services.http import Phases, Request, Response

ASKED = hubs.asking(
    "https://hub.example/", mode="subscribe", topic="https://uni.example/feed", tag=1,
    callback="https://goniec.example/websub/u", secret="known to the hub alone", lease_s=60,
)  # fmt: skip


def sent_on(location: str) -> Request | None:
    return hubs.onward(ASKED, answer(location))


def answer(location: str) -> Response:
    return Response(
        status=307, headers=(("location", location),), body=b"", url=ASKED.url, address="192.0.2.1",
        phases=Phases(),
    )  # fmt: skip


def test_a_hub_that_moved_is_asked_the_same_there() -> None:
    further = sent_on("/new")
    assert further is not None
    assert (further.url, further.method, further.body) == ("https://hub.example/new", "POST", ASKED.body)


@pytest.mark.parametrize(
    "location", ["http://[", "https://hub.example:port/", "//[::1", "mailto:hub@hub.example", "https://a\\b/"]
)
def test_a_redirect_that_cannot_be_followed_is_the_hubs_refusal(location: str) -> None:
    assert sent_on(location) is None
    assert hubs.refusal(answer(location)) == "HTTP 307"


def test_our_secret_is_not_sent_on_in_the_clear() -> None:
    assert sent_on("http://hub.example/") is None
