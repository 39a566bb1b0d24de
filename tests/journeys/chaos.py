"""The kill matrix: parts of a running house are killed in mid-delivery, and what arrives outside is counted.

`make chaos` runs all of it with repetitions and prints a table; `make test` runs a short form. Unique ids are
counted at the mail server and at the receiver of webhooks, never what our own tables claim.
"""

import argparse
import json
import os
import signal
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from services.errors import Unavailable
from services.manage import accounts
from tests.doubles.smtp import DropAfterDot, Refuse, Script, SmtpSink
from tests.doubles.web import Answer, WebDouble
from tests.factories import institution, listener, many_readers, rows
from tests.journeys.house import House

DELAY_S = 0.04  # how long the far ends take for one message
WITHIN_S = 30.0
RETRIED_WITHIN_S = 120.0
LOOK_AFTER_S = 0.2
Deed = Callable[[House], object]


def restart_postgres(house: House) -> None:
    house.kill("postgres", signal.SIGINT)


def kill_all_workers(house: House) -> None:
    for pid in house.pids("worker"):
        os.kill(pid, signal.SIGKILL)


def kill_everything(house: House) -> None:
    house.crash()
    house.start()


def restart_everything(house: House) -> None:
    house.stop()
    house.start()


DEEDS: dict[str, Deed] = {
    "nothing": lambda _: None,
    "kill -9 of a worker": lambda house: house.kill("worker"),
    "kill -9 of all workers": kill_all_workers,
    "kill -9 of the scheduler": lambda house: house.kill("scheduler"),
    "SIGTERM to a worker": lambda house: house.kill("worker", signal.SIGTERM),
    "SIGTERM to everything": restart_everything,
    "FLUSHALL": lambda house: house.flush_redis(),
    "Redis killed": lambda house: house.kill("redis-server"),
    "PostgreSQL restarted": restart_postgres,
    "PostgreSQL killed": lambda house: house.kill("postgres"),
    "kill -9 of everything": kill_everything,
}
# What ends a process between a message's acceptance and its bookkeeping may repeat it; nothing else may.
MAY_DOUBLE = frozenset(
    {"kill -9 of a worker", "kill -9 of all workers", "PostgreSQL killed", "kill -9 of everything"}
)


@dataclass(frozen=True, slots=True)
class Toll:
    """What one deed cost. `in_flight` were out but not yet written down when it happened."""

    deed: str
    sent: int
    lost: int
    doubled: int
    in_flight: int
    slowest_s: float
    unanswered: int = 0  # messages that were taken without an answer: they must come again

    @property
    def is_kept(self) -> bool:
        """Whether the promise held: nothing lost, nothing late, doubled at most what was in flight."""
        allowed = (self.in_flight if self.deed in MAY_DOUBLE else 0) + self.unanswered
        return self.lost == 0 and self.doubled <= allowed and self.slowest_s <= WITHIN_S


@dataclass(frozen=True, slots=True)
class Town:
    """A house with readers and endpoints who all ask for calls, and the far ends where they are counted."""

    house: House
    mail_server: SmtpSink
    receiver: WebDouble
    key: str
    readers: Sequence[str]
    endpoints: int

    def arrived(self, token: str) -> Counter[str]:
        """How often each unique id of this notice came, mails and calls together."""
        found = Counter(message for message, _ in self._mails(token))
        found.update(call for call, _ in self._calls(token))
        return found

    def arrivals(self, token: str) -> dict[str, float]:
        """{unique id: seconds (time.time) of its first coming}."""
        first: dict[str, float] = {}
        offset_s = time.time() - time.monotonic()
        came = [*self._mails(token), *((call, at + offset_s) for call, at in self._calls(token))]
        for name, at in sorted(came, key=lambda one: one[1], reverse=True):
            first[name] = at
        return first

    def written(self, token: str) -> set[str]:
        """Unique ids of this notice that the tables call sent."""
        found = rows(
            self.house.rt,
            """SELECT d.uid, d.channel FROM deliveries d
               LEFT JOIN issue_items i ON i.issue_id = d.issue_id
               JOIN events e ON e.id = coalesce(d.event_id, i.event_id)
               WHERE d.state = 'sent' AND e.snapshot->>'title' = :token""",
            token=token,
        )
        return {f"msg_{r['uid'].hex}" if r["channel"] == "webhook" else r["uid"].hex for r in found}

    def _mails(self, token: str) -> Iterator[tuple[str, float]]:
        for one in list(self.mail_server.received):
            if token.encode() in one.message:
                message = message_from_bytes(one.message.partition(b"\r\n\r\n")[0], policy=default)
                yield str(message["message-id"]).strip("<>").partition("@")[0], one.at

    def _calls(self, token: str) -> Iterator[tuple[str, float]]:
        for call in self.receiver.received:
            if call.body and json.loads(call.body)["data"]["title"] == token:
                yield call.headers["webhook-id"], call.at


@contextmanager
def town(house: House, mail_server: SmtpSink, *, readers: int, endpoints: int) -> Iterator[Town]:
    """Fill a house with people."""
    slug = institution(house.rt, "Urząd Miasta")
    key = accounts.create_key(house.rt, institution=slug).key
    with WebDouble() as receiver:
        receiver.answer("*", Answer(status=204, delay_s=DELAY_S))
        prefix = f"r{receiver.port}"
        addresses = many_readers(house.rt, readers, "kind:call", prefix=prefix)
        for number in range(endpoints):
            listener(house.rt, receiver.url(f"/hook/{number}"), "kind:call", consumer=prefix)
        yield Town(house, mail_server, receiver, key, addresses, endpoints)


def disturb(place: Town, deed: str, *, after: int | None = None, drops: int = 0) -> Toll:
    """Push a notice, do the deed when `after` (or a third) are delivered, and count what comes.

    For so many `drops` readers the mail server takes the message and hangs up instead of answering.
    """
    house, expected = place.house, len(place.readers) + place.endpoints
    after = expected // 3 if after is None else after
    for address in place.readers[:drops]:
        place.mail_server.script.behaviours[address] = deque([DropAfterDot(), Refuse(250)])
    token = f"call-{time.monotonic_ns()}"  # ASCII, so that it is found in an encoded mail
    published_at = time.time()
    answer = house.ask("POST", "/v1/notices", {"key": token, "kind": "call", "title": token}, key=place.key)
    assert answer.status == 201, answer.body
    house.wait(lambda: len(place.arrived(token)) > after, within_s=WITHIN_S)
    DEEDS[deed](house)
    time.sleep(LOOK_AFTER_S)
    in_flight = len(_patiently(house, lambda: set(place.arrived(token)) - place.written(token)))
    give_up = published_at + 2 * WITHIN_S + (RETRIED_WITHIN_S if drops else 0)
    while time.time() < give_up and len(_patiently(house, lambda: place.written(token))) < expected:
        time.sleep(0.2)
    arrived, first = place.arrived(token), place.arrivals(token)
    house.wait(house.is_ready)
    return Toll(
        deed=deed,
        sent=expected,
        lost=expected - len(arrived),
        doubled=sum(arrived.values()) - len(arrived),
        in_flight=in_flight,
        slowest_s=round(max(first.values(), default=published_at) - published_at, 2),
        unanswered=drops,
    )


def _patiently(house: House, look: Callable[[], set[str]]) -> set[str]:
    """Look again while the database is away."""
    found: set[str] = set()

    def has_looked() -> bool:
        nonlocal found
        try:
            found = look()
        except Unavailable:
            return False
        return True

    house.wait(has_looked)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    read = argparse.ArgumentParser(prog='make chaos ARGS="deeds …"', description=__doc__)
    read.add_argument("--rounds", type=int, default=3, help="how often each deed is done")
    read.add_argument("--readers", type=int, default=600)
    read.add_argument("--endpoints", type=int, default=200)
    read.add_argument("--only", action="append", choices=DEEDS, help="this deed alone; may be given again")
    read.add_argument("--json", action="store_true")
    given = read.parse_args(arguments)
    tolls: list[Toll] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        SmtpSink(Script(delay_s=DELAY_S)) as mail_server,
        House(Path(folder), smtp_url=mail_server.url) as house,
        town(house, mail_server, readers=given.readers, endpoints=given.endpoints) as place,
    ):
        for deed in [deed for deed in given.only or DEEDS for _ in range(given.rounds)]:
            tolls.append(disturb(place, deed))
            if not given.json:
                _tell(tolls[-1], header=len(tolls) == 1)
    if given.json:
        print(json.dumps([{**_fields(toll), "is_kept": toll.is_kept} for toll in tolls], indent=2))
    return 0 if all(toll.is_kept for toll in tolls) else 1


def _fields(toll: Toll) -> dict[str, object]:
    return {name: getattr(toll, name) for name in Toll.__slots__}


def _tell(toll: Toll, *, header: bool) -> None:
    if header:
        print(f"{'deed':28}{'sent':>7}{'lost':>6}{'doubled':>9}{'in flight':>11}{'slowest s':>11}  promise")
    print(
        f"{toll.deed:28}{toll.sent:>7}{toll.lost:>6}{toll.doubled:>9}{toll.in_flight:>11}"
        f"{toll.slowest_s:>11.2f}  {'kept' if toll.is_kept else 'BROKEN'}",
        flush=True,
    )
