"""A publisher that scores its readers as the known tests of feed readers do, by a clock that the test turns.

Every request that a good reader would not have sent is a fault with its reason. It must never be lenient:
what it cannot explain it writes down.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from services.clock import FrozenClock
from tests.doubles.web import ROBOTS, Answer, Received, WebDouble
from tests.feeds.bodies import rss

SHORTEST = timedelta(minutes=15)
SIGHTINGS, SIGHTED_FOR = 10, timedelta(days=7)  # of a permanent redirect, before it is believed
AGENT = re.compile(r"Goniec/\d+\.\d+\.\d+ \(\+https?://[^\s;]+; \d+ subscribers\)")
UNWANTED = ("cookie", "referer", "from", "authorization", "pragma", "cache-control")


@dataclass
class Shelf:
    """One feed: how often it says something new, and how it wants to be read.

    `max_age`, `expires` and `ttl` ask readers to stay away for so long; `gives` are its validators.
    `refusals`: from a time on it answers a status with Retry-After, until that is over.
    `moved`: this is only a sign to another path, with its status. From `gone_from` on there is nothing left.
    `is_delta`: whom it knows the last answer of, it tells only what is new since (RFC 3229).
    """

    path: str
    every: timedelta = timedelta(hours=48)
    max_age: timedelta | None = None
    expires: timedelta | None = None
    ttl: timedelta | None = None
    gives: tuple[str, ...] = ("etag", "last-modified")
    is_chatty_304: bool = True
    moved: tuple[str, int] | None = None
    gone_from: datetime | None = None
    is_delta: bool = False
    refusals: list[tuple[datetime, int, timedelta]] = field(default_factory=list)
    not_before: datetime | None = None
    why: str = ""
    given: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    seen: list[datetime] = field(default_factory=list)
    said_gone: bool = False
    deltas: int = 0


class Publisher:
    def __init__(self, web: WebDouble, clock: FrozenClock, *shelves: Shelf) -> None:
        self._clock = clock
        self._began = clock.now()
        self._shelves = {shelf.path: shelf for shelf in shelves}
        self.faults: list[str] = []
        self.asked: list[tuple[datetime, str]] = []
        self._under_way = 0
        self._robots_at: datetime | None = None
        web.answer(ROBOTS, self._say_nothing_of_robots)
        web.answer("*", self._serve)

    def requests(self, path: str) -> int:
        return sum(one == path for _, one in self.asked)

    def lost(self, since: int) -> None:
        """The reader died with the answers to the requests from this one on: what they gave it cannot know.

        That they were asked for still counts, and so does how long they said to wait.
        """
        for _, path in self.asked[since:]:
            if path == ROBOTS:
                self._robots_at = None
                continue
            self._shelves[path].given = self._shelves[path].before
            self._shelves[path].said_gone = False

    def _say_nothing_of_robots(self, got: Received) -> Answer:
        """A reader may ask once a day what it is allowed."""
        now = self._clock.now()
        with self._alone(got):
            if not AGENT.fullmatch(got.headers.get("user-agent", "")):
                self._fault(got, "it does not say who it is")
            if self._robots_at and now - self._robots_at < timedelta(hours=23):
                self._fault(got, "twice within a day")
            self._robots_at = now
        return Answer(status=404)

    def _serve(self, got: Received) -> Answer:
        with self._alone(got):
            path, _, query = got.path.partition("?")
            shelf = self._shelves.get(path)
            if shelf is None or query:
                self._fault(got, "an address that nobody gave out")
                return Answer(status=404)
            self._judge(shelf, got)
            return self._answer(shelf, got)

    @contextmanager
    def _alone(self, got: Received) -> Iterator[None]:
        self._under_way += 1
        if self._under_way > 1:
            self._fault(got, "a second request before the first was answered")
        last = self.asked[-1][0] if self.asked else None
        if last is not None and self._clock.now() - last < timedelta(seconds=1):
            self._fault(got, "no pause after the last request")
        self.asked.append((self._clock.now(), got.path))
        yield
        self._under_way -= 1

    def _judge(self, shelf: Shelf, got: Received) -> None:
        now = self._clock.now()
        if not AGENT.fullmatch(got.headers.get("user-agent", "")):
            self._fault(got, "it does not say who it is")
        if got.method != "GET":
            self._fault(got, f"a {got.method}")
        for name in UNWANTED:
            if name in got.headers:
                self._fault(got, f"it sends {name}")
        if "gzip" not in got.headers.get("accept-encoding", ""):
            self._fault(got, "it wants no compression")
        if shelf.not_before and now < shelf.not_before:
            self._fault(got, f"{shelf.not_before - now} too early ({shelf.why})")
        if shelf.seen and now - shelf.seen[-1] < SHORTEST:
            self._fault(got, "twice within a quarter of an hour")
        if shelf.said_gone:
            self._fault(got, "it asks on though told that it is gone")
        self._judge_way(shelf, got)
        shelf.seen.append(now)
        shelf.before = shelf.given
        self._judge_validators(shelf, got)

    def _judge_way(self, shelf: Shelf, got: Received) -> None:
        """Who comes to the target of a sign without having been at the sign has changed the address."""
        for sign in self._shelves.values():
            if sign.moved is None or sign.moved[0] != shelf.path:
                continue
            if sign.seen and (not shelf.seen or sign.seen[-1] > shelf.seen[-1]):
                return
            if sign.moved[1] not in (301, 308):
                self._fault(got, f"it took a {sign.moved[1]} for a new address")
            elif len(sign.seen) < SIGHTINGS or self._clock.now() - sign.seen[0] < SIGHTED_FOR:
                self._fault(got, f"it believed a {sign.moved[1]} too soon")

    def _judge_validators(self, shelf: Shelf, got: Received) -> None:
        sent = {
            name: got.headers[header]
            for name, header in (("etag", "if-none-match"), ("last-modified", "if-modified-since"))
            if header in got.headers
        }
        if sent == shelf.given:
            return
        if not sent:
            self._fault(got, "an unconditional repeat")
        for name, value in sent.items():
            if value != shelf.given.get(name):
                self._fault(got, f"a {name} made up or out of sequence: {value}")
        for name in shelf.given.keys() - sent.keys():
            self._fault(got, f"it sends back no {name}")

    def _answer(self, shelf: Shelf, got: Received) -> Answer:
        now = self._clock.now()
        for at, status, wait in shelf.refusals:
            if at <= now < at + wait:
                left = at + wait - now
                for one in self._shelves.values():  # who has enough has enough of all that we ask
                    one.not_before, one.why = at + wait, f"told to retry after by a {status}"
                return Answer(status=status, headers=(("Retry-After", _retry(left, status, now)),))
        cookie = (("Set-Cookie", "visitor=42; Path=/"),)
        if shelf.moved:
            target, status = shelf.moved
            return Answer(status=status, headers=(("Location", target), *cookie))
        if shelf.gone_from and now >= shelf.gone_from:
            shelf.said_gone = True
            return Answer(status=410)
        return self._content(shelf, got, cookie)

    def _content(self, shelf: Shelf, got: Received, cookie: tuple[tuple[str, str], ...]) -> Answer:
        now = self._clock.now()
        number = int((now - self._began) / shelf.every)
        newest = self._began + number * shelf.every
        current = {"etag": f'W/"{shelf.path}-{number}"', "last-modified": _http(newest)}
        current = {name: value for name, value in current.items() if name in shelf.gives}
        same = bool(shelf.given) and current == shelf.given
        headers = (*_asking(shelf, now), *((n.title(), v) for n, v in current.items()), *cookie)
        self._let_rest(shelf, now)
        if same and got.headers.keys() & {"if-none-match", "if-modified-since"}:
            return Answer(status=304, headers=headers if shelf.is_chatty_304 else ())
        known = re.search(r"-(\d+)\"$", shelf.given.get("etag", ""))
        is_delta = bool(shelf.is_delta and known and "feed" in got.headers.get("a-im", ""))
        shelf.deltas += is_delta
        shelf.given = current
        shown = number - int(known[1]) if is_delta and known else 6
        dates = [newest - one * shelf.every for one in range(shown)]
        items = [
            f"<title>Nabór {number - age}</title><guid>{shelf.path}-{number - age}</guid>"
            f"<pubDate>{format_datetime(date)}</pubDate>"
            for age, date in enumerate(dates)
        ]
        ttl = f"<ttl>{int(shelf.ttl.total_seconds() // 60)}</ttl>" if shelf.ttl else ""
        head = f"<title>Miasto</title>{ttl}"
        kind = ("Content-Type", "application/rss+xml")
        partial = (("IM", "feed"),) if is_delta else ()
        return Answer(
            226 if is_delta else 200, headers=(kind, *partial, *headers), body=rss(*items, head=head)
        )

    def _let_rest(self, shelf: Shelf, now: datetime) -> None:
        for name in ("max_age", "expires", "ttl"):
            wait: timedelta | None = getattr(shelf, name)
            if wait is not None:
                shelf.not_before, shelf.why = now + wait, name

    def _fault(self, got: Received, why: str) -> None:
        self.faults.append(f"{self._clock.now():%d %H:%M:%S} {got.path}: {why}")


def _asking(shelf: Shelf, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Date", _http(now)
    if shelf.max_age:
        yield "Cache-Control", f"public, max-age={int(shelf.max_age.total_seconds())}"
    if shelf.expires:
        yield "Expires", _http(now + shelf.expires)


def _retry(left: timedelta, status: int, now: datetime) -> str:
    """Seconds, or a date: both are in use."""
    whole = timedelta(seconds=math.ceil(left.total_seconds()))
    return str(int(whole.total_seconds())) if status == 429 else _http(now + whole + timedelta(seconds=1))


def _http(at: datetime) -> str:
    return format_datetime(at.replace(microsecond=0), usegmt=True)
