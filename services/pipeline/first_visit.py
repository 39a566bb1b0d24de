"""The first reading of a source, from an answer that is in hand: what was looked at is not asked for again.

The source is held like one that is being polled, so that a crash in the middle leaves it to the next poll.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from feeds.politeness import SHORTEST
from feeds.pool import ParserPool
from services.http import Response
from services.pipeline.visits import Reading, Redirect, conclude
from services.runtime import Runtime
from services.storage import polling as store
from services.storage.polling import SourceDue
from services.storage.work import Claim

PERMANENT = frozenset({301, 308})


@dataclass(frozen=True, slots=True)
class Held:
    """A new source under a claim of ours."""

    claim: Claim
    source: SourceDue


def hold(session: Session, source_id: int, *, now: datetime) -> Held:
    """Take a source of this transaction for its first reading; its next check is written before it."""
    held = Claim(secrets.token_hex(8), (source_id,))
    store.hold(session, held, now=now, lease=SHORTEST)
    [source] = store.begin(session, held, now=now, shortest=SHORTEST)
    return Held(held, source)


def conclude_first(
    rt: Runtime, held: Held, answer: Response, *, parsers: ParserPool | None = None
) -> store.Visit:
    """Read the answer as a poll would have."""
    reading = Reading(held.source, answer.url, answer, tuple(_redirects(answer)), rt.clock.now())
    if parsers is not None:
        visit = conclude(rt, reading, parsers)
    else:
        with ParserPool(size=1) as own:
            visit = conclude(rt, reading, own)
    with rt.begin() as session:
        store.finish(session, held.claim, visit, now=rt.clock.now())
    rt.metrics.handled("poll", visit.outcome)
    return visit


def _redirects(answer: Response) -> Iterable[Redirect]:
    return (Redirect(hop.location, hop.status in PERMANENT) for hop in answer.hops)
