"""One actor for each stage. The ring is answered first, so that rows committed meanwhile ring again.

An actor must hold no rules: it calls its stage, which works until nothing is due.
"""

from collections.abc import Callable

import dramatiq

from services import log
from services.errors import Unavailable
from services.pipeline import compose, deliver, feedback, hub, listen, match, poll, replay
from services.queue import Stage
from services.runtime import Runtime

STAGES: dict[Stage, Callable[[Runtime], object]] = {
    Stage.POLL: poll.run,
    Stage.MATCH: match.run,
    Stage.COMPOSE: compose.run,
    Stage.DELIVER_MAIL: deliver.run_mail,
    Stage.DELIVER_WEBHOOK: deliver.run_webhooks,
    Stage.FEEDBACK: feedback.run,
    Stage.HUB: hub.run,
    Stage.REPLAY: replay.run,
    Stage.LISTEN: listen.run,
}
_log = log.get(__name__)


def declare(
    broker: dramatiq.Broker, rt: Runtime, stages: dict[Stage, Callable[[Runtime], object]] = STAGES
) -> None:
    """Give the broker its actors, over this process's runtime."""
    for stage, run in stages.items():
        declared = dramatiq.actor(actor_name=stage, queue_name=stage, broker=broker, max_retries=0)
        declared(_answering(rt, stage, run))


def _answering(rt: Runtime, stage: Stage, run: Callable[[Runtime], object]) -> Callable[[], None]:
    def answer() -> None:
        rt.bell.answered(stage)
        if rt.stopping.is_set():
            return
        try:
            run(rt)
        except Unavailable as error:
            rt.metrics.error(stage)
            _log.warning("stage.interrupted", stage=stage, reason=error.message)
        except Exception:
            rt.metrics.error(stage)
            raise  # Dramatiq writes it down; the sweep brings the stage back

    return answer
