"""The restart matrix: the whole house is ended or killed in the middle of a big sending, at random moments.

So many readers of one notice. When some hundreds have their mail everything is ended (SIGTERM) or killed
(SIGKILL), and starts again; in every fourth round the mail server takes some letters and hangs up instead of
answering. Letters are counted where they arrive, by their Message-ID. `make chaos ARGS="restarts --help"`.
"""

import argparse
import random
import re
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from services.errors import GoniecError
from tests.doubles.smtp import DropAfterDot, Refuse, Script, SmtpSink
from tests.factories import only, rows
from tests.journeys.chaos import Town, town
from tests.journeys.house import House

DELAY_S = 0.005  # how long the mail server takes for one letter
FIRST_AFTER = 350  # of the first round; the others have random moments
HANG_UPS = 20
SETTLE_S = 0.3  # what is in the sockets of the dead still arrives
BEGIN_WITHIN_S, ARRIVE_WITHIN_S, RETRIED_WITHIN_S = 60.0, 90.0, 120.0
_ID = re.compile(rb"(?mi)^Message-ID: <([^@>]+)@")


ENDS: dict[str, Callable[[House], None]] = {"SIGTERM": House.stop, "SIGKILL": House.crash}


@dataclass(frozen=True, slots=True)
class Round:
    """What one restart cost. `in_flight` had arrived when all was dead and were not written down; `hung_up`
    were taken without an answer, so that they must come again."""

    end: str
    after: int
    readers: int
    lost: int = 0
    doubled: int = 0
    in_flight: int = 0
    hung_up: int = 0
    took_s: float = 0.0
    fault: str = ""

    @property
    def is_kept(self) -> bool:
        allowed = (self.in_flight if self.end == "SIGKILL" else 0) + self.hung_up
        return not self.fault and self.lost == 0 and self.doubled <= allowed


def play(place: Town, planned: Round) -> Round:
    """One round, which ends by itself: every wait in it has its limit."""
    began, house = time.monotonic(), place.house
    place.mail_server.received.clear()
    place.mail_server.script.behaviours.clear()
    apart = max(1, planned.readers // max(1, planned.hung_up))  # a run of them would end a lane
    for address in place.readers[::apart][: planned.hung_up]:
        place.mail_server.script.behaviours[address] = deque([DropAfterDot(), Refuse(250)])
    since = only(house.rt, "SELECT coalesce(max(id), 0) AS id FROM deliveries")["id"]
    token = f"call-{time.monotonic_ns()}"
    answer = house.ask("POST", "/v1/notices", {"key": token, "kind": "call", "title": token}, key=place.key)
    assert answer.status == 201, answer.body
    house.wait(lambda: len(place.mail_server.received) >= planned.after, within_s=BEGIN_WITHIN_S)
    ENDS[planned.end](house)
    dead_at = datetime.now(UTC)
    time.sleep(SETTLE_S)
    came = set(_arrived(place, token))
    house.start()
    in_flight = len(came - _sent(house, since, before=dead_at))
    within_s = ARRIVE_WITHIN_S + (RETRIED_WITHIN_S if planned.hung_up else 0)
    give_up = time.monotonic() + within_s
    while len(_sent(house, since)) < planned.readers and time.monotonic() < give_up:
        time.sleep(0.3)
    arrived = _arrived(place, token)
    return replace(
        planned, lost=planned.readers - len(arrived), doubled=arrived.total() - len(arrived),
        in_flight=in_flight, took_s=time.monotonic() - began,
    )  # fmt: skip


def _arrived(place: Town, token: str) -> Counter[str]:
    """How often each letter about this round's notice came."""
    found: Counter[str] = Counter()
    for one in list(place.mail_server.received):
        if token.encode() in one.message:
            name = _ID.search(one.message)
            assert name is not None
            found[name.group(1).decode()] += 1
    return found


def _sent(house: House, since: int, before: datetime | None = None) -> set[str]:
    """The letters that the tables call sent; those written down before a time."""
    asked = """
        SELECT uid FROM deliveries
        WHERE id > :since AND state = 'sent' AND finished_at <= coalesce(:before, finished_at)
    """
    return {row["uid"].hex for row in rows(house.rt, asked, since=since, before=before)}


def run(planned: Sequence[Round]) -> Iterator[Round]:
    """Play rounds one after the other; after one that went wrong the next gets a new house."""
    left = list(planned)
    while left:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(SmtpSink(Script(delay_s=DELAY_S)))
            house = stack.enter_context(House(folder, smtp_url=server.url))
            place = stack.enter_context(town(house, server, readers=left[0].readers, endpoints=0))
            while left:
                done = _played(place, left.pop(0))
                yield done
                if done.fault:
                    break


def _played(place: Town, planned: Round) -> Round:
    try:
        return play(place, planned)
    except (AssertionError, GoniecError, OSError, psutil.Error) as error:
        return replace(planned, fault=f"{type(error).__name__}: {str(error)[:300]}")


def plan(rounds: int, readers: int, seed: int) -> list[Round]:
    """Each end in each round, at the round's moment; the first is where listmonk loses its readers."""
    chance = random.Random(seed)
    planned = []
    for number in range(rounds):
        moment = chance.randrange(1, readers * 9 // 10)
        after = FIRST_AFTER if number == 0 and readers > FIRST_AFTER else moment
        hung_up = min(HANG_UPS, readers // 10) if number % 4 == 3 else 0
        planned += [Round(end, after, readers, hung_up=hung_up) for end in ENDS]
    return planned


def main(arguments: Sequence[str] | None = None) -> int:
    read = argparse.ArgumentParser(
        prog='make chaos ARGS="restarts …"', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    read.add_argument("--rounds", type=int, default=20, help="how often each end comes (20)")
    read.add_argument("--readers", type=int, default=3_000, help="who get the one notice (3000)")
    read.add_argument("--seed", type=int, default=1, help="of the random moments (1)")
    given = read.parse_args(arguments)
    print(f"{given.rounds} rounds, {given.readers} readers, seed {given.seed}")
    print(
        f"{'end':9}{'after':>7}{'hung up':>9}{'lost':>6}{'doubled':>9}{'in flight':>11}{'took s':>8}  promise"
    )
    done = []
    for one in run(plan(given.rounds, given.readers, given.seed)):
        done.append(one)
        _tell(one)
    _sum_up(done)
    return 0 if all(one.is_kept for one in done) else 1


def _tell(one: Round) -> None:
    print(
        f"{one.end:9}{one.after:>7}{one.hung_up:>9}{one.lost:>6}{one.doubled:>9}{one.in_flight:>11}"
        f"{one.took_s:>8.1f}  {'kept' if one.is_kept else 'BROKEN'} {one.fault}".rstrip(),
        flush=True,
    )


def _sum_up(done: Sequence[Round]) -> None:
    for end in ENDS:
        mine = [one for one in done if one.end == end]
        print(
            f"{end}: {len(mine)} rounds, {sum(one.readers for one in mine)} letters,"
            f" {sum(one.lost for one in mine)} lost, {sum(one.doubled for one in mine)} doubled"
            f" ({sum(one.hung_up for one in mine)} of them taken without an answer),"
            f" {sum(not one.is_kept for one in mine)} broken"
        )
