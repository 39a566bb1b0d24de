"""The health of sources: a verdict on one, and word to the operator when one breaks, recovers, falls silent.

Word is a notice of our own institution, so that an operator subscribes to it as to anything else, with
`institution:goniec-operations` or `kind:operation`. Nothing is told twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from services import log as logs
from services.domain.drafts import Draft
from services.domain.notices import OPERATION
from services.domain.source_health import SourceState, Verdict, gravity, judge
from services.errors import NotFound
from services.manage import sources
from services.manage.sources import FetchView, SourceView
from services.pipeline import accept, quarantine
from services.runtime import Runtime
from services.storage import institutions as owners
from services.storage import source_health as store
from services.storage import sources as doors
from services.storage.source_health import Patient

SLUG = "goniec-operations"
NAME = "Goniec: operations"
BATCH = 500
HELD_BECAUSE = {
    "churn": "More than half of a known feed is new at once.",
    "flood": "This is more than five times as much as usual.",
    "future": "Every date lies in the future.",
    "empty": "The feed is empty where there was content.",
    "language": "This is in another language than before.",
}
TOLD = (SourceState.BROKEN, SourceState.SILENT, SourceState.STOPPED)

log = logs.get(__name__)


def verdict(rt: Runtime, source_id: int) -> Verdict:
    """Raises NotFound."""
    with rt.begin() as session:
        found = store.patients(session, only=source_id, limit=1)
    if not found:
        raise NotFound(f"There is no source {source_id}. See `goniec source list`.")
    return judge(found[0].known, now=rt.clock.now())


@dataclass(frozen=True, slots=True)
class Ward:
    """A source with its verdict; `name` is what people call it, its host where it has no title."""

    source: SourceView
    name: str
    institution: str
    health: Verdict


def everything(rt: Runtime) -> list[Ward]:
    """All sources but our own, the worst first."""
    views = {view.id: view for view in sources.list_all(rt)}
    wards = [
        _ward(views[patient.source_id], patient, judge(patient.known, now=rt.clock.now()))
        for patient in _all_patients(rt)
        if patient.source_id in views and views[patient.source_id].institution != SLUG
    ]
    return sorted(wards, key=lambda one: (gravity(one.health.state), one.institution.casefold(), one.name))


def one(rt: Runtime, source_id: int) -> tuple[Ward, tuple[FetchView, ...]]:
    """A source with its last visits. Raises NotFound."""
    detail = sources.show(rt, source_id)
    with rt.begin() as session:
        [patient] = store.patients(session, only=source_id, limit=1)
    return _ward(detail.source, patient, judge(patient.known, now=rt.clock.now())), detail.fetches


def _ward(view: SourceView, patient: Patient, health: Verdict) -> Ward:
    name = view.title or _host(view.address) or patient.institution
    return Ward(view, name, patient.institution, health)


def _host(address: str | None) -> str | None:
    return urlsplit(address or "").hostname


def _all_patients(rt: Runtime) -> Iterator[Patient]:
    after = 0
    while True:
        with rt.begin() as session:
            batch = store.patients(session, after=after, limit=BATCH)
        if not batch:
            return
        after = batch[-1].source_id
        yield from batch


def watch(rt: Runtime) -> int:
    """Tell the operator what has changed since the last look; returns of how many sources.

    Told first and noted then: a crash between them comes to the same notice again, which is unchanged.
    """
    return sum(_tell(rt, patient) for patient in _all_patients(rt)) + _tell_of_held(rt)


def _tell_of_held(rt: Runtime) -> int:
    """Word of each reading that waits, once: its key is the reading's. Returns how many are new.

    Anyone may ask for such words, so that no address stands in them: some hold a key.
    """
    drafts = [
        Draft(
            key=f"held-{one.id}",
            title=f"A reading of source {one.source_id} is held: {one.source_title or _host(one.address)}"
            f" ({one.institution})",
            kind=OPERATION,
            summary=f"{HELD_BECAUSE[one.reason]} Nobody gets anything of it before you decide:"
            " goniec source held",
            language="en",
        )
        for one in quarantine.open_batches(rt)
    ]
    done = accept.accept(rt, _own_door(rt), drafts) if drafts else []
    return sum(one.outcome is accept.Outcome.PUBLISHED for one in done)


def _tell(rt: Runtime, patient: Patient) -> bool:
    now = rt.clock.now()
    found = judge(patient.known, now=now)
    state = found.state if found.state in TOLD else SourceState.WELL
    if state == patient.told or found.state in (SourceState.SHAKY, SourceState.NEW, SourceState.PUSHED):
        return False  # one failure is no recovery, and no break either
    key = f"source-{patient.source_id}-{state}-{now:%Y-%m-%dT%H}"
    accept.accept(rt, _own_door(rt), [_draft(patient, found, key, state)])
    with rt.begin() as session:
        store.noted(session, patient, state)
    log.info("source.health", source_id=patient.source_id, was=patient.told, state=state)
    return True


def _draft(patient: Patient, found: Verdict, key: str, state: SourceState) -> Draft:
    what = {
        SourceState.WELL: "works again",
        SourceState.BROKEN: "is broken",
        SourceState.SILENT: "has fallen silent",
        SourceState.STOPPED: "is not read any more",
    }[state]
    name = patient.name or _host(patient.address) or "it has no name"
    told = [found.words, found.advice, f"goniec source show {patient.source_id}"]
    return Draft(
        key=key,
        title=f"Source {patient.source_id} {what}: {name} ({patient.institution})",
        kind=OPERATION,
        summary=" ".join(part for part in told if part),
        language="en",
    )


def _own_door(rt: Runtime) -> int:
    """The door of our own institution; both are made when first needed."""
    now = rt.clock.now()
    with rt.begin() as session:
        own = owners.by_slug(session, SLUG) or owners.add(
            session, slug=SLUG, name=NAME, kind="media", place=None, url=None, parent_id=None, now=now
        )
    if own is None:  # another process made it at this moment
        return _own_door(rt)
    with rt.begin() as session:
        return doors.ensure_push(session, own.id, now=now)
