"""What never ends, drips, lies or breaks ends in a clear failure."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from services.http import Client, FailureKind, Request
from tests.doubles.certificates import self_signed
from tests.doubles.web import Answer, WebDouble, gzip_bomb
from tests.services.http.answers import OpenClient, answered, failed


def test_a_body_without_end_is_cut_off(web: WebDouble, client: Client) -> None:
    web.answer("/endless", Answer(endless=True))
    failure = failed(client.fetch_one(Request(web.url("/endless"), max_bytes=1_000_000)))
    assert (failure.kind, failure.sent, failure.status) == (FailureKind.TOO_LARGE, True, 200)


def test_a_body_announced_too_large_is_not_read(web: WebDouble, client: Client) -> None:
    web.answer("/large", Answer(body=b"x" * 2_000_000))
    assert (
        failed(client.fetch_one(Request(web.url("/large"), max_bytes=1_999_999))).kind
        is FailureKind.TOO_LARGE
    )
    assert len(answered(client.fetch_one(Request(web.url("/large"), max_bytes=2_000_000))).body) == 2_000_000


def test_the_cap_counts_what_was_unpacked(web: WebDouble, client: Client) -> None:
    web.answer("/bomb", gzip_bomb(30))
    assert (
        failed(client.fetch_one(Request(web.url("/bomb"), max_bytes=1_000_000))).kind is FailureKind.TOO_LARGE
    )
    web.answer("/small", gzip_bomb(1))
    assert answered(client.fetch_one(Request(web.url("/small")))).body == bytes(1024 * 1024)


def test_headers_without_end_are_cut_off(web: WebDouble, client: Client) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(100))
    web.answer("/many", Answer(raw=b"HTTP/1.1 200 OK\r\n" + many + b"Content-Length: 0\r\n\r\n"))
    web.answer("/interim", Answer(raw=b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 5000))
    for path in ("/many", "/interim"):
        assert failed(client.fetch_one(Request(web.url(path)))).kind is FailureKind.TOO_LARGE


def test_an_interim_answer_leaves_no_headers_behind(web: WebDouble, client: Client) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
    web.answer("/x", Answer(raw=interim + b"HTTP/1.1 200 OK\r\nX-Late: 1\r\nContent-Length: 2\r\n\r\nok"))
    answer = answered(client.fetch_one(Request(web.url("/x"))))
    assert (answer.status, answer.header("x-early"), answer.header("x-late")) == (200, None, "1")


def test_a_silent_host_and_a_slow_one_are_given_up(web: WebDouble, client: Client) -> None:
    web.answer("/hang", Answer(hang=True))
    web.answer("/drip", Answer(body=b"x" * 1000, drip_s=0.05))
    requests = [Request(web.url(path), total_timeout_s=0.4) for path in ("/hang", "/drip")]
    for _, answer in client.fetch(requests):
        failure = failed(answer)
        assert (failure.kind, failure.sent) == (FailureKind.TIMEOUT, True)


def test_a_drip_ends_before_the_time_is_up(web: WebDouble, client: Client) -> None:
    web.answer("/drip", Answer(body=b"x" * 10_000, drip_s=0.1))
    failure = failed(client.fetch_one(Request(web.url("/drip"), total_timeout_s=60)))
    assert (failure.kind, failure.detail) == (FailureKind.TIMEOUT, "the answer drips too slowly")
    assert 4000 < failure.phases.total_ms < 10_000


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(drop="silent"), FailureKind.INTERRUPTED),
        (Answer(drop="half", body=b"x" * 100), FailureKind.INTERRUPTED),
        (Answer(raw=b"SSH-2.0-OpenSSH\r\n"), FailureKind.PROTOCOL),
        (
            Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
            FailureKind.PROTOCOL,
        ),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), FailureKind.PROTOCOL),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), FailureKind.INTERRUPTED),
    ],
)
def test_a_broken_answer_has_its_kind_and_may_have_been_sent(
    web: WebDouble, client: Client, answer: Answer, kind: FailureKind
) -> None:
    web.answer("/x", answer)
    failure = failed(client.fetch_one(Request(web.url("/x"), method="POST", body=b"x")))
    assert (failure.kind, failure.sent) == (kind, True)


def test_nobody_home_means_not_sent(client: Client) -> None:
    with WebDouble() as gone:
        url = gone.url("/")
    failure = failed(client.fetch_one(Request(url)))
    assert (failure.kind, failure.sent) == (FailureKind.CONNECT, False)
    unknown = failed(client.fetch_one(Request("http://nobody.invalid/")))
    assert (unknown.kind, unknown.sent) == (FailureKind.DNS, False)


@pytest.mark.parametrize(
    ("request_given", "times_seen"),
    [
        (Request("", method="GET"), 2),
        (Request("", method="POST", body=b"x", repeatable=True), 2),
        (Request("", method="POST", body=b"x"), 1),
    ],
)
def test_what_a_broken_kept_connection_carried_goes_once_more_only_where_it_may(
    web: WebDouble, client: Client, request_given: Request, times_seen: int
) -> None:
    answered(client.fetch_one(Request(web.url("/feed"))))
    web.answer("/x", Answer(drop="silent"))
    failure = failed(client.fetch_one(replace(request_given, url=web.url("/x"))))
    assert (failure.kind, failure.sent) == (FailureKind.INTERRUPTED, True)
    assert len(web.received) == 1 + times_seen


def test_a_kept_connection_that_broke_unused_is_not_noticed(web: WebDouble, client: Client) -> None:
    for request in (Request(web.url("/feed")), Request(web.url("/feed"), method="POST", repeatable=True)):
        answered(client.fetch_one(request))
        web.hang_up()
        time.sleep(0.02)
        assert answered(client.fetch_one(request)).status == 200
    assert len(web.received) == 4


def test_what_must_not_go_twice_avoids_a_kept_connection_that_is_seen_to_be_closed(
    web: WebDouble, client: Client
) -> None:
    request = Request(web.url("/feed"), method="POST", body=b"x")
    answered(client.fetch_one(request))
    web.hang_up()
    time.sleep(1.1)  # libcurl looks for closed connections once a second
    assert answered(client.fetch_one(request)).status == 200


def test_only_a_trusted_certificate_is_accepted(tmp_path: Path, open_client: OpenClient) -> None:
    context, trusted = self_signed(tmp_path)
    with WebDouble(tls=context) as secure:
        secure.answer("/x", Answer(body=b"ok"))
        failure = failed(open_client().fetch_one(Request(secure.url("/x"))))
        assert (failure.kind, failure.sent) == (FailureKind.TLS, False)
        answer = answered(open_client(ca_file=str(trusted)).fetch_one(Request(secure.url("/x"))))
        assert answer.body == b"ok"
        assert answer.phases.tls_ms > 0
        client = open_client(ca_file=str(trusted), resolve={"other.example": ["127.0.0.1"]})
        stranger = failed(client.fetch_one(Request(secure.url("/x", host="other.example"))))
        assert (stranger.kind, stranger.sent) == (FailureKind.TLS, False)


def test_tls_to_a_plain_port_fails_as_tls(web: WebDouble, client: Client) -> None:
    failure = failed(client.fetch_one(Request(web.url("/feed").replace("http:", "https:"))))
    assert (failure.kind, failure.sent) == (FailureKind.TLS, False)
