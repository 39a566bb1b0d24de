"""Which stages have work due, asked of the rows: so that a lost doorbell costs a second, never a message."""

from services.pipeline import intake
from services.runtime import Runtime
from services.storage import work


def due(rt: Runtime) -> list[str]:
    """The stages with at least one row due or with a lease that ran out, in the order of the event's way."""
    now = rt.clock.now()
    with rt.begin() as session:
        stages = [stage for stage in work.LANES if work.is_due(session, stage, now=now)]
    if "feedback" not in stages and intake.waiting(rt):
        stages.append("feedback")
    return stages
