"""Stage 1: sources that are due are asked for what is new; what they say goes to accept.

The next check is written before the request is made, so that neither a crash nor a restart can turn into a
burst on somebody's server. One failing source is a value, never the end of the round.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from feeds import doors
from feeds.fetch import Failed, Moved, Validators, conditional_headers, read_answer
from feeds.politeness import SHORTEST
from feeds.pool import ParserPool
from feeds.robots import origin_of
from feeds.types import Door
from services import log as logs
from services.errors import Unavailable
from services.http import Answer, Request, Response
from services.pipeline import outages, rests, robots
from services.pipeline.courtesy import Step, Turns
from services.pipeline.visits import Reading, Redirect, conclude, habits_of
from services.runtime import VERSION, Runtime
from services.storage import polling as store
from services.storage import work
from services.storage.polling import SourceDue, Visit
from services.storage.robots import Told
from services.storage.session import outlasting, patiently
from services.storage.work import Claim

# A lease as long as the shortest interval: a source whose poller was killed is not asked again sooner.
LEASE = SHORTEST
BATCH = 500
AT_ONCE = 100  # visits written down in one transaction
HEAVY_BYTES = 50_000_000  # of bodies that wait to be read
REDIRECTS = 5
TIMEOUT_S = 30.0
MAX_BYTES = 5_000_000

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Manner:
    """How the sources of a round are asked: as whom, for how long, and what their robots.txt said."""

    agent: str
    timeout_s: float
    heard: dict[str, Told] = field(default_factory=dict)


def run(rt: Runtime, parsers: ParserPool | None = None, *, timeout_s: float = TIMEOUT_S) -> int:
    """Poll until no source is due or the process is stopping; returns how many were asked.

    `parsers` are the caller's own, kept warm between rounds. No answer takes longer than `timeout_s`.
    """
    if parsers is None:
        with ParserPool() as own:
            return _poll_all(rt, own, timeout_s)
    return _poll_all(rt, parsers, timeout_s)


@contextmanager
def kept_warm() -> Iterator[Callable[[Runtime], int]]:
    """`run` with parsers that live as long as the block: a ring need not wait until they have started."""
    with ParserPool() as parsers:
        yield partial(run, parsers=parsers)


def _poll_all(rt: Runtime, parsers: ParserPool, timeout_s: float) -> int:
    polled = 0
    turns = Turns(rt.clock)
    while not rt.stopping.is_set():
        asked = _poll_batch(rt, parsers, turns, timeout_s)
        if asked is None:
            break
        polled += asked
    return polled


def _poll_batch(rt: Runtime, parsers: ParserPool, turns: Turns, timeout_s: float) -> int | None:
    """What is under way is heard out even when the process is to end: asking it again would be a burst."""
    now = rt.clock.now()
    with rt.begin() as session:
        store.one_at_a_time(session)
        held = work.claim(session, work.SOURCES, now=now, lease=LEASE, limit=BATCH)
        due = store.begin(session, held, now=now, shortest=SHORTEST)
        agent = user_agent(rt, store.readers(session) if held else 0)
    if not held:
        return None
    outcomes: Counter[str] = Counter()
    done: list[Visit] = []
    for reading in _light_first(outages.told_apart(rt, _ask(rt, due, turns, Manner(agent, timeout_s)))):
        visit = outlasting(partial(_concluded, rt, reading, parsers), sleep=rt.clock.sleep)
        visit = _rested(visit, turns.rests_until(reading.url))
        outcomes[visit.outcome] += 1
        done.append(visit)
        if visit.rest is not None or len(done) >= AT_ONCE:  # a rest is asked for all before it
            _record(rt, held, done)
    _record(rt, held, done)
    unasked = turns.left()
    resting = {id(step) for step in turns.rests(unasked)}
    waiting = [step for step in unasked if id(step) not in resting and not step.redirects]
    with rt.begin() as session:
        if waiting:
            store.put_off(session, held, [step.source.source_id for step in waiting], until=now)
        work.hand_back(session, work.SOURCES, held)
    for outcome, number in outcomes.items():
        rt.metrics.handled("poll", outcome, number)
    log.info("poll.batch", claimed=len(held.rows), done=outcomes.total())
    return len(held.rows)


def user_agent(rt: Runtime, readers: int) -> str:
    """Who we are, where to find us, and for how many people we come."""
    contact = rt.settings.contact_url or f"{rt.settings.base_url}/bot"
    return f"Goniec/{VERSION} (+{contact}; {readers} subscribers)"


def _rested(visit: Visit, until: datetime | None) -> Visit:
    """No sooner than its site wants, as another source of it was told meanwhile."""
    due_at = visit.columns.get("due_at")
    if until is None or due_at is None or due_at >= until:
        return visit
    return replace(visit, columns={**visit.columns, "due_at": until})


def _light_first(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Those with a body after the others, when all have answered: reading them takes a while, and meanwhile
    nobody would attend to who is still being asked. Sooner when they grow heavy."""
    waiting: list[Reading] = []
    weight = 0
    for reading in readings:
        size = len(reading.answer.body) if isinstance(reading.answer, Response) else 0
        if not size:
            yield reading
            continue
        waiting.append(reading)
        weight += size
        if weight > HEAVY_BYTES:
            yield from waiting
            waiting.clear()
            weight = 0
    yield from waiting


def _record(rt: Runtime, held: Claim, visits: list[Visit]) -> None:
    """Write visits down, waiting for a database that restarts: what a server has told us it should not have
    to tell again. The list is empty afterwards."""
    if visits:
        patiently(
            rt.sessions,
            lambda session: store.finish_all(session, held, visits, now=rt.clock.now()),
            sleep=rt.clock.sleep,
        )
        visits.clear()


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


def _ask(rt: Runtime, due: Sequence[SourceDue], turns: Turns, manner: Manner) -> Iterator[Reading]:
    """Ask all sources, one of a host at a time, following redirects by hand; validators go only to the
    address they are of. What is in `turns` afterwards was not asked."""
    for source in due:
        turns.add(Step(source, doors.address_to_ask(source.address, habits_of(source))))
    until = rt.clock.now() + LEASE / 2

    def more() -> Iterable[Request]:
        """Nothing is begun that might outlast the lease."""
        while not rt.stopping.is_set() and rt.clock.now() < until and (steps := turns.next()):
            if allowed := _allowed(rt, steps, turns, manner):
                return [_request(step, manner, now=rt.clock.now()) for step in allowed]
        return ()

    for request, answer in rt.http.fetch(more(), more=more, stopping=rt.stopping):
        assert isinstance(request.tag, Step)
        reading = _answered(rt, request.tag, answer, turns)
        if reading is not None:
            yield reading
    for step in turns.refused():
        yield Reading(step.source, step.url, None, step.redirects, rt.clock.now())


def _answered(rt: Runtime, step: Step, answer: Answer, turns: Turns) -> Reading | None:
    """The reading that an answer is; None when the way goes on elsewhere."""
    now = rt.clock.now()
    turns.done(step)
    told = None
    if isinstance(answer, Response):
        told = read_answer(answer.status, answer.headers, url=step.url, now=now)
        if isinstance(told, Failed) and (rest := rests.asked_for(rt, told, answer, step.url, now=now)):
            turns.rest(rest)
    if isinstance(told, Moved) and len(step.redirects) < REDIRECTS:
        moved = Redirect(told.location, told.is_permanent)
        turns.add(Step(step.source, moved.location, (*step.redirects, moved)), is_onward=True)
        return None
    return Reading(step.source, step.url, answer, step.redirects, now, too_many=isinstance(told, Moved))


def _allowed(rt: Runtime, steps: Sequence[Step], turns: Turns, manner: Manner) -> list[Step]:
    """The steps that may be taken now: robots.txt is asked first, at every hop. The others are done with, or
    wait for the pause after that question; what was refused is in `turns.refused`."""
    is_page = {id(step): doors.asks_robots(Door(step.source.kind)) for step in steps}
    judged = partial(
        robots.judged,
        rt,
        pages=[step.url for step in steps if is_page[id(step)]],
        feeds=[step.url for step in steps if not is_page[id(step)]],
        agent=manner.agent,
        heard=manner.heard,
    )
    verdict = outlasting(judged, sleep=rt.clock.sleep)
    allowed = []
    for step in steps:
        if step.url in verdict.forbidden:
            turns.refuse(step, was_asked=origin_of(step.url) in verdict.asked)
        elif origin_of(step.url) in verdict.asked:
            turns.done(step)
            turns.add(step, is_onward=True)
        else:
            allowed.append(step)
    return allowed


def _request(step: Step, manner: Manner, *, now: datetime) -> Request:
    habits = habits_of(step.source)
    held = held_validators(step.source) if doors.is_conditional(habits, now=now) else None
    headers = conditional_headers(held, url=step.url)
    if habits.door in doors.ACCEPT:
        headers = tuple((name, doors.ACCEPT[habits.door] if name == "Accept" else v) for name, v in headers)
    return Request(
        url=step.url,
        headers=(("User-Agent", manner.agent), *headers),
        max_bytes=MAX_BYTES,
        total_timeout_s=manner.timeout_s,
        tag=step,
    )


def held_validators(source: SourceDue) -> Validators | None:
    if source.validators_url is None:
        return None
    return Validators(source.validators_url, source.etag, source.last_modified)
