"""A scripted server, and clients that may dial it."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from services.http import Client
from tests.doubles.web import Answer, WebDouble
from tests.services.http.answers import OpenClient

LOOPBACK = (ip_network("127.0.0.1/32"),)
FEED = Answer(body=b"<rss/>", headers=(("Content-Type", "application/rss+xml"), ("ETag", '"1"')))


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/feed", FEED)
        yield double


@pytest.fixture
def open_client() -> Iterator[OpenClient]:
    """Opens clients that may dial loopback unless told otherwise; all are closed at the end."""
    opened: list[Client] = []

    def build(**given: object) -> Client:
        client = Client("Goniec-test/1", **{"allow_networks": LOOPBACK, **given})  # type: ignore[arg-type]
        opened.append(client)
        return client

    yield build
    for client in opened:
        client.close()


@pytest.fixture
def client(open_client: OpenClient) -> Client:
    return open_client()
