"""The doors that are no feeds: which reader reads what stands there, and how it is to be asked.

One door is one reader, text in and a `FeedDraft` out; all run in the child process like any parser, share
dates, links and identity with feeds, and go the same way through poll and accept. Nothing is fetched here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from feeds import calendar, jsonld, oai, watched
from feeds.draft import FeedDraft, Frame
from feeds.types import Door, Habits

_READERS: Mapping[Door, Callable[[str, Frame], FeedDraft]] = {
    Door.CALENDAR: calendar.read,
    Door.OAI: oai.read,
    Door.PAGE: watched.read,
    Door.JSONLD: jsonld.read,
}
ACCEPT = {
    Door.CALENDAR: "text/calendar, text/plain;q=0.5, */*;q=0.1",
    Door.OAI: "text/xml, application/xml;q=0.9, */*;q=0.1",
    Door.PAGE: "text/html, application/xhtml+xml;q=0.9, */*;q=0.1",
    Door.JSONLD: "text/html, application/ld+json, application/json;q=0.9, */*;q=0.1",
}


def read(door: Door, text: str, frame: Frame) -> FeedDraft:
    """What stands at a door; raises NotAFeed or BrokenFeed."""
    return _READERS[door](text, frame)


def address_to_ask(address: str, habits: Habits) -> str:
    """Where the next request goes: for a repository the place in its list is part of the address."""
    if habits.door is Door.OAI:
        return oai.address_to_ask(address, rules=habits.rules, memory=habits.memory)
    return address


def asks_robots(door: Door) -> bool:
    """Pages are made for people: a machine asks robots.txt before it reads them."""
    return door in (Door.PAGE, Door.JSONLD)


def is_conditional(habits: Habits, *, now: datetime) -> bool:
    """Whether an unchanged answer says nothing new. A repository's page is new each time; a calendar with
    repetitions says more as time goes on, so that now and then it is read again though it is unchanged."""
    match habits.door:
        case Door.OAI:
            return False
        case Door.CALENDAR:
            return not calendar.is_to_be_read_again(habits.memory, now=now)
        case _:
            return True
