"""Query feeds: every query is a feed, and every feed is a topic that can be followed (WebSub).

Equal queries share one topic, whose address has the query in its one spelling.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from services.domain.notices import KINDS
from services.domain.websub import Links
from services.errors import BadInput
from services.interests import language
from services.manage import checks, notices
from services.runtime import Runtime
from services.syndication.channel import Channel, item_of
from services.syndication.forms import FORMATS, Format

ITEMS = 50
MAX_SPELLING = 1_000  # what the address of a feed takes
_PATH = "/feeds/notices."


@dataclass(frozen=True, slots=True)
class Topic:
    """A format and a query in its one spelling; the empty query is everything."""

    form: Format
    query: str

    @property
    def canonical(self) -> str:
        """The interest that tells of changes."""
        every = f"kind:({' OR '.join(KINDS)})"
        return language.canonical(language.parse(self.query or every))


def topic(form: Format, q: str) -> Topic:
    """The topic of a query as typed. Raises QueryError."""
    if not q.strip():
        return Topic(form, "")
    typed, canonical = checks.query(q)
    return Topic(form, canonical if len(canonical) <= MAX_SPELLING else typed)


def topic_at(rt: Runtime, url: str) -> Topic:
    """The topic at an address of ours. Raises BadInput, QueryError."""
    base = rt.settings.base_url
    parts = urlsplit(url)
    name = url.removeprefix(base + _PATH).partition("?")[0]
    if not url.startswith(base + _PATH) or name not in FORMATS or parts.fragment:
        raise BadInput(
            f"hub.topic is no feed of ours; it is an address such as {base}{_PATH}atom?q=kind:call.",
            field="hub.topic",
        )
    asked = dict(parse_qsl(parts.query, max_num_fields=20))
    return topic(FORMATS[name], asked.get("q", ""))


def links(rt: Runtime, one: Topic) -> Links:
    """The topic's own address and its hub's."""
    asked = f"?{urlencode({'q': one.query})}" if one.query else ""
    base = rt.settings.base_url
    return Links(hub=f"{base}/hub", topic=f"{base}{_PATH}{one.form.name}{asked}")


def channel(rt: Runtime, one: Topic, *, title: str | None = None) -> Channel:
    """The newest notices of a topic; `title` is its query as a person typed it."""
    found = notices.search(rt, q=one.query, limit=ITEMS).items
    base, at, q = rt.settings.base_url, links(rt, one), title or one.query
    name = f"{rt.settings.operator_name}: {q}" if q else rt.settings.operator_name
    return Channel(
        " ".join(name.split()), at.topic, f"{base}/" + (f"?{urlencode({'q': q})}" if q else ""),
        tuple(item_of(notice, base) for notice in found),
        hub_url=at.hub if rt.settings.websub else None,
    )  # fmt: skip
