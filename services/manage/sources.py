"""Sources: the doors by which content comes in. With `pipeline.poll` the only user of `feeds`.

Adding one takes an address: of the feed, or of a page that names its feed. Nothing is fetched inside a
transaction, and an address is dialled only through the guarded client.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from feeds import discover, opml
from feeds.errors import FeedError
from feeds.pool import ParserPool
from feeds.types import Feed
from services.domain.addresses import read_target
from services.errors import BadInput, Conflict, GoniecError, NotFound
from services.http import Request, Response
from services.manage import checks
from services.runtime import Runtime
from services.storage import audit
from services.storage import institutions as owners
from services.storage import sources as store
from services.storage.tables import Fetch, Source

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/json;q=0.8,"
    " application/xml;q=0.8, text/xml;q=0.8, text/html;q=0.5, */*;q=0.1"
)
CANDIDATES = 5
REDIRECTS = 5
PERMANENT = frozenset({301, 308})
MAX_IMPORT_BYTES = 2_000_000
MAX_IMPORT = 2_000


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source as people see it; `state` is pending, leased or stopped."""

    id: int
    address: str | None
    kind: str
    institution: str
    title: str | None
    topics: tuple[str, ...]
    places: tuple[str, ...]
    language: str | None
    state: str
    stopped_because: str | None
    due_at: datetime
    last_checked_at: datetime | None
    last_status: int | None
    last_error: str | None
    last_entry_at: datetime | None
    errors: int
    notices: int


@dataclass(frozen=True, slots=True)
class FetchView:
    """One visit: when, how it ended, what it brought."""

    at: datetime
    outcome: str
    status: int | None
    took_ms: int
    bytes: int
    published: int
    revised: int
    detail: str | None


@dataclass(frozen=True, slots=True)
class SourceDetail:
    source: SourceView
    fetches: tuple[FetchView, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one address of a list: `outcome` is added, known or refused."""

    address: str
    title: str | None
    outcome: str
    source_id: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A feed that answered: its address, and its own title and language when it was read."""

    address: str
    title: str | None = None
    language: str | None = None


def add(
    rt: Runtime, address: str, *, institution: str, kind: str = "feed", topics: Sequence[str] = (),
    places: Sequence[str] = (), language: str | None = None, check: bool = True, by: str = "operator",
) -> SourceView:  # fmt: skip
    """A new source, polled at once. `topics` and `places` (code or name) are added to all it says.

    With `check` the address is fetched first: a feed is taken as it is, a page's feed is found. Raises
    BadInput when there is none, AddressRefused, Conflict when the address is a source already.
    """
    if kind != "feed":
        raise BadInput(f"Sources of the kind “{kind[:20]}” cannot be read yet; only feeds can.", kind=kind)
    codes = [checks.place(place) for place in places]
    slugs = [checks.topic(topic) for topic in topics]
    spoken = checks.language_code(language) if language else None
    url = read_target(address).url
    with rt.begin() as session:
        owner_id = _owner_id(session, institution)
        _refuse_twin(session, url)
    rt.http.check_address(url)
    found = _look(rt, url) if check else _Found(url)
    now = rt.clock.now()
    with rt.begin() as session:
        made = store.add(
            session, institution_id=owner_id, kind=kind, address=found.address, title=found.title,
            topics=slugs, places=codes, language=spoken or found.language, now=now,
        )  # fmt: skip
        if made is None:
            _refuse_twin(session, found.address)
            raise Conflict("This address is a source already.")
        audit.write_line(session, at=now, actor=by, action="source.add", target=str(made.id))
        view = _view((made, institution, 0))
    rt.bell.ring("poll")
    return view


def list_all(rt: Runtime) -> list[SourceView]:
    with rt.begin() as session:
        return [_view(row) for row in store.everything(session)]


def show(rt: Runtime, source_id: int) -> SourceDetail:
    """A source with its last twenty visits."""
    with rt.begin() as session:
        row = store.by_id(session, source_id)
        if row is None:
            raise NotFound(f"There is no source {source_id}. See `goniec source list`.")
        return SourceDetail(_view(row), tuple(_visit(f) for f in store.fetches(session, source_id, limit=20)))


def poll_now(rt: Runtime, ids: Iterable[int] | None = None) -> list[int]:
    """Let sources (all, when None) be polled at once, stopped ones too; returns those it holds for."""
    wanted = None if ids is None else sorted(set(ids))
    with rt.begin() as session:
        missing = [i for i in wanted or () if store.by_id(session, i) is None]
        if missing:
            raise NotFound(f"There is no source {missing[0]}. See `goniec source list`.")
        made = store.make_due(session, wanted, now=rt.clock.now())
    rt.bell.ring("poll")
    return made


def stop(rt: Runtime, source_id: int, *, because: str = "stopped by the operator") -> None:
    """Poll a source no more, until `poll_now` names it."""
    with rt.begin() as session:
        if not store.stop(session, source_id, because=because):
            raise NotFound(f"There is no source {source_id} that is polled.")


def ensure_push_source(session: Session, institution_id: int, *, now: datetime) -> int:
    """The door of what an institution pushes; made at the first push."""
    return store.ensure_push(session, institution_id, now=now)


def push_source(rt: Runtime, institution_id: int) -> int:
    """The same, in a transaction of its own."""
    with rt.begin() as session:
        return store.ensure_push(session, institution_id, now=rt.clock.now())


def import_opml(
    rt: Runtime, data: bytes, *, institution: str, by: str = "operator"
) -> list[Imported]:  # fmt: skip
    """Add every address of an OPML list, unchecked: the first poll shows what each is worth.

    Idempotent: an address that is a source already is `known`. One bad address harms no other.
    """
    if len(data) > MAX_IMPORT_BYTES:
        raise BadInput("The list is larger than 2 MB.")
    try:
        outlines = opml.read(data)
    except FeedError as exc:
        raise BadInput(f"This list of feeds cannot be read: {exc}") from exc
    if len(outlines) > MAX_IMPORT:
        raise BadInput(f"The list has more than {MAX_IMPORT} addresses: split it.")
    now = rt.clock.now()
    with rt.begin() as session:
        owner_id = _owner_id(session, institution)
        done = [
            _import_one(session, outline.url, outline.title or None, owner_id, now=now)
            for outline in outlines
        ]
        added = sum(one.outcome == "added" for one in done)
        audit.write_line(
            session, at=now, actor=by, action="source.import", target=institution, added=added
        )  # fmt: skip
    rt.bell.ring("poll")
    return done


def export_opml(rt: Runtime) -> bytes:
    """All feeds as OPML, which every reader of feeds can take in."""
    with rt.begin() as session:
        rows = store.everything(session)
    outlines = [
        opml.Outline(url=source.address, title=source.title or source.address)
        for source, _, _ in rows
        if source.address
    ]
    return opml.write(outlines, title="Goniec")


def _import_one(
    session: Session, address: str, title: str | None, owner_id: int, *, now: datetime
) -> Imported:
    try:
        url = read_target(address).url
    except GoniecError as exc:
        return Imported(address, title, "refused", error=exc.message)
    made = store.add(
        session, institution_id=owner_id, kind="feed", address=url, title=title, topics=(), places=(),
        language=None, now=now,
    )  # fmt: skip
    if made is None:
        return Imported(url, title, "known", store.id_of_address(session, url))
    return Imported(url, title, "added", made.id)


def _look(rt: Runtime, address: str) -> _Found:
    """Fetch once: a feed is taken, on a page its feed is looked for."""
    parsers = ParserPool(size=1)
    try:
        answer = _fetch(rt, address)
        feed, why = _read(rt, parsers, answer)
        if feed is not None:
            return _found(address, answer, feed)
        for candidate in _candidates(answer):
            try:
                answer = _fetch(rt, candidate)
            except BadInput:
                continue
            feed, _ = _read(rt, parsers, answer)
            if feed is not None:
                return _found(candidate, answer, feed)
    finally:
        parsers.close()
    raise BadInput(
        f"No feed was found at this address: {why} Give the feed's own address, often linked as RSS or Atom.",
        address=address,
    )


def _fetch(rt: Runtime, address: str) -> Response:
    answer = rt.http.fetch_one(Request(address, headers=(("Accept", ACCEPT),), redirects=REDIRECTS))
    if not isinstance(answer, Response):
        raise BadInput(f"This address cannot be fetched: {answer.detail}.", address=address, kind=answer.kind)
    if answer.status != 200:
        raise BadInput(
            f"This address answers with status {answer.status}, not with a feed.", status=answer.status
        )
    return answer


def _read(rt: Runtime, parsers: ParserPool, answer: Response) -> tuple[Feed | None, str]:
    content_type = answer.header("content-type")
    try:
        feed = parsers.parse_safely(
            answer.body, content_type=content_type, base_url=answer.url, now=rt.clock.now()
        )
    except FeedError as exc:
        return None, exc.message.rstrip(".") + "."
    return feed, ""


def _candidates(answer: Response) -> list[str]:
    """Where a page says that its feeds are, best first."""
    found = discover.candidates(
        answer.url, headers=answer.headers, body=answer.body, content_type=answer.header("content-type")
    )
    return [candidate.url for candidate in found[:CANDIDATES]]


def _found(asked: str, answer: Response, feed: Feed) -> _Found:
    """The asked address, or where it has moved for good."""
    moved = answer.hops and all(hop.status in PERMANENT for hop in answer.hops)
    title = " ".join(feed.title.split())[:200] or None
    spoken = feed.language.split("-")[0].lower()[:3] if feed.language else None
    return _Found(answer.url if moved else asked, title, spoken)


def _owner_id(session: Session, slug: str) -> int:
    found = owners.by_slug(session, slug)
    if found is None:
        raise NotFound(f"There is no institution “{slug}”. See `goniec institution list`.", slug=slug)
    return found.id


def _refuse_twin(session: Session, address: str) -> None:
    known = store.id_of_address(session, address)
    if known is not None:
        raise Conflict(f"This address is source {known} already.", source_id=known)


def _view(row: tuple[Source, str, int]) -> SourceView:
    source, slug, notices = row
    return SourceView(
        id=source.id, address=source.address, kind=source.kind, institution=slug, title=source.title,
        topics=tuple(source.topics), places=tuple(source.places), language=source.language,
        state=source.state, stopped_because=source.stopped_because, due_at=source.due_at,
        last_checked_at=source.last_checked_at, last_status=source.last_status, last_error=source.last_error,
        last_entry_at=source.last_entry_at, errors=source.errors, notices=notices,
    )  # fmt: skip


def _visit(row: Fetch) -> FetchView:
    return FetchView(
        row.at, row.outcome, row.status, row.took_ms, row.bytes, row.published, row.revised, row.detail
    )
