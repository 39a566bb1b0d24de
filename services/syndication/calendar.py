"""iCalendar (RFC 5545): what has a day. A deadline is an entry of one hour that ends with it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from services.syndication.channel import Channel, Item


def ics(channel: Channel) -> bytes:
    """Every item of the channel that has a start or a deadline, as a calendar."""
    calendar = Calendar()
    calendar.add("prodid", "-//Goniec//goniec//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", channel.title)
    for item in channel.items:
        for event in _events(item):
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(item: Item) -> Iterator[Event]:
    if item.starts_at:
        ends_at = item.ends_at if item.ends_at and item.ends_at > item.starts_at else None
        yield _event(item, "start", item.title, item.starts_at, ends_at)
    if item.deadline_at:
        yield _event(
            item, "deadline", f"⏰ {item.title}", item.deadline_at - timedelta(hours=1), item.deadline_at
        )


def _event(item: Item, part: str, title: str, starts_at: datetime, ends_at: datetime | None) -> Event:
    event = Event()
    event.add("uid", f"{item.uid}#{part}")
    event.add("dtstamp", item.updated_at.astimezone(UTC))
    event.add("last-modified", item.updated_at.astimezone(UTC))
    event.add("summary", title)
    event.add("dtstart", starts_at.astimezone(UTC))
    if ends_at:
        event.add("dtend", ends_at.astimezone(UTC))
    event.add("description", f"{item.summary}\n\n{item.author}\n{item.url}".strip())
    event.add("url", item.url)
    event.add("categories", list(item.categories))
    event.add("transp", "TRANSPARENT")
    return event
