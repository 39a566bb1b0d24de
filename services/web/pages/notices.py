"""The latest notices with search, and the page of one notice. Reads only."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from markupsafe import Markup

from services.errors import NotFound, QueryError
from services.manage import counterparts, notices, sources
from services.manage.pages import Page
from services.web import cards, choices, faults
from services.web.cards import Card
from services.web.faults import Fault
from services.web.visits import Here, Visit
from services.web.wishes import Wanted

router = APIRouter()

PAGE_SIZE = 20
LARGEST_ID = 2**63 - 1
FEEDS = {
    "RSS": ("rss", "application/rss+xml"),
    "Atom": ("atom", "application/atom+xml"),
    "JSON Feed": ("json", "application/feed+json"),
    "iCalendar": ("ics", "text/calendar"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One way to take what a page shows elsewhere."""

    name: str
    url: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Teller:
    """Another institution that tells the same news."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A notice that offers what this one needs, or the other way round, with the reasons in words."""

    card: Card
    topics: tuple[str, ...]
    words: tuple[str, ...]
    place: str | None
    audience: bool


@router.get("/")
def latest(here: Here) -> Response:
    """The newest notices, or those that meet a query and filters."""
    asked, after = Wanted.read(here.asked), here.asked.one("after")
    listed, fault = _listed(here, asked, after)
    context = {
        "asked": asked,
        "fault": fault,
        "cards": [_card(here, form) for form in listed.items],
        "topics": choices.topic_groups(here.locale),
        "places": choices.place_groups(),
        "kinds": choices.kind_groups(here.locale),
        "is_narrowed": not asked.is_empty,
        "next_url": _address("/", [*asked.pairs, ("after", listed.next)]) if listed.next else None,
        "first_url": _address("/", asked.pairs) if after else None,
        "subscribe_url": _address("/subscribe", [] if fault else asked.pairs),
        "feeds": _feeds("" if fault else asked.composed),
    }
    return here.show("index", context, status=422 if fault else 200)


@router.get("/notices/{notice_id:int}")
def one(here: Here, notice_id: int) -> Response:
    """Everything about one notice."""
    if notice_id > LARGEST_ID:
        raise NotFound("There is no such notice.")
    form = notices.get(here.rt, notice_id)
    card = _card(here, form)
    source, source_url = _source(here, form)
    context = {
        "card": card,
        "body": Markup(cards.body_below_title(form["body_html"])),  # sanitised when it was stored
        "tellers": _tellers(form),
        "counterparts": _counterparts(here, notice_id),
        "institution_url": cards.from_institution(card),
        "subscribe_url": _address("/subscribe", cards.similar(card)),
        "revised_at": cards.time_of(form["revised_at"]),
        "source": source,
        "source_url": source_url,
    }
    return here.show("notice", context)


def _listed(here: Visit, asked: Wanted, after: str) -> tuple[Page[dict[str, Any]], Fault | None]:
    """A page of notices, or none and what is wrong with the query."""
    fault = faults.fault_in(asked.query, whole=asked.composed, page="/")
    if fault is None:
        try:
            found = notices.search(here.rt, q=asked.composed, after=after or None, limit=PAGE_SIZE)
            return found, None
        except QueryError as error:
            fault = faults.fault(error, asked.composed)
    return Page([], None), fault


def _card(here: Visit, form: dict[str, Any]) -> Card:
    return cards.card(form, locale=here.locale, now=here.rt.clock.now())


def _tellers(form: dict[str, Any]) -> list[Teller]:
    return [Teller(teller["name"], f"/notices/{teller['notice']}") for teller in form["tellers"]]


def _counterparts(here: Visit, notice_id: int) -> list[Answer]:
    return [
        Answer(
            _card(here, one.notice),
            tuple(choices.topic_name(slug, here.locale) for slug in one.topics),
            one.words,
            choices.place_name(one.place) if one.place else None,
            one.audience,
        )
        for one in counterparts.of_notice(here.rt, notice_id)
    ]


def _source(here: Visit, form: dict[str, Any]) -> tuple[str, str | None]:
    """The door by which a notice came: its name and, where it is an address, the address."""
    source = sources.show(here.rt, form["source"]).source
    return source.title or source.address or form["institution"]["name"], cards.web_address(source.address)


def _feeds(query: str) -> list[Link]:
    return [
        Link(name, _address(f"/feeds/notices.{ending}", [("q", query)] if query else []), media_type)
        for name, (ending, media_type) in FEEDS.items()
    ]


def _address(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
