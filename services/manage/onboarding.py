"""What an address would bring, told before anything goes live: which door stands there, and what it is worth.

The answer that was looked at is handed on, so that adding a source asks its publisher once. Nothing is stored
here, and an address is dialled only through the guarded client.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from feeds import discover, doors, oai, watched
from feeds.decode import decode
from feeds.discover import Tier
from feeds.errors import FeedError
from feeds.fetch import ACCEPT
from feeds.links import same_page
from feeds.pool import ParserPool
from feeds.types import Door, Entry, Feed, Habits
from services.domain.addresses import read_target
from services.domain.drafts import Draft
from services.errors import BadInput
from services.http import Request, Response
from services.pipeline import robots
from services.pipeline.visits import draft_of
from services.runtime import Runtime
from services.storage import sources as store

CANDIDATES = 5
REDIRECTS = 5
PERMANENT = frozenset({301, 308})
SHOWN = 5
PROBED = (Tier.ANCHOR, Tier.KNOWN_PATH)
KINDS = tuple(door.value for door in Door)
RULES: Mapping[str, tuple[str, ...]] = {Door.PAGE.value: watched.RULES, Door.OAI.value: oai.RULES}
Verdict = tuple[str, str]  # its code, its sentence
_OAI_WORD = re.compile(r"[A-Za-z0-9_.!~*'():-]{1,200}")


@dataclass(frozen=True, slots=True)
class Choice:
    """A feed that a page leads to; `how` says by what it was found."""

    address: str
    title: str
    how: str


@dataclass(frozen=True, slots=True)
class Twin:
    """A source that is there already and brings the same, or some of the same."""

    source_id: int
    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A notice as it would look."""

    title: str
    kind: str
    summary: str
    url: str | None
    topics: tuple[str, ...]
    places: tuple[str, ...]
    published_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of an address after one look. Verdicts are sentences for an editor; their codes are
    for those who say them in another language."""

    asked: str
    address: str
    kind: str
    format: str
    title: str | None
    language: str | None
    entries: int
    withdrawn: int
    found: tuple[Choice, ...]
    charset: str
    dates: str
    dates_code: str
    dated: int
    newest: datetime | None
    ids: str
    ids_code: str
    hub: str | None
    robots: str
    repairs: tuple[str, ...]
    twins: tuple[Twin, ...]
    notices: tuple[Glimpse, ...]
    requests: int


@dataclass(frozen=True, slots=True)
class Look:
    """A report with what it was made of; `url` is the address that was asked in the end."""

    report: Report
    answer: Response
    url: str


def look(
    rt: Runtime, address: str, *, kind: str | None = None, rules: Mapping[str, str] | None = None
) -> Look:
    """Ask an address once and tell what stands there; the feed of a page is found and asked too.

    Without `kind` a feed, a calendar and a repository are recognised. Raises BadInput with advice when there
    is nothing to be read, AddressRefused when it must not be dialled.
    """
    door = Door(checked_kind(kind)) if kind else None
    told = checked_rules(door or Door.FEED, rules or {})
    url = read_target(address).url
    rt.http.check_address(url)
    with ParserPool(size=1) as parsers:
        return _Looking(rt, parsers, url, door, told).run()


def checked_kind(kind: str) -> str:
    if kind not in KINDS:
        raise BadInput(f"There is no kind of source “{kind[:20]}”; use one of {', '.join(KINDS)}.", kind=kind)
    return kind


def checked_rules(door: Door, rules: Mapping[str, str]) -> dict[str, str]:
    """The rules for a door's reader, or BadInput that says which one is wrong and why."""
    known = RULES.get(door.value, ())
    told = {name.strip(): rule.strip() for name, rule in rules.items() if rule.strip()}
    for name, rule in told.items():
        if name not in known:
            hint = f"it knows {', '.join(known)}" if known else "it takes none"
            raise BadInput(f"A source of the kind {door} has no rule “{name[:30]}”: {hint}.", rule=name)
        fault = watched.fault_of(rule) if door is Door.PAGE else _fault_of_oai(name, rule)
        if fault:
            raise BadInput(f"The rule for {name} cannot be used: {fault}.", rule=name)
    if door is Door.PAGE and "item" not in told:
        raise BadInput(
            "A watched page needs a CSS rule that names its items, for example item=“ul.news > li”.",
            rule="item",
        )
    return told


def _fault_of_oai(name: str, rule: str) -> str | None:
    if name != "since":
        return None if _OAI_WORD.fullmatch(rule) else "it holds signs that no repository knows"
    try:
        date.fromisoformat(rule)
        return None if len(rule) == 10 else "write the day as 2026-01-31"
    except ValueError:
        return "write the day as 2026-01-31"


class _Looking:
    """One look: counts its requests, and remembers what it was led by."""

    def __init__(
        self, rt: Runtime, parsers: ParserPool, url: str, door: Door | None, rules: dict[str, str]
    ) -> None:
        self.rt, self.parsers, self.asked = rt, parsers, url
        self.door, self.rules = door, rules
        self.requests = 0
        self.found: tuple[Choice, ...] = ()
        self.robots = "not asked: robots.txt is for pages, this address is given out for machines"

    def run(self) -> Look:
        self._obey_robots(self.asked)
        answer = self._fetch(self.asked)
        if self.door is None:
            self.door = _recognised(answer.body)
            if self.door is Door.OAI:
                answer = self._fetch(self.asked)
        door = self.door or Door.FEED
        feed, why = self._read(answer, door)
        if feed is not None:
            return self._look(self.asked, answer, door, feed)
        if door is Door.FEED:
            for url, other in self._led_to(answer):
                feed, _ = self._read(other, door)
                if feed is not None:
                    return self._look(url, other, door, feed)
        raise BadInput(_advice(door, why, answer), address=self.asked)

    def _led_to(self, page: Response) -> Iterator[tuple[str, Response]]:
        """The answers of what a page says are its feeds, best first; what is only guessed asks robots.txt."""
        found = discover.candidates(
            page.url, headers=page.headers, body=page.body, content_type=page.header("content-type")
        )[:CANDIDATES]
        self.found = tuple(Choice(one.url, one.title, _HOW[one.tier]) for one in found)
        for one in found:
            if one.tier in PROBED and robots.forbidden(self.rt, [one.url]):
                continue
            try:
                yield one.url, self._fetch(one.url)
            except BadInput:
                continue

    def _obey_robots(self, url: str) -> None:
        if self.door is None or not doors.asks_robots(self.door):
            return
        if robots.forbidden(self.rt, [url]):
            raise BadInput(
                "robots.txt of this site asks machines not to read this page, so it cannot be a source."
                " Ask the publisher for a feed, or to allow Goniec.",
                address=url,
            )
        self.robots = "robots.txt allows this page"

    def _fetch(self, url: str) -> Response:
        door = self.door or Door.FEED
        accept = doors.ACCEPT.get(door, f"{ACCEPT}, text/html;q=0.5")
        to_ask = doors.address_to_ask(url, Habits(door=door, rules=self.rules))
        self.requests += 1
        answer = self.rt.http.fetch_one(Request(to_ask, headers=(("Accept", accept),), redirects=REDIRECTS))
        if not isinstance(answer, Response):
            raise BadInput(f"This address cannot be fetched: {answer.detail}.", address=url, kind=answer.kind)
        if answer.status != 200:
            raise BadInput(
                f"This address answers with status {answer.status}, not with a feed.", status=answer.status
            )
        return answer

    def _read(self, answer: Response, door: Door) -> tuple[Feed | None, str]:
        try:
            feed = self.parsers.parse_safely(
                answer.body, content_type=answer.header("content-type"), base_url=answer.url,
                now=self.rt.clock.now(), habits=Habits(door=door, rules=self.rules),
            )  # fmt: skip
        except FeedError as exc:
            return None, exc.message.rstrip(".") + "."
        return feed, ""

    def _look(self, url: str, answer: Response, door: Door, feed: Feed) -> Look:
        moved = answer.hops and all(hop.status in PERMANENT for hop in answer.hops)
        address = answer.url if moved and door is not Door.OAI else url
        decoded = decode(answer.body, content_type=answer.header("content-type"))
        hub = feed.hub_url or discover.hub_and_self(answer.headers, answer.url)[0]
        live = [entry for entry in feed.entries if not entry.is_withdrawn]
        spoken = feed.language.split("-")[0].lower()[:3] if feed.language else None
        on_dates, on_ids = _on_dates(live, door), _on_ids(live)
        dated = [entry.published_at for entry in live if entry.published_at]
        report = Report(
            asked=self.asked,
            address=address,
            kind=door.value,
            format=feed.format,
            title=" ".join(feed.title.split())[:200] or None,
            language=spoken,
            entries=len(live),
            withdrawn=len(feed.entries) - len(live),
            found=self.found,
            charset=decoded.remark or f"{decoded.encoding}, as it says",
            dates=on_dates[1],
            dates_code=on_dates[0],
            dated=len(dated),
            newest=max(dated, default=None),
            ids=on_ids[1],
            ids_code=on_ids[0],
            hub=hub,
            robots=self.robots,
            repairs=feed.report,
            twins=_twins(self.rt, address, feed),
            notices=tuple(_glimpse(draft_of(entry, feed)) for entry in live[:SHOWN]),
            requests=self.requests,
        )
        return Look(report, answer, url)


_HOW = {
    Tier.ITSELF: "the address itself",
    Tier.LINK_HEADER: "named in the answer's Link header",
    Tier.LINK_ELEMENT: "named in the page's head",
    Tier.ANCHOR: "linked from the page",
    Tier.KNOWN_PATH: "where the page's system keeps its feed",
}


def _recognised(body: bytes) -> Door | None:
    """A door that shows itself in the first bytes; None: a feed, or a page that may lead to one."""
    start = body[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:15].upper() == b"BEGIN:VCALENDAR":
        return Door.CALENDAR
    return Door.OAI if b"<OAI-PMH" in start else None


def _advice(door: Door, why: str, answer: Response) -> str:
    if door is not Door.FEED:
        return f"This cannot be read as a source of the kind {door}: {why}"
    said = (
        f"No feed was found at this address: {why} Give the feed's own address, often linked as RSS or Atom."
    )
    if b"application/ld+json" in answer.body:
        return f"{said} The page describes itself for machines (JSON-LD): try the kind jsonld."
    return f"{said} A page with a list can be watched by CSS rules: the kind page."


def _on_dates(entries: list[Entry], door: Door) -> Verdict:
    dated = [entry.published_at for entry in entries if entry.published_at]
    if not entries:
        return "empty", "nothing to judge by: it is empty now"
    if door in (Door.CALENDAR, Door.JSONLD) and any(entry.starts_at for entry in entries):
        number = sum(entry.starts_at is not None for entry in entries)
        return "starts", f"{number} of {len(entries)} say when they take place"
    if not dated:
        if door is Door.PAGE:
            later = "what stands there now is stored without being told, what comes later is told"
            return "none_quiet", f"no dates: {later}"
        return "none", "no dates: the time of the first sighting will count"
    unread = sum(entry.raw_date is not None and entry.published_at is None for entry in entries)
    newest = f"the newest is of {max(dated):%Y-%m-%d}"
    if unread:
        return "unread", f"{unread} of {len(entries)} dates are not understood; {newest}"
    if len(dated) < len(entries):
        return "partly", f"{len(dated)} of {len(entries)} are dated; {newest}"
    return "all", f"all {len(entries)} understood; {newest}"


def _on_ids(entries: list[Entry]) -> Verdict:
    """How entries will be told from each other, and what could break it."""
    if not entries:
        return "empty", "nothing to judge by: it is empty now"
    rules = {entry.key_rule for entry in entries}
    without = sum(not entry.guid for entry in entries)
    if "content" in rules:
        return (
            "unstable",
            "unstable: some have neither an id nor a link, so a corrected title makes a new notice",
        )
    if rules == {"guid"}:
        return "stable", "stable: each has an id of its own"
    if without == len(entries):
        return "links", "by their links: there are no ids, so a page that moves makes a new notice"
    if without:
        return "mixed", f"{without} of {len(entries)} have no id: their links count instead"
    return "repeat", f"ids repeat: entries are told apart by {', '.join(sorted(rules))}"


def _twins(rt: Runtime, address: str, feed: Feed) -> tuple[Twin, ...]:
    """Sources that are this one under another spelling, or that bring the same pages."""
    links = [entry.link for entry in feed.entries[:200] if entry.link]
    near = {same_page(one) for one in (address, feed.self_url) if one}
    with rt.begin() as session:
        known = store.by_bare_address(session, near)
        shared = store.telling(session, links)
    twins = {source_id: Twin(source_id, where, "the same address") for source_id, where in known}
    for source_id, where, number in shared:
        if number * 2 >= len(links):
            why = f"brings {number} of these {len(links)} pages already"
            twins.setdefault(source_id, Twin(source_id, where, why))
    return tuple(twins.values())


def _glimpse(draft: Draft) -> Glimpse:
    return Glimpse(
        title=draft.title, kind=draft.kind, summary=draft.summary[:300], url=draft.url,
        topics=draft.topics, places=draft.places, published_at=draft.published_at,
        starts_at=draft.starts_at, ends_at=draft.ends_at,
    )  # fmt: skip
