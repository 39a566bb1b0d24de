"""The matchers' matrix: two processes match by turns while interests come, change and go between events.

Again and again one is killed and another begins, the other sleeps (SIGSTOP) until the log of interests is
forgotten, or the snapshot is cut short. After each event whom it reached is held against the oracle: nobody
missed, nobody told by mistake. `make chaos ARGS="matchers --help"`.
"""

import argparse
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services import embedded, log
from services.domain.drafts import Draft
from services.errors import Conflict
from services.interests.atoms import event_atoms
from services.interests.compiled import compile_query
from services.interests.language import recall
from services.interests.naive import NaiveMatcher
from services.manage import housekeeping, subscriptions
from services.manage.subscriptions import Wish
from services.pipeline.following import refresh, save
from services.runtime import Runtime
from services.settings import Settings, child_environment
from services.storage import matching, schema
from tests.factories import draft, only, publish, reader, rows
from workers.children import ROOT

WORDS = ("dotacja", "firma", "gmina", "rower", "przetarg", "konkurs", "droga")
FORMS = ("{0}", "{0} -{1}", "{0} OR {1}", "({0} kind:call) OR {1}", "title:{0}")
NAP_S = 3.0
WITHIN_S = 60.0
_REACHED = """
    SELECT i.canonical FROM candidates c JOIN subscriptions s ON s.id = c.subscription_id
    JOIN interests i ON i.id = s.interest_id WHERE c.event_id = :event
"""


@dataclass(slots=True)
class Town:
    """A person who asks for this and that, and two matchers; what was done to them is counted."""

    rt: Runtime
    settings: Settings
    pick: random.Random
    person: int
    asked: dict[int, str] = field(default_factory=dict)
    matchers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    wakes_at: float | None = None
    kills: int = 0
    naps: int = 0
    spoiled: int = 0

    def begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.cli", "worker", "--queues=match"]
        environment = child_environment(self.settings)
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stir(self) -> None:
        """One interest comes, changes or goes."""
        query = self.pick.choice(FORMS).format(*self.pick.sample(WORDS, 2))
        mine = self.pick.choice(list(self.asked)) if self.asked else None
        deed = self.pick.random()
        try:
            if mine is None or deed < 0.55:
                made = subscriptions.add(self.rt, self.person, Wish(query))
                self.asked[made.id] = made.canonical
            elif deed < 0.8:
                self.asked[mine] = subscriptions.change(self.rt, self.person, mine, query=query).canonical
            else:
                subscriptions.remove(self.rt, self.person, mine)
                del self.asked[mine]
        except Conflict:
            pass  # asked for already

    def tell(self, told: Draft) -> set[str]:
        """Publish, and wait until it is told; whom it reached by mistake, or not at all, is the answer."""
        publish(self.rt, told)
        event_id = only(self.rt, "SELECT max(id) AS id FROM events")["id"]
        give_up = time.monotonic() + WITHIN_S
        while rows(self.rt, "SELECT id FROM events WHERE state <> 'matched'"):
            if time.monotonic() > give_up:
                raise TimeoutError("an event is told to nobody")
            time.sleep(0.02)
        reached = {row["canonical"] for row in rows(self.rt, _REACHED, event=event_id)}
        return reached ^ self._expected(event_id)

    def disturb(self) -> None:
        if self.wakes_at is not None and time.monotonic() > self.wakes_at:
            self._forget_the_log()
            self.matchers[0].send_signal(signal.SIGCONT)
            self.wakes_at = None
        deed = self.pick.random()
        if deed < 0.08 and self.wakes_at is None:
            self.matchers[0].send_signal(signal.SIGSTOP)
            self.wakes_at, self.naps = time.monotonic() + NAP_S, self.naps + 1
        elif deed > 0.95:
            self.matchers[1].kill()
            self.matchers[1].wait()
            self.matchers[1], self.kills = self.begin(), self.kills + 1
        elif 0.5 < deed < 0.55:
            refresh(self.rt, self.rt.index)
            save(self.rt, self.rt.index, after=1)
            if self.pick.random() < 0.5:
                rows(self.rt, "UPDATE index_snapshots SET data = substring(data FOR 200) RETURNING piece")
                self.spoiled += 1

    def _forget_the_log(self) -> None:
        """As if the nap had taken hours."""
        for _ in range(2):
            rows(self.rt, "UPDATE interest_log SET marked_at = now() - interval '2 hours' RETURNING id")
            housekeeping.tidy(self.rt)

    def _expected(self, event_id: int) -> set[str]:
        oracle, analyser = NaiveMatcher(), self.rt.analyser
        names = sorted(self.asked.values())
        for number, canonical in enumerate(names):
            oracle.add(number, compile_query(recall(canonical), analyser))
        with self.rt.begin() as session:
            (event,) = matching.events_as_documents(session, [event_id])
        hits = oracle.match(event_atoms(event.document, analyser, self.rt.clock.now()))
        return {names[hit.interest_id] for hit in hits}


@contextmanager
def town(folder: Path, seed: int) -> Iterator[Town]:
    with embedded.start_scratch(folder) as engines:
        rt = Runtime.open(engines.settings)
        schema.migrate(rt.engine)
        person = reader(rt, "anna@mail.example", "kind:job", cadence="daily@07:00")
        place = Town(rt, engines.settings, random.Random(seed), person.id)
        place.matchers = [place.begin(), place.begin()]
        try:
            yield place
        finally:
            for one in place.matchers:
                one.kill()
                one.wait()
            rt.close()


def main(arguments: Sequence[str] | None = None) -> int:
    read = argparse.ArgumentParser(
        prog='make chaos ARGS="matchers …"', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    read.add_argument("--events", type=int, default=400)
    read.add_argument("--seed", type=int, default=1, help="of what happens (1)")
    given = read.parse_args(arguments)
    log.configure("json")
    logging.getLogger().setLevel(logging.ERROR)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, town(Path(folder), given.seed) as place:
        for number in range(given.events):
            for _ in range(3):
                place.stir()
            title = " ".join(place.pick.sample(WORDS, 3))
            kind = place.pick.choice(("call", "news"))
            difference = place.tell(draft(f"n-{number}", title=title, kind=kind))
            wrong += len(difference)
            if difference:
                print(f"event {number}: {', '.join(sorted(difference))}", flush=True)
            place.disturb()
        print(
            f"{given.events} events, {place.kills} kills, {place.naps} naps, "
            f"{place.spoiled} snapshots spoiled: {wrong} missed or told by mistake  "
            f"promise {'BROKEN' if wrong else 'kept'}"
        )
    return 1 if wrong else 0
