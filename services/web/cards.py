"""A notice as pages show it: the public form with names instead of codes and times instead of texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from services.web import choices
from services.web.choices import Choice

SOON_DAYS = 7
HERE = ZoneInfo("Europe/Warsaw")
_HEADING = re.compile(r"<(/?)h[1-6]\b", re.IGNORECASE)
_EMPTY = re.compile(r"<(h2|a|li|p)(?: [^>]*)?>\s*</\1>")


@dataclass(frozen=True, slots=True)
class Card:
    """`days_left` counts calendar days in the region to the deadline; None where there is no deadline."""

    id: int
    path: str
    title: str
    summary: str
    kind: Choice
    institution: str
    institution_slug: str
    language: str | None
    topics: tuple[Choice, ...]
    places: tuple[str, ...]
    audience: tuple[str, ...]
    link: str | None
    revision: int
    commercial: bool
    published_at: datetime
    fetched_at: datetime
    deadline_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    withdrawn_at: datetime | None
    days_left: int | None

    @property
    def is_closing(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= SOON_DAYS


def card(form: Mapping[str, Any], *, locale: str, now: datetime) -> Card:
    """The card of a notice in its public form."""
    deadline_at = time_of(form["deadline_at"])
    return Card(
        id=form["id"],
        path=f"/notices/{form['id']}",
        title=form["title"],
        summary=form["summary"],
        kind=Choice(form["kind"], choices.kind_name(form["kind"], locale)),
        institution=form["institution"]["name"],
        institution_slug=form["institution"]["slug"],
        language=form["language"],
        topics=tuple(Choice(slug, choices.topic_name(slug, locale)) for slug in form["topics"]),
        places=tuple(choices.place_name(code) for code in form["places"]),
        audience=tuple(choices.audience_name(who, locale) for who in form["audience"]),
        link=web_address(form["url"]),
        revision=form["revision"],
        commercial=form["commercial"],
        published_at=datetime.fromisoformat(form["published_at"]),
        fetched_at=datetime.fromisoformat(form["fetched_at"]),
        deadline_at=deadline_at,
        starts_at=time_of(form["starts_at"]),
        ends_at=time_of(form["ends_at"]),
        withdrawn_at=time_of(form["withdrawn_at"]),
        days_left=_days_between(now, deadline_at) if deadline_at else None,
    )


def web_address(url: str | None) -> str | None:
    """The address if a browser may follow it, else None."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def body_below_title(body_html: str) -> str:
    """A sanitised body whose headings stand below the page's own title, without empty shells."""
    return _EMPTY.sub("", _HEADING.sub(r"<\1h2", body_html))


def similar(card: Card) -> list[tuple[str, str]]:
    """Parameters of a sign-up to notices like this one."""
    topics = [("topic", topic.value) for topic in card.topics]
    return [*topics, ("kind", card.kind.value)]


def from_institution(card: Card) -> str:
    """The address of the list of what this institution says."""
    return f"/?q={quote(f'institution:{card.institution_slug}')}"


def time_of(at: str | None) -> datetime | None:
    """A time of the public form."""
    return datetime.fromisoformat(at) if at else None


def _days_between(now: datetime, then: datetime) -> int:
    if then < now:
        return -1
    return (then.astimezone(HERE).date() - now.astimezone(HERE).date()).days
