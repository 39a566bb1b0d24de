"""Is anything lost? Parts are killed under load, and unique ids are counted at the far end.

A whole Goniec with two workers carries a steady load of events to a hundred endpoints. In the middle of it
one deed is done; when everything that was pushed should have come, what did come is held against it: lost,
doubled, and how late. `in flight` are calls that had arrived and were not written down yet at the moment of
the deed: what is at-least-once may repeat those and no others. An exit code of 1 says that a promise was
broken.
"""

import _here  # noqa: F401

# isort: split
import argparse
import dataclasses
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from json import dumps
from pathlib import Path

import _receiver
import _report
import _sinks

from services import embedded
from services import settings as settings_module
from services.embedded import Engines
from services.errors import Unavailable
from services.manage import accounts
from services.settings import Settings
from tests.factories import institution, listener, rows
from tests.journeys.house import House

HOSTS = 64
EVENTS_A_SECOND = 2.0
MOMENT = 0.3  # of all that is to come: when the deed is done
LOOK_AFTER_S = 0.3
PATIENCE_S = 60.0
THIRD_ATTEMPT_S = 420.0  # after two refusals a call comes again in five minutes


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    endpoints: int
    events: int
    outage_s: float

    @property
    def total(self) -> int:
        return self.endpoints * self.events


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A running Goniec on engines that are ours to stop, and the far end."""

    house: House
    engines: Engines
    far: _receiver.Receiver
    key: str
    sizes: Sizes


def _kill_all(place: Place, part: str) -> None:
    for pid in place.house.pids(part):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _without_redis(place: Place) -> None:
    assert place.engines.redis is not None
    place.engines.redis.kill()
    time.sleep(place.sizes.outage_s)
    place.engines.redis.start()


def _restart_postgres(place: Place) -> None:
    assert place.engines.postgres is not None
    place.engines.postgres.stop()
    place.engines.postgres.start()


def _refuse(place: Place) -> None:
    place.far.refuse(wanted=True)
    time.sleep(place.sizes.outage_s)
    place.far.refuse(wanted=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Deed:
    do: Callable[[Place], object]
    may_double: bool = False  # what ends a process between an answer and its record may repeat it
    patience_s: float = PATIENCE_S


DEEDS: Mapping[str, Deed] = {
    "nothing": Deed(lambda _: None),
    "kill -9 of a worker": Deed(
        lambda place: os.kill(place.house.pids("worker")[0], signal.SIGKILL), may_double=True
    ),
    "kill -9 of all workers": Deed(lambda place: _kill_all(place, "worker"), may_double=True),
    "kill -9 of the scheduler": Deed(lambda place: _kill_all(place, "scheduler")),
    "FLUSHALL": Deed(lambda place: place.house.flush_redis()),
    "Redis gone": Deed(_without_redis),
    "PostgreSQL restarted": Deed(_restart_postgres),
    "receiver refusing": Deed(_refuse, patience_s=PATIENCE_S + THIRD_ATTEMPT_S),
}


def main() -> int:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--quick", action="store_true", help="2,000 deliveries a deed, outages of 5 s")
    read.add_argument("--only", action="append", choices=DEEDS, help="this deed alone; may be given again")
    read.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = read.parse_args()
    sizes = Sizes(100, 20, 5.0) if given.quick else Sizes(100, 200, 60.0)
    machine = _report.machine()
    with _place(sizes) as place:
        table = []
        for name in given.only or DEEDS:
            table.append(_under(place, name, DEEDS[name]))
            print(f"{name}: {table[-1]['promise']}", file=sys.stderr, flush=True)
    figures = {
        "machine": machine,
        "load": f"{sizes.events} events to {sizes.endpoints} endpoints, {EVENTS_A_SECOND:g} events a second",
        "outage_s": sizes.outage_s,
    }
    _report.tell(figures, {"counted at the receiver": table}, as_json=given.json)
    return 0 if all(row["promise"] == "kept" for row in table) else 1


@contextmanager
def _place(sizes: Sizes) -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory(prefix="goniec-bench-") as folder,
        embedded.start(_of_engines(Path(folder))) as engines,
        _receiver.receiver(_sinks.free_port()) as far,
        House(Path(folder), smtp_url="smtp://127.0.0.1:9", database_url=engines.database_url,
              redis_url=engines.redis_url) as house,
    ):  # fmt: skip
        for number in range(sizes.endpoints):
            address = f"http://127.0.0.{2 + number % HOSTS}:{far.port}/hook/{number}"
            listener(house.rt, address, consumer="bench")
        key = accounts.create_key(house.rt, institution=institution(house.rt, "Urząd Miasta")).key
        yield Place(house, engines, far, key, sizes)


def _of_engines(folder: Path) -> Settings:
    return settings_module.of(data_dir=folder / "engines", secret_key="engines-" * 4)


def _under(place: Place, name: str, deed: Deed) -> _report.Row:
    """One round: the load, the deed in the middle of it, and the account."""
    place.far.forget()
    pushed: dict[str, float] = {}
    pushing = threading.Thread(target=_push, args=(place, name, pushed))
    pushing.start()
    moment = int(MOMENT * place.sizes.total)
    place.house.wait(lambda: place.far.count() >= moment, within_s=PATIENCE_S + 2 * moment)
    deed.do(place)
    time.sleep(LOOK_AFTER_S)
    came = place.far.came().times
    in_flight = len(set(came) - _written(place, set(came)))
    pushing.join()
    until = time.monotonic() + deed.patience_s
    while place.far.count() < place.sizes.total and time.monotonic() < until:
        time.sleep(0.5)
    time.sleep(LOOK_AFTER_S)  # for what comes once more
    return _account(place, name, deed, pushed, in_flight)


def _account(
    place: Place, name: str, deed: Deed, pushed: Mapping[str, float], in_flight: int
) -> dict[str, object]:
    found = place.far.came()
    doubled = sum(found.times.values()) - len(found.times)
    lost = place.sizes.total - len(found.times)
    late = max((at - pushed[found.titles[one]] for one, at in found.first.items()), default=0.0)
    allowed = in_flight if deed.may_double else 0
    is_kept = lost == 0 and doubled <= allowed and len(pushed) == place.sizes.events
    return {
        "deed": name,
        "deliveries": place.sizes.total,
        "arrived": len(found.times),
        "lost": lost,
        "doubled": doubled,
        "in flight": in_flight,
        "latest s": round(late, 1),
        "promise": "kept" if is_kept else "BROKEN",
    }


def _push(place: Place, name: str, pushed: dict[str, float]) -> None:
    """Push the load, at its rate; a push that fails is pushed again, as an institution would."""
    start = time.monotonic()
    for number in range(place.sizes.events):
        time.sleep(max(0.0, start + number / EVENTS_A_SECOND - time.monotonic()))
        title = f"{name} {start:.3f} {number}"
        pushed[title] = time.time()
        while not _has_pushed(place, title):
            time.sleep(0.2)


def _has_pushed(place: Place, title: str) -> bool:
    connection = HTTPConnection("127.0.0.1", place.house.settings.port, timeout=10)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {place.key}"}
    try:
        connection.request(
            "POST", "/v1/notices", dumps({"key": title, "kind": "call", "title": title}), headers
        )
        return connection.getresponse().status in (200, 201)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _written(place: Place, came: set[str]) -> set[str]:
    """Which of these the tables call sent; asked again while the database is away."""
    while True:
        try:
            found = rows(
                place.house.rt, "SELECT uid FROM deliveries WHERE channel = 'webhook' AND state = 'sent'"
            )
        except Unavailable:
            time.sleep(0.2)
            continue
        return {name for row in found if (name := f"msg_{row['uid'].hex}") in came}


if __name__ == "__main__":
    sys.exit(main())
