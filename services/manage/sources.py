"""Sources: the doors by which content comes in, as people add, see, stop and poll them.

Adding one takes an address: of the feed, or of a page that names its feed. What stands there is found out by
`manage.onboarding`; nothing is fetched inside a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from feeds.types import Door
from services.domain.addresses import read_target
from services.errors import Conflict, NotFound
from services.manage import checks, onboarding
from services.manage.onboarding import Look
from services.pipeline import first_visit
from services.runtime import Runtime
from services.storage import audit, source_hubs
from services.storage import institutions as owners
from services.storage import sources as store
from services.storage.tables import Fetch, Source


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
    rules: Mapping[str, str]
    ladder: str


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


def add(
    rt: Runtime, address: str, *, institution: str, kind: str | None = None, topics: Sequence[str] = (),
    places: Sequence[str] = (), language: str | None = None, rules: Mapping[str, str] | None = None,
    check: bool = True, by: str = "operator",
) -> SourceView:  # fmt: skip
    """A new source. `topics` and `places` (code or name) are added to all it says, `rules` are for the reader
    of its kind.

    With `check` the address is asked first, and the answer is the source's first reading; without, it is
    polled at once as the kind that is said (`feed` where none is). Raises BadInput when nothing can be read
    there, AddressRefused, Conflict when the address is a source already.
    """
    plan = plan_of(rt, institution=institution, topics=topics, places=places, language=language, by=by)
    if check:
        return take(rt, look_at_new(rt, address, kind=kind, rules=rules), plan, rules=rules)
    told = onboarding.checked_rules(Door(onboarding.checked_kind(kind or "feed")), rules or {})
    url = read_target(address).url
    rt.http.check_address(url)
    with rt.begin() as session:
        made = _insert(rt, session, url, plan, kind=kind or "feed", title=None, spoken=None, rules=told)
        view = _view((made, institution, 0))
    rt.bell.ring("poll")
    return view


def look_at_new(
    rt: Runtime, address: str, *, kind: str | None = None, rules: Mapping[str, str] | None = None
) -> Look:
    """What stands at an address that is to become a source; raises Conflict when it is one, asking nobody."""
    with rt.begin() as session:
        _refuse_twin(session, read_target(address).url)
    return onboarding.look(rt, address, kind=kind, rules=rules)


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose a new source is, and what is added to all it says."""

    institution_id: int
    institution: str
    topics: tuple[str, ...]
    places: tuple[str, ...]
    language: str | None
    by: str


def plan_of(
    rt: Runtime, *, institution: str, topics: Sequence[str] = (), places: Sequence[str] = (),
    language: str | None = None, by: str = "operator",
) -> Plan:  # fmt: skip
    """Topics and places in their one spelling; raises BadInput, NotFound for an unknown institution."""
    codes = tuple(dict.fromkeys(checks.place(place) for place in places))
    slugs = tuple(dict.fromkeys(checks.topic(topic) for topic in topics))
    spoken = checks.language_code(language) if language else None
    with rt.begin() as session:
        return Plan(_owner_id(session, institution), institution, slugs, codes, spoken, by)


def take(rt: Runtime, seen: Look, plan: Plan, *, rules: Mapping[str, str] | None = None) -> SourceView:
    """Make a source of what was looked at. The answer is its first reading: nothing is asked twice."""
    report = seen.report
    with rt.begin() as session:
        made = _insert(
            rt, session, report.address, plan, kind=report.kind, title=report.title,
            spoken=report.language, rules=rules or {},
        )  # fmt: skip
        held = first_visit.hold(session, made.id, now=rt.clock.now())
    first_visit.conclude_first(rt, held, seen.answer)
    rt.bell.ring("poll")
    return show(rt, held.source.source_id).source


def _insert(
    rt: Runtime, session: Session, address: str, plan: Plan, *, kind: str, title: str | None,
    spoken: str | None, rules: Mapping[str, str],
) -> Source:  # fmt: skip
    now = rt.clock.now()
    made = store.add(
        session, institution_id=plan.institution_id, kind=kind, address=address, title=title,
        topics=plan.topics, places=plan.places, language=plan.language or spoken, now=now, rules=rules,
    )  # fmt: skip
    if made is None:
        _refuse_twin(session, address)
        raise Conflict("This address is a source already.")
    audit.write_line(session, at=now, actor=plan.by, action="source.add", target=str(made.id))
    return made


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
        source_hubs.leave_stopped(session, now=rt.clock.now())
    rt.bell.ring("listen")


def ensure_push_source(session: Session, institution_id: int, *, now: datetime) -> int:
    """The door of what an institution pushes; made at the first push."""
    return store.ensure_push(session, institution_id, now=now)


def push_source(rt: Runtime, institution_id: int) -> int:
    """The same, in a transaction of its own."""
    with rt.begin() as session:
        return store.ensure_push(session, institution_id, now=rt.clock.now())


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
        last_entry_at=source.last_entry_at, errors=source.errors, notices=notices, rules=source.rules,
        ladder=source.ladder,
    )  # fmt: skip


def _visit(row: Fetch) -> FetchView:
    return FetchView(
        row.at, row.outcome, row.status, row.took_ms, row.bytes, row.published, row.revised, row.detail
    )
