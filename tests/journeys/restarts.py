"""A restart in the middle of a big sending, again and again, at random moments.

`make chaos` runs it: so many readers of one notice; the whole house is ended (SIGTERM) or killed (SIGKILL)
when some hundreds have their mail, and starts again. In some rounds the mail server
hangs up after DATA.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.doubles.smtp import Script, SmtpSink
from tests.journeys.chaos import Toll, disturb, town
from tests.journeys.house import House

DELAY_S = 0.005
FIRST_AFTER = 350
DROPS = 20
ENDS = ("SIGTERM to everything", "kill -9 of everything")


def main() -> int:
    read = argparse.ArgumentParser(prog="python -m tests.journeys.restarts", description=__doc__)
    read.add_argument("--rounds", type=int, default=20, help="how often each end comes")
    read.add_argument("--readers", type=int, default=3_000)
    read.add_argument("--seed", type=int, default=1, help="of the random moments")
    given = read.parse_args()
    chance = random.Random(given.seed)
    tolls: list[Toll] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        SmtpSink(Script(delay_s=DELAY_S)) as mail_server,
        House(Path(folder), smtp_url=mail_server.url) as house,
        town(house, mail_server, readers=given.readers, endpoints=0) as place,
    ):
        for number in range(given.rounds):
            after = chance.randrange(1, given.readers * 9 // 10) if number else FIRST_AFTER
            for end in ENDS:
                drops = DROPS if number % 4 == 3 else 0
                tolls.append(disturb(place, end, after=after, drops=drops))
                _tell(tolls[-1], after)
                mail_server.received.clear()
    return 0 if all(toll.is_kept for toll in tolls) else 1


def _tell(toll: Toll, after: int) -> None:
    print(
        f"{toll.deed:24} after {after:>5} of {toll.sent}: lost {toll.lost}, doubled {toll.doubled}"
        f" (in flight {toll.in_flight}, unanswered {toll.unanswered}), slowest {toll.slowest_s:.1f} s:"
        f" {'kept' if toll.is_kept else 'BROKEN'}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
