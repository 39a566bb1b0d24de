"""Topics as operators define them: each is a query; a change is shown on what was published before it is so.

A definition holds for what comes from now on: what was published keeps the topics it was told with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.domain import topics as named
from services.errors import BadInput, NotFound
from services.interests.classify import DEFAULTS
from services.manage import checks
from services.manage.sieve import sieve
from services.runtime import Runtime
from services.storage import audit, search
from services.storage import topics as store

LOOK_BACK = timedelta(days=90)
MOST_LOOKED_AT = 5_000
SAMPLES = 5
CHUNK = 500


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
    """What another definition would do to the notices of the last 90 days: counts, and some of the titles."""

    topic: str
    looked_at: int
    before: int
    after: int
    gained: int
    lost: int
    gained_samples: tuple[str, ...]
    lost_samples: tuple[str, ...]


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
    tests = [sieve(rt, checks.query(one)[1]) if one.strip() else _never for one in (was, query)]
    gained: list[str] = []
    lost: list[str] = []
    before = after = looked_at = 0
    with rt.begin() as session:
        standing = list(search.standing(session, since=rt.clock.now() - LOOK_BACK))[:MOST_LOOKED_AT]
    for start in range(0, len(standing), CHUNK):
        with rt.begin() as session:
            some = search.some(session, standing[start : start + CHUNK])
        for notice in some:
            looked_at += 1
            had, has = (bool(test(notice.document())) for test in tests)
            before, after = before + had, after + has
            if has and not had:
                gained.append(str(notice.form["title"]))
            elif had and not has:
                lost.append(str(notice.form["title"]))
    return Change(
        slug, looked_at, before, after, len(gained), len(lost),
        tuple(gained[:SAMPLES]), tuple(lost[:SAMPLES]),
    )  # fmt: skip


def define(rt: Runtime, topic: str, query: str, *, by: str = "operator") -> TopicView:
    """Define a topic by a query from now on; an empty one leaves it to sources and editors alone.

    Raises NotFound, QueryError.
    """
    slug = _slug(topic)
    typed = checks.query(query)[0] if query.strip() else ""
    now = rt.clock.now()
    with rt.begin() as session:
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


def _never(_: object) -> bool:
    return False


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
