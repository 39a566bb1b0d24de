"""Everything from outside is hostile, and each bad thing ends in a clear outcome, at its own door."""

import json
import time
import zlib
from urllib.parse import quote

import pytest

from services.clock import FrozenClock
from services.errors import AddressRefused
from services.manage import accounts
from services.pipeline import poll
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, WebDouble, redirect
from tests.factories import carry, feed, institution, listener, only, publish, reader, rows
from tests.journeys.house import Answer as Told
from tests.journeys.house import House
from tests.mails import mails

MEGABYTE = 1024 * 1024
XML = ("Content-Type", "application/rss+xml")


@pytest.fixture
def key(house: House) -> str:
    return accounts.create_key(house.rt, institution=institution(house.rt, "Urząd próbny")).key


def half_a_gigabyte() -> Answer:
    """A feed of 500 MB that travels as half a megabyte."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(b"<rss><channel>"), *(packer.compress(bytes(MEGABYTE)) for _ in range(500))]
    body = b"".join([*parts, packer.flush()])
    return Answer(headers=(XML, ("Content-Encoding", "gzip")), body=body)


def visit(rt: Runtime) -> tuple[str, str]:
    """How the one visit ended, and what the source's page says of it."""
    row = only(rt, "SELECT f.outcome, s.last_error FROM fetches f JOIN sources s ON s.id = f.source_id")
    assert rows(rt, "SELECT id FROM notices") == []
    return row["outcome"], row["last_error"]


def test_a_feed_of_half_a_gigabyte_is_left_at_five_megabytes(rt: Runtime, web: WebDouble) -> None:
    web.answer("/feed", half_a_gigabyte())
    feed(rt, web.url("/feed"))
    poll.run(rt)

    outcome, error = visit(rt)
    assert outcome == "error"
    assert error.startswith("too large")


def test_a_feed_that_says_it_is_half_a_gigabyte_is_not_read(rt: Runtime, web: WebDouble) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {500 * MEGABYTE}\r\n\r\n"
    web.answer("/feed", Answer(raw=head.encode() + b"<rss>"))
    feed(rt, web.url("/feed"))
    poll.run(rt)

    assert visit(rt)[1].startswith("too large")


def test_a_feed_that_never_ends_is_ended(rt: Runtime, web: WebDouble) -> None:
    web.answer("/feed", Answer(headers=(XML,), body=b"<item><title>I</title></item>", endless=True))
    feed(rt, web.url("/feed"))
    poll.run(rt)

    assert visit(rt)[1].startswith("too large")


def test_redirects_that_never_end_are_followed_five_times(
    rt: Runtime, web: WebDouble, clock: FrozenClock
) -> None:
    web.answer("/a", redirect("/b"))
    web.answer("/b", redirect("/a"))
    feed(rt, web.url("/a"))
    poll.run(rt)

    assert visit(rt) == ("error", "too many redirects")
    assert len(web.received) == 1 + poll.REDIRECTS
    assert only(rt, "SELECT due_at FROM sources")["due_at"] > clock.now()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://0xa9fea9fe/",
        "http://localhost:8000/",
        "http://inner.example/hook",
        "http://mixed.example/hook",
        "file:///etc/passwd",
    ],
)
def test_a_webhook_that_leads_inside_is_refused_when_it_is_named(strict: Runtime, url: str) -> None:
    with pytest.raises(AddressRefused):
        listener(strict, url)

    assert rows(strict, "SELECT id FROM endpoints") == []


def test_a_webhook_whose_name_leads_inside_later_is_never_called(
    rt: Runtime, strict: Runtime, web: WebDouble
) -> None:
    web.answer("*", Answer(status=204))
    listener(rt, web.url("/hook"))
    rows(rt, "UPDATE endpoints SET url = :url RETURNING id", url=web.url("/hook", host="inner.example"))
    publish(rt)

    carry(strict)

    assert web.received == []
    row = only(rt, "SELECT state, detail FROM deliveries")
    assert row["state"] == "failed"
    assert row["detail"].startswith("address_refused")


@pytest.fixture
def strict(open_runtime: OpenRuntime) -> Runtime:
    """A runtime that may dial public addresses alone; two names lead inside, one of them only in part."""
    names = {"inner.example": ["127.0.0.1"], "mixed.example": ["192.0.2.7", "10.0.0.8"]}
    return open_runtime(allow_networks="", resolve=names)


@pytest.mark.parametrize(
    ("query", "column"), [("topic:(", 7), ('"nie zamknięty', 1), ("kolor:czarny", 1), ("a AND (b", 7)]
)
def test_a_broken_query_is_told_with_its_place(house: House, query: str, column: int) -> None:
    told = problem(house.ask("GET", f"/v1/interests/check?q={quote(query)}"), 422, "bad-query")

    assert told["column"] == column
    assert told["expected"]


@pytest.mark.parametrize("wrong", [None, "", "gon_" + "x" * 43, "gon_é", "x" * 5000])
def test_a_wrong_key_opens_nothing(house: House, wrong: str | None) -> None:
    answer = house.ask("POST", "/v1/notices", {"key": "a", "title": "Nie wejdzie"}, key=wrong)

    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert rows(house.rt, "SELECT id FROM notices WHERE title = 'Nie wejdzie'") == []


def test_a_key_of_the_wrong_kind_is_told_so(house: House) -> None:
    key = accounts.create_key(house.rt, consumer="tylko czyta").key

    problem(house.ask("POST", "/v1/notices", {"key": "a", "title": "T"}, key=key), 403, "forbidden")


def test_an_oversized_body_is_refused_and_the_house_stands(house: House, key: str) -> None:
    huge = b'{"key": "a", "title": "' + b"x" * (2 * MEGABYTE) + b'"}'

    problem(house.ask("POST", "/v1/notices", raw=huge, key=key), 413, "too-large")

    assert house.ask("GET", "/readyz").status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"key": 1}', b'{"title": "bez klucza"}', b"\xff\xfe"])
def test_a_body_that_is_no_notice_is_told_what_is_wrong(house: House, key: str, body: bytes) -> None:
    answer = house.ask("POST", "/v1/notices", raw=body, key=key)

    assert 400 <= answer.status < 500, answer.body
    assert json.loads(answer.body)["code"]


@pytest.mark.parametrize(
    "bad",
    [
        {"title": "\x00\x01"},
        {"key": "a\x00b"},
        {"url": "javascript:alert(1)"},
        {"url": "https://a.example/\x00"},
        {"topics": ["\x00"]},
        {"language": "\x00"},
        {"kind": "gossip"},
        {"deadline_at": "yesterday"},
        {"published_at": "9999-99-99"},
        {"title": "x" * 600_000},
        {"nonsense": True},
        {"body_html": "\ud800"},
    ],
    ids=lambda bad: str(bad)[:40],  # the environment of a process holds the name
)
def test_one_bad_item_of_a_batch_harms_no_other(house: House, key: str, bad: dict[str, object]) -> None:
    good = {"key": f"good-{time.monotonic_ns()}", "title": "Dobra wiadomość", "kind": "good_practice"}
    items = [{**good, "key": "bad", **bad}, good]

    answer = house.ask("POST", "/v1/notices/batch", {"items": items}, key=key)

    assert answer.status == 200, answer.body
    first, second = answer.json()["items"]
    assert first["outcome"] == "refused"
    assert first["error"]
    assert second["outcome"] == "published"


def test_a_title_that_would_be_a_header_stays_a_title(house: House, mail_server: SmtpSink, key: str) -> None:
    reader(house.rt, "anna@header.example", "kind:infrastructure")
    title = "Most\r\nBcc: obcy@mail.example\r\n\r\n<script>alert(1)</script>"
    notice = {"key": "most", "kind": "infrastructure", "title": title}

    answer = house.ask("POST", "/v1/notices", notice, key=key)

    assert answer.status == 201, answer.body
    house.wait(lambda: bool(mails(mail_server, "anna@header.example")))
    (mail,) = mails(mail_server, "anna@header.example")
    assert mail.message["bcc"] is None
    assert mail.subject == "Most Bcc: obcy@mail.example <script>alert(1)</script>"
    assert "<script>" not in mail.html
    assert mails(mail_server, "obcy@mail.example") == []


def problem(answer: Told, status: int, code: str) -> dict[str, object]:
    """The problem (RFC 9457) that the API told."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"].startswith("application/problem+json")
    told = answer.json()
    assert told["code"] == code
    assert told["title"]
    assert isinstance(told, dict)
    return told
