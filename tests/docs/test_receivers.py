"""The example receivers, started for real: they take what Goniec signs, and nothing else."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest

from services.channels.base import OutcomeKind
from services.channels.webhook import Call, WebhookChannel
from services.clock import SystemClock
from services.domain import signing
from services.http import Client
from tests.docs import guides

EXAMPLES = guides.DOCS / "examples"
RECEIVERS = ("receiver.py", "receiver.mjs")
BODY = '{"type":"pl.goniec.notice.published.v1","data":{"title":"Nabór"}}'.encode()
SECRET, OTHER = signing.new_secret(), signing.new_secret()
ID = "msg_1"
START_S = 20.0


@dataclass(frozen=True)
class Receiver:
    """A receiver that runs; `end` stops it and gives what it printed."""

    process: subprocess.Popen[bytes]
    port: int

    def post(self, headers: dict[str, str], body: bytes = BODY) -> int:
        """The status of its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def end(self) -> list[str]:
        self.process.terminate()
        out, _ = self.process.communicate(timeout=10)
        return out.decode().splitlines()


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    port = free_port()
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    process = subprocess.Popen(
        [program(request.param), str(EXAMPLES / request.param)], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    started = Receiver(process, port)
    try:
        wait_for(started)
        yield started
    finally:
        if process.poll() is None:
            started.end()
        if process.stdout is not None:
            process.stdout.close()


def program(example: str) -> str:
    if example.endswith(".py"):
        return sys.executable
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH: the receiver in JavaScript is left out")
    return node


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(started: Receiver) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", started.port), timeout=1).close()
        except OSError:
            assert started.process.poll() is None, "the receiver has ended"
            assert time.monotonic() < until, "the receiver does not listen"
            time.sleep(0.05)
        else:
            return


def signed(*secrets: str, at: datetime | None = None, uid: str = ID) -> dict[str, str]:
    """The headers of a call as Goniec makes them; signed with `SECRET` when no other is named."""
    at = at or SystemClock().now()
    return {
        "content-type": "application/json",
        "webhook-id": uid,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(secrets or (SECRET,), uid, at, BODY),
    }


def test_what_the_channel_sends_is_taken(receiver: Receiver) -> None:
    http = Client("Goniec/test", allow_networks=(ip_network("127.0.0.0/8"),))
    call = Call(
        ID, f"http://127.0.0.1:{receiver.port}/", (SECRET,), BODY, "pl.goniec.notice.published.v1",
        SystemClock().now(),
    )  # fmt: skip
    try:
        ((_, outcome),) = WebhookChannel(http).send([call])
    finally:
        http.close()
    assert (outcome.state, outcome.status) == (OutcomeKind.SENT, 204)
    assert receiver.end() == [f"{ID} {BODY.decode()}"]


def test_a_call_that_comes_twice_is_taken_twice_and_used_once(receiver: Receiver) -> None:
    assert [receiver.post(signed()), receiver.post(signed())] == [204, 204]
    assert len(receiver.end()) == 1


def test_either_secret_of_a_rotation_will_do(receiver: Receiver) -> None:
    assert receiver.post(signed(OTHER, SECRET)) == 204
    assert receiver.post(signed(SECRET, OTHER)) == 204


def test_what_is_not_signed_so_is_refused_and_unused(receiver: Receiver) -> None:
    now = SystemClock().now()
    assert receiver.post(signed(OTHER)) == 401
    assert receiver.post(signed(), BODY + b" ") == 401
    assert receiver.post({**signed(), "webhook-id": "msg_2"}) == 401
    assert receiver.post({**signed(), "webhook-signature": ""}) == 401
    assert receiver.post({**signed(), "webhook-signature": "v1,żółw v2,ok".encode().decode("latin-1")}) == 401
    assert receiver.post({"content-type": "application/json"}) == 401
    assert receiver.post(signed(at=now - timedelta(minutes=6))) == 401
    assert receiver.post(signed(at=now + timedelta(minutes=6))) == 401
    assert receiver.post({**signed(), "webhook-timestamp": "soon"}) == 401
    assert receiver.end() == []


def test_a_caller_that_breaks_off_does_no_harm(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=5) as broken:
        broken.sendall(b"POST / HTTP/1.1\r\nHost: receiver\r\nContent-Length: 1000\r\n\r\n{")
    assert receiver.post(signed()) == 204


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_has_about_twenty_lines(name: str) -> None:
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 22


def test_the_guide_shows_the_receiver_as_it_is() -> None:
    (shown,) = guides.blocks("webhooks.md", "python")
    assert shown.text == (EXAMPLES / "receiver.py").read_text(encoding="utf-8")
