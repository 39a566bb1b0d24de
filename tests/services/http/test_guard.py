"""No stranger makes us dial an inner address, by whatever trick."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from services.errors import AddressRefused
from services.http import Client, FailureKind, Request
from tests.doubles.web import Answer, WebDouble
from tests.services.http.answers import OpenClient, answered, failed


def test_a_stranger_cannot_make_us_dial_loopback(web: WebDouble, open_client: OpenClient) -> None:
    client = open_client(allow_networks=())
    for host in (
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "0",
    ):
        failure = failed(client.fetch_one(Request(web.url("/feed", host=host))))
        assert (failure.kind, failure.sent) == (FailureKind.ADDRESS_REFUSED, False), host
    assert web.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://10.0.0.1/",
        ),
        *(
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "http://user@example.pl/",
            "http://example.pl:0/",
            "x",
            "",
        ),
    ],
)
def test_an_address_that_must_not_be_asked_fails_at_once_and_is_never_sent(
    open_client: OpenClient, url: str
) -> None:
    client = open_client(allow_networks=())
    failure = failed(client.fetch_one(Request(url)))
    assert (failure.kind, failure.sent) == (FailureKind.ADDRESS_REFUSED, False)
    with pytest.raises(AddressRefused):
        client.check_address(url)


class Rebinding(Mapping[str, Sequence[str]]):
    """A hostile name server: a public address for the first question, loopback afterwards."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, host: str) -> Sequence[str]:
        self.asked += 1
        return ["8.8.8.8"] if self.asked == 1 else ["127.0.0.1"]

    def __iter__(self) -> Iterator[str]:
        return iter(["rebinding.example"])

    def __len__(self) -> int:
        return 1


def test_a_name_that_changes_its_address_after_the_check_is_refused_at_the_dial(
    web: WebDouble, open_client: OpenClient
) -> None:
    client = open_client(allow_networks=(), resolve=Rebinding())
    url = web.url("/feed", host="rebinding.example")
    client.check_address(url)
    failure = failed(client.fetch_one(Request(url)))
    assert (failure.kind, failure.address, failure.sent) == (FailureKind.ADDRESS_REFUSED, "127.0.0.1", False)
    assert web.connections == 0


def test_one_bad_address_refuses_the_host_though_another_is_good(
    web: WebDouble, open_client: OpenClient
) -> None:
    client = open_client(resolve={"mixed.example": ["127.0.0.2", "127.0.0.1"]})
    url = web.url("/feed", host="mixed.example")
    with pytest.raises(AddressRefused):
        client.check_address(url)
    assert failed(client.fetch_one(Request(url))).kind is FailureKind.ADDRESS_REFUSED
    assert web.received == []


def test_localhost_is_dialled_where_one_of_its_addresses_was_named(
    web: WebDouble, open_client: OpenClient
) -> None:
    client = open_client()
    for host in ("localhost", "LocalHost", "hooks.localhost"):
        address = web.url("/feed", host=host)
        client.check_address(address)
        assert answered(client.fetch_one(Request(address))).address == "127.0.0.1"


def test_check_address_accepts_what_may_be_dialled(
    web: WebDouble, client: Client, open_client: OpenClient
) -> None:
    client.check_address(web.url("/feed"))
    open_client(allow_networks=(), guarded=False).check_address(web.url("/feed"))
    open_client(allow_networks=(), resolve={"a.example": ["8.8.8.8"]}).check_address("https://a.example/x")
    with pytest.raises(AddressRefused, match="resolved"):
        client.check_address("http://nobody.invalid/")


def test_an_unguarded_client_dials_what_the_operator_named(web: WebDouble, open_client: OpenClient) -> None:
    client = open_client(allow_networks=(), guarded=False)
    assert answered(client.fetch_one(Request(web.url("/feed")))).status == 200


def test_the_environment_is_not_heard(
    web: WebDouble, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    assert answered(client.fetch_one(Request(web.url("/feed")))).status == 200
    assert "authorization" not in web.received[0].headers


def test_cookies_are_not_kept(web: WebDouble, client: Client) -> None:
    web.answer("/x", Answer(headers=(("Set-Cookie", "a=b"),)))
    client.fetch_one(Request(web.url("/x")))
    client.fetch_one(Request(web.url("/x")))
    assert all("cookie" not in request.headers for request in web.received)
