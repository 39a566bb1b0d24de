"""Topics as operators define them: each is a query; a change is shown on what was published before it is so.

A definition holds for what comes from now on: what was published keeps the topics it was told with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.domain import topics as named
from services.errors import BadInput, Conflict, NotFound
from services.interests import classify
from services.interests.classify import DEFAULTS
from services.manage import checks
from services.manage.previews import met_by_subject, topics_lately
from services.runtime import Runtime
from services.storage import audit, search
from services.storage import topics as store

SAMPLES = 5
MOST_BELOW = 20


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic with its labels and the query that defines it; `is_changed` by an operator."""

    topic: str
    pl: str
    en: str
    query: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What another definition would do to the notices of the last 90 days, in numbers and by title."""

    topic: str
    looked_at: int
    before: int
    after: int
    gained: int
    lost: int
    gained_samples: tuple[str, ...]
    lost_samples: tuple[str, ...]
    gained_ids: tuple[int, ...]
    lost_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A topic with the number of notices that had it in the last 90 days, and {topic below it: number}."""

    view: TopicView
    number: int
    below: Mapping[str, int]


def tree(rt: Runtime) -> list[Branch]:
    """The topics with what lies below them, as sources and editors have used them."""
    counted = topics_lately(rt)
    return [_branch(view, counted) for view in listed(rt)]


def _branch(view: TopicView, counted: Mapping[str, int]) -> Branch:
    below = sorted((topic, n) for topic, n in counted.items() if topic.startswith(f"{view.topic}/"))
    return Branch(view, counted.get(view.topic, 0), dict(below[:MOST_BELOW]))


def listed(rt: Runtime) -> list[TopicView]:
    with rt.begin() as session:
        changed = store.changed(session)
    return [_view(topic, changed) for topic in named.TOPICS]


def show(rt: Runtime, topic: str) -> TopicView:
    slug = _slug(topic)
    with rt.begin() as session:
        return _view(slug, store.changed(session))


def preview(rt: Runtime, topic: str, query: str) -> Change:
    """What a definition would change. Raises NotFound, QueryError."""
    slug = _slug(topic)
    was = show(rt, slug).query
    _, canonical = _checked(query)
    number, (before, after) = met_by_subject(rt, checks.query(was)[1] if was.strip() else "", canonical)
    had, has = frozenset(before), frozenset(after)
    gained = [one for one in after if one not in had]
    lost = [one for one in before if one not in has]
    shown = (*gained[:SAMPLES], *lost[:SAMPLES])
    with rt.begin() as session:
        titles = {one.id: str(one.form["title"]) for one in search.some(session, shown)}
    told = [tuple(one for one in ids[:SAMPLES] if one in titles) for ids in (gained, lost)]
    return Change(
        slug, number, len(before), len(after), len(gained), len(lost),
        tuple(titles[one] for one in told[0]), tuple(titles[one] for one in told[1]), *told,
    )  # fmt: skip


def default(topic: str) -> str:
    """The query that comes with Goniec for a topic. Raises NotFound, BadInput."""
    return DEFAULTS[_slug(topic)]


def define(rt: Runtime, topic: str, query: str, *, by: str = "operator", was: str | None = None) -> TopicView:
    """Define a topic by a query from now on; an empty one leaves it to sources and editors alone.

    `was` is the definition that whoever decides has seen. Raises NotFound, QueryError; Conflict when it is
    another one by now.
    """
    slug = _slug(topic)
    typed, _ = _checked(query)
    now = rt.clock.now()
    with rt.begin() as session:
        if was is not None and _view(slug, store.hold_changed(session)).query != was:
            raise Conflict("This topic was defined otherwise meanwhile. Look at it again.", topic=slug)
        store.define(session, slug, typed, now=now)
        audit.write_line(session, at=now, actor=by, action="topic.define", target=slug)
        return _view(slug, store.changed(session))


def reset(rt: Runtime, topic: str, *, by: str = "operator") -> TopicView:
    """Back to the definition that comes with Goniec."""
    slug = _slug(topic)
    now = rt.clock.now()
    with rt.begin() as session:
        if store.reset(session, slug):
            audit.write_line(session, at=now, actor=by, action="topic.reset", target=slug)
        return _view(slug, store.changed(session))


def _checked(query: str) -> tuple[str, str]:
    """A definition as typed, and its canonical form; both empty where there is none. Raises QueryError."""
    if not query.strip():
        return "", ""
    checked = checks.query(query)
    classify.check(query)
    return checked


def _slug(topic: str) -> str:
    slug = named.resolve(topic)
    if slug is None:
        raise NotFound(f"“{topic[:40]}” is no topic; use one of: {', '.join(named.TOPICS)}.")
    if slug not in named.TOPICS:
        raise BadInput("Topics of the first level are defined by queries; what lies below, sources assign.")
    return slug


def _view(slug: str, changed: Mapping[str, str]) -> TopicView:
    one = named.TOPICS[slug]
    return TopicView(slug, one.pl, one.en, changed.get(slug, DEFAULTS[slug]), slug in changed)
