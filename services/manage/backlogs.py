"""What waits before each stage, for the figures that machines read."""

from datetime import timedelta

from services.errors import Unavailable
from services.metrics import Missing, Waiting
from services.runtime import Runtime
from services.storage import turns, work

MISSING_AFTER = timedelta(minutes=1)  # a matcher looks for its turns ten times a second


def waiting(rt: Runtime) -> Waiting:
    """{stage: (rows due, seconds since the oldest of them fell due)}; empty while the database is away."""
    now = rt.clock.now()
    try:
        with rt.begin() as session:
            found = {stage: work.backlog(session, stage, now=now) for stage in work.LANES}
    except Unavailable:
        return {}
    return {stage: (one.due, one.oldest_s) for stage, one in found.items()}


def missing_shards(rt: Runtime) -> Missing:
    """{shard: (events it holds back, seconds since the first)}; empty while the database is away."""
    now = rt.clock.now()
    try:
        with rt.begin() as session:
            found = turns.missing(session, before=now - MISSING_AFTER)
    except Unavailable:
        return {}
    return {str(one.shard): (one.events, (now - one.since).total_seconds()) for one in found}
