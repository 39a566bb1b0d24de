"""Stage 1: sources that are due are asked for what is new; what they say goes to accept.

The next check is written before the request is made, so that neither a crash nor a restart can turn into a
burst on somebody's server. One failing source is a value, never the end of the round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from feeds import doors
from feeds.fetch import Moved, Validators, conditional_headers, read_answer
from feeds.politeness import SHORTEST
from feeds.pool import ParserPool
from services import log as logs
from services.errors import Unavailable
from services.http import Answer, Request, Response
from services.pipeline import robots
from services.pipeline.visits import Reading, Redirect, conclude, habits_of
from services.runtime import Runtime
from services.storage import polling as store
from services.storage import work
from services.storage.polling import SourceDue, Visit
from services.storage.session import outlasting, patiently
from services.storage.work import Claim

# A lease as long as the shortest interval: a source whose poller was killed is not asked again sooner.
LEASE = SHORTEST
BATCH = 32
REDIRECTS = 5
TIMEOUT_S = 30.0
MAX_BYTES = 5_000_000

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Poll until no source is due or the process is stopping; returns how many were asked."""
    polled = 0
    with ParserPool() as parsers:
        while not rt.stopping.is_set():
            asked = _poll_batch(rt, parsers)
            if asked is None:
                break
            polled += asked
    return polled


def _poll_batch(rt: Runtime, parsers: ParserPool) -> int | None:
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.SOURCES, now=now, lease=LEASE, limit=BATCH)
        due = store.begin(session, held, next_check=now + SHORTEST)
    if not held:
        return None
    done = 0
    for reading in _ask(rt, due):
        if rt.stopping.is_set():
            break
        visit = _recorded(rt, held, reading, parsers)
        rt.metrics.handled("poll", visit.outcome)
        done += 1
    with rt.begin() as session:
        work.hand_back(session, work.SOURCES, held)
    log.info("poll.batch", claimed=len(held.rows), done=done)
    return len(held.rows)


def _recorded(rt: Runtime, held: Claim, reading: Reading, parsers: ParserPool) -> Visit:
    """Conclude a reading and write it down, waiting for a database that restarts: what a server has told us
    it should not have to tell again."""
    visit = outlasting(lambda: _concluded(rt, reading, parsers), sleep=rt.clock.sleep)
    patiently(
        rt.sessions,
        lambda session: store.finish(session, held, visit, now=rt.clock.now()),
        sleep=rt.clock.sleep,
    )
    return visit


def _concluded(rt: Runtime, reading: Reading, parsers: ParserPool) -> Visit:
    """What a reading comes to. A fault of ours in one source's content must not stop the others."""
    try:
        return conclude(rt, reading, parsers)
    except Unavailable:
        raise
    except Exception as exc:
        log.error("poll.unexpected", source_id=reading.source.source_id, error=type(exc).__name__)
        rt.metrics.error("poll")
        return Visit(
            source_id=reading.source.source_id,
            outcome="error",
            status=reading.status,
            took_ms=0,
            size=0,
            published=0,
            revised=0,
            detail=f"unexpected: {type(exc).__name__}",
            columns={
                "errors": reading.source.errors + 1,
                "last_error": "an unexpected fault of ours, reported to the operator",
                "due_at": rt.clock.now() + timedelta(minutes=30),
            },
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """Where the way of one source through redirects stands."""

    source: SourceDue
    url: str
    redirects: tuple[Redirect, ...] = ()


def _ask(rt: Runtime, due: Sequence[SourceDue]) -> Iterable[Reading]:
    """Ask all sources at once, following redirects by hand; validators go only to the address they are of."""
    steps = [_Step(source, doors.address_to_ask(source.address, habits_of(source))) for source in due]
    for hop in range(REDIRECTS + 1):
        onwards: list[_Step] = []
        allowed = list(_allowed(rt, steps))
        for step in steps:
            if step not in allowed:
                yield Reading(step.source, step.url, None, step.redirects, rt.clock.now())
        answers = list(rt.http.fetch([_request(rt, step) for step in allowed]))
        for request, answer in answers:
            assert isinstance(request.tag, _Step)
            step = request.tag
            moved = _moved(rt, step, answer)
            if moved is None or hop == REDIRECTS:
                at = rt.clock.now()
                yield Reading(step.source, step.url, answer, step.redirects, at, too_many=moved is not None)
            else:
                onwards.append(_Step(step.source, moved.location, (*step.redirects, moved)))
        if not onwards:
            return
        steps = onwards


def _moved(rt: Runtime, step: _Step, answer: Answer) -> Redirect | None:
    if not isinstance(answer, Response):
        return None
    told = read_answer(answer.status, answer.headers, url=step.url, now=rt.clock.now())
    return Redirect(told.location, told.is_permanent) if isinstance(told, Moved) else None


def _allowed(rt: Runtime, steps: Sequence[_Step]) -> Iterable[_Step]:
    """The steps that may be taken: what is a page is asked about in robots.txt first, at every hop."""
    pages = [step.url for step in steps if doors.asks_robots(habits_of(step.source).door)]
    refused = robots.forbidden(rt, pages)
    return (s for s in steps if s.url not in refused or not doors.asks_robots(habits_of(s.source).door))


def _request(rt: Runtime, step: _Step) -> Request:
    habits = habits_of(step.source)
    held = held_validators(step.source) if doors.is_conditional(habits, now=rt.clock.now()) else None
    headers = conditional_headers(held, url=step.url)
    if habits.door in doors.ACCEPT:
        headers = tuple((name, doors.ACCEPT[habits.door] if name == "Accept" else v) for name, v in headers)
    return Request(
        url=step.url,
        headers=headers,
        max_bytes=MAX_BYTES,
        total_timeout_s=TIMEOUT_S,
        tag=step,
    )


def held_validators(source: SourceDue) -> Validators | None:
    if source.validators_url is None:
        return None
    return Validators(source.validators_url, source.etag, source.last_modified)
