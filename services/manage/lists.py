"""Lists of feeds (OPML) in and out: each address is asked once, and the list's categories become topics.

One bad address harms no other: each has its own outcome and transaction. Nothing is fetched inside one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from feeds import opml
from feeds.errors import FeedError
from feeds.fetch import ACCEPT
from feeds.links import same_page
from feeds.opml import Outline
from feeds.pool import ParserPool
from services.domain import labels, topics
from services.domain.addresses import read_target
from services.errors import BadInput, GoniecError
from services.http import Answer, FailureKind, Request, Response
from services.manage import sources
from services.manage.sources import Plan
from services.pipeline import first_visit
from services.runtime import Runtime
from services.storage import audit
from services.storage import sources as store

MAX_BYTES = 2_000_000
MAX_ADDRESSES = 2_000
AT_ONCE = 32
REDIRECTS = 5
TIMEOUT_S = 20.0
PASSING = (FailureKind.TIMEOUT, FailureKind.INTERRUPTED)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one address of a list.

    `outcome` is added, known (a source already), twice (in the list), dead (nothing to be read there) or
    refused (must not be dialled). `error` says why, or what is wrong with one that was added all the same.
    """

    address: str
    title: str | None
    outcome: str
    source_id: int | None = None
    error: str | None = None
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def import_opml(
    rt: Runtime, data: bytes, *, institution: str, check: bool = True, by: str = "operator",
    progress: Progress | None = None,
) -> list[Imported]:  # fmt: skip
    """Add the feeds of a list. With `check` each is asked once, and its answer is its first reading.

    Idempotent: an address that is a source already is `known`. An address that only fails for now (5xx, a
    time-out) is added: it will be tried again. `progress` is told (done, of).
    """
    outlines = _read(data)
    plan = sources.plan_of(rt, institution=institution, by=by)
    done: dict[int, Imported] = {}
    waiting = list(_sifted(rt, outlines, done))
    tell = progress or (lambda _done, _of: None)
    tell(len(done), len(outlines))
    with ParserPool() as parsers:
        for start in range(0, len(waiting), AT_ONCE):
            for place, imported in _taken(rt, waiting[start : start + AT_ONCE], plan, parsers, check=check):
                done[place] = imported
                tell(len(done), len(outlines))
    added = sum(one.outcome == "added" for one in done.values())
    with rt.begin() as session:
        audit.write_line(
            session, at=rt.clock.now(), actor=by, action="source.import", target=institution, added=added
        )
    rt.bell.ring("poll")
    return [done[place] for place in sorted(done)]


def export_opml(rt: Runtime) -> bytes:
    """All feeds as OPML, which every reader of feeds can take in; topics as folders and categories."""
    with rt.begin() as session:
        rows = store.everything(session)
    outlines = [
        Outline(
            url=source.address,
            title=source.title or source.address,
            folders=(topics.label(source.topics[0].partition("/")[0], "pl"),) if source.topics else (),
            categories=tuple(source.topics),
        )
        for source, _, _ in rows
        if source.address and source.kind == "feed"
    ]
    return opml.write(outlines, title="Goniec")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An address of the list that may become a source."""

    place: int
    url: str
    outline: Outline


def _read(data: bytes) -> tuple[Outline, ...]:
    if len(data) > MAX_BYTES:
        raise BadInput("The list is larger than 2 MB.")
    try:
        outlines = opml.read(data)
    except FeedError as exc:
        raise BadInput(f"This list of feeds cannot be read: {exc}") from exc
    if len(outlines) > MAX_ADDRESSES:
        raise BadInput(f"The list has more than {MAX_ADDRESSES} addresses: split it.")
    return outlines


def _sifted(rt: Runtime, outlines: Sequence[Outline], done: dict[int, Imported]) -> Iterator[_Wanted]:
    """What is worth asking; the outcome of the rest goes to `done`."""
    first: dict[str, str] = {}
    for place, outline in enumerate(outlines):
        title = outline.title or None
        try:
            url = read_target(outline.url).url
        except GoniecError as exc:
            done[place] = Imported(outline.url, title, "refused", error=exc.message)
            continue
        bare = same_page(url)
        with rt.begin() as session:
            known = store.by_bare_address(session, [bare])
        if known:
            source_id, where = known[0]
            error = None if where == url else f"it is {where} in another spelling"
            done[place] = Imported(url, title, "known", source_id, error)
        elif bare in first:
            done[place] = Imported(url, title, "twice", error=f"the list has it as {first[bare]} too")
        else:
            first[bare] = url
            yield _Wanted(place, url, outline)


def _taken(
    rt: Runtime, wanted: Sequence[_Wanted], plan: Plan, parsers: ParserPool, *, check: bool
) -> Iterator[tuple[int, Imported]]:
    if not check:
        for one in wanted:
            yield one.place, _add(rt, one, plan, None, parsers)
        return
    requests = [
        Request(
            one.url, headers=(("Accept", ACCEPT),), redirects=REDIRECTS, total_timeout_s=TIMEOUT_S, tag=one
        )
        for one in wanted
    ]
    for request, answer in rt.http.fetch(requests):
        assert isinstance(request.tag, _Wanted)
        yield request.tag.place, _judged(rt, request.tag, plan, answer, parsers)


def _judged(rt: Runtime, one: _Wanted, plan: Plan, answer: Answer, parsers: ParserPool) -> Imported:
    """Added, or dead: nothing there today and nothing to hope for."""
    title = one.outline.title or None
    if not isinstance(answer, Response):
        if answer.kind is FailureKind.ADDRESS_REFUSED:
            return Imported(one.url, title, "refused", error=answer.detail)
        if answer.kind not in PASSING:
            return Imported(one.url, title, "dead", error=answer.detail)
        return replace(_add(rt, one, plan, None, parsers), error=f"does not answer now: {answer.detail}")
    if answer.status != 200:
        if answer.status in (404, 410):
            return Imported(one.url, title, "dead", error=f"it answers with status {answer.status}")
        return replace(_add(rt, one, plan, None, parsers), error=f"answers with status {answer.status} now")
    try:
        parsers.parse_safely(
            answer.body, content_type=answer.header("content-type"), base_url=answer.url, now=rt.clock.now()
        )
    except FeedError as exc:
        return Imported(one.url, title, "dead", error=exc.message)
    return _add(rt, one, plan, answer, parsers)


def _add(rt: Runtime, one: _Wanted, plan: Plan, answer: Response | None, parsers: ParserPool) -> Imported:
    """Make the source; with an answer it is read from that, without it is due at once."""
    title = one.outline.title or None
    words = labels.read([*one.outline.folders, *one.outline.categories])
    with rt.begin() as session:
        made = store.add(
            session, institution_id=plan.institution_id, kind="feed", address=one.url, title=title,
            topics=words.topics, places=words.places, language=None, now=rt.clock.now(),
        )  # fmt: skip
        if made is None:
            return Imported(one.url, title, "known", store.id_of_address(session, one.url))
        source_id = made.id
        held = first_visit.hold(session, source_id, now=rt.clock.now()) if answer else None
    if held and answer:
        first_visit.conclude_first(rt, held, answer, parsers=parsers)
    return Imported(one.url, title, "added", source_id, topics=words.topics, places=words.places)
