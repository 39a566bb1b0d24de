"""No endpoint makes us call an inner address: not when it is named, not when it is changed, not when it is
dialled, and not when its name server changes its mind."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.errors import AddressRefused
from services.manage import accounts, endpoints, handshake
from services.pipeline import deliver, match
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import WebDouble
from tests.factories import carry, listener, only, publish, rows

# Every spelling here leads inside, or is no address at all.
INNER = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://017700000001/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://0177.0.0.01/", "http://127.0.0.1./", "http://0/", "http://0.0.0.0:8080/",
    "http://localhost/", "http://LOCALHOST./", "http://hooks.localhost/",
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:10.1.2.3]/",
    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::192.168.0.1]/", "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2001:0:7f00:1:0:0:f7f7:f7f7]/",
    "http://[2001:0:808:808:0:0:80ff:fffe]/", "http://[2a00:1450:4001::5efe:127.0.0.1]/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[fc00::1]/",
    "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[fec0::1]/",
    "http://10.0.0.1/", "http://172.16.5.4/", "http://192.168.1.1/", "http://100.64.0.1/", "http://198.18.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9fea9fe/", "http://169.16689662/",
    "http://169.254.170.2/", "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/",
    "http://224.0.0.1/", "http://255.255.255.255/", "http://192.0.2.1/",
    "http://１２７．０．０．１/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "http://１２７.1/", "http://ｌｏｃａｌｈｏｓｔ/",
    "http://user@8.8.8.8/", "http://user:pass@8.8.8.8/", "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1#@8.8.8.8/",
    "http://8.8.8.8\\@127.0.0.1/", "http://8.8.8.8:0/", "http://8.8.8.8:65536/", "http://8.8.8.8:80:80/",
    "http://127.0.0.1:22/", "http://127.0.0.1%00.example.org/", "http://127.0.0.1\t.example.org/",
    "http://127%2e0%2e0%2e1/", "http://127.0.0.1.../", "http://256.0.0.1/", "http://1.2.3.4.5/", "http://08.8.8.8/",
    "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "//127.0.0.1/", "http:///",
    "x",
]  # fmt: skip


class NameServer(dict[str, list[str]]):
    """Answers one name with what it is given, question by question; the last answer stays."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__({"hooks.example": answers[0]})
        self._left = deque(answers)

    def get(self, host: str, default: Any = None) -> Any:
        if host != "hooks.example":
            return default
        return self._left.popleft() if len(self._left) > 1 else self._left[0]


@pytest.fixture
def strict(open_runtime: OpenRuntime) -> Runtime:
    """A runtime that may dial no inner network at all."""
    return open_runtime(allow_networks="")


@pytest.fixture
def client(strict: Runtime) -> Iterator[TestClient]:
    key = accounts.create_key(strict, consumer="integrator").key
    with TestClient(make_app(strict), headers={"Authorization": f"Bearer {key}"}) as made:
        yield made


def test_no_spelling_of_an_inner_address_is_taken(strict: Runtime) -> None:
    for url in INNER:
        with pytest.raises(AddressRefused):
            listener(strict, url)
        assert endpoints.list_for(strict, None) == [], url


def test_none_is_taken_in_the_place_of_a_good_one(open_runtime: OpenRuntime) -> None:
    strict = open_runtime(allow_networks="", resolve={"hooks.example": ["8.8.8.8"]})
    uid = listener(strict, "https://hooks.example/").endpoint.uid
    for url in INNER:
        with pytest.raises(AddressRefused):
            endpoints.patch(strict, None, uid, url=url)
    assert endpoints.show(strict, None, uid).url == "https://hooks.example/"


def test_the_api_refuses_them_with_a_problem_and_names_no_inner_answer(client: TestClient) -> None:
    for url in INNER:
        answer = client.post("/v1/endpoints", json={"url": url, "query": "kind:call"})
        assert answer.status_code == 422, url
        assert answer.headers["content-type"] == "application/problem+json"


def test_none_is_dialled_though_it_stands_in_the_database(strict: Runtime, rt: Runtime) -> None:
    for number in range(len(INNER)):
        listener(rt, "http://127.0.0.1:9/", consumer=f"c-{number}")
    ids = [row["id"] for row in rows(rt, "SELECT id FROM endpoints ORDER BY id")]
    for endpoint_id, url in zip(ids, INNER, strict=True):
        rows(rt, "UPDATE endpoints SET url = :url WHERE id = :id RETURNING id", url=url, id=endpoint_id)
    publish(rt)
    match.run(rt)

    deliver.run_webhooks(strict)

    done = rows(
        rt, "SELECT d.state, d.detail, p.url FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id"
    )
    assert len(done) == len(INNER)
    for row in done:
        assert row["state"] == "failed", row
        assert row["detail"].startswith("address_refused"), row
    assert {row["status"] for row in rows(rt, "SELECT status FROM attempts")} == {None}


def test_a_name_that_turns_inward_after_it_was_named_is_refused_at_the_dial(
    open_runtime: OpenRuntime, receiver: WebDouble
) -> None:
    strict = open_runtime(allow_networks="", resolve=NameServer(["8.8.8.8"], ["127.0.0.1"]))
    listener(strict, receiver.url("/hook", host="hooks.example"))
    publish(strict)
    carry(strict)

    attempt = only(strict, "SELECT outcome, address, kind, fault FROM attempts")
    assert attempt == {
        "outcome": "failed",
        "address": "127.0.0.1",
        "kind": "address_refused",
        "fault": "theirs",
    }
    assert receiver.connections == 0


def test_the_handshake_is_guarded_as_a_call_is(open_runtime: OpenRuntime, receiver: WebDouble) -> None:
    strict = open_runtime(allow_networks="", resolve=NameServer(["8.8.8.8"], ["127.0.0.1"]))
    uid = listener(strict, receiver.url("/hook", host="hooks.example")).endpoint.uid
    view = handshake.ask(strict, None, uid)
    assert view.consent_because is not None
    assert "must not be dialled" in view.consent_because
    assert receiver.connections == 0


@pytest.mark.parametrize("answers", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]])
def test_one_inner_answer_among_good_ones_refuses_the_name(
    open_runtime: OpenRuntime, receiver: WebDouble, answers: list[str]
) -> None:
    strict = open_runtime(allow_networks="", resolve={"hooks.example": answers})
    with pytest.raises(AddressRefused):
        listener(strict, receiver.url("/hook", host="hooks.example"))


def test_a_name_that_mixes_answers_after_it_was_named_gets_no_call(
    open_runtime: OpenRuntime, receiver: WebDouble
) -> None:
    # 127.0.0.2 is inside, 127.0.0.1 stands for a public address here: it answers, and is refused with it.
    names = NameServer(["127.0.0.1"], ["127.0.0.2", "127.0.0.1"])
    strict = open_runtime(allow_networks="127.0.0.1/32", resolve=names)
    listener(strict, receiver.url("/hook", host="hooks.example"))
    publish(strict)
    carry(strict)
    assert only(strict, "SELECT state FROM deliveries")["state"] == "failed"
    assert receiver.received == []
