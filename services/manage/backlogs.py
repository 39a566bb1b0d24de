"""What waits before each stage, for the figures that machines read."""

from services.errors import Unavailable
from services.metrics import Waiting
from services.runtime import Runtime
from services.storage import work


def waiting(rt: Runtime) -> Waiting:
    """{stage: (rows due, seconds since the oldest of them fell due)}; empty while the database is away."""
    now = rt.clock.now()
    try:
        with rt.begin() as session:
            found = {stage: work.backlog(session, stage, now=now) for stage in work.LANES}
    except Unavailable:
        return {}
    return {stage: (one.due, one.oldest_s) for stage, one in found.items()}
