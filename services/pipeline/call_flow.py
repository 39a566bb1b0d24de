"""Webhooks as a stream: while some calls are under way, further ones are claimed and begun.

One endpoint that hangs must never hold up another: each has its own queue and few calls under way, and a
claim takes from each only what its health allows. Each outcome is written while this worker holds the claim.
"""

import secrets
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from services import log as logs
from services.channels.base import Outcome, OutcomeKind
from services.channels.webhook import Call, WebhookChannel
from services.domain import health, retries
from services.domain.faults import Fault
from services.domain.health import Answers, Health
from services.errors import Unavailable
from services.pipeline import line, outcomes
from services.pipeline.calls import call
from services.pipeline.leases import LEASE, kept
from services.runtime import Runtime
from services.storage import calls as limits
from services.storage import deliveries as store
from services.storage import owner_words, work
from services.storage.deliveries import CallDue, Result
from services.storage.work import Claim

CLAIM_AT_ONCE = 500
ENOUGH_IN_HAND = 250  # while so many are queued, nothing further is claimed
AT_ONCE = 10  # calls under way to one endpoint
REPLAYS_AT_ONCE = 4  # of these, calls that a replay released: the rest stays free for fresh events
RECORD_EVERY = 100
RECORD_WITHIN_S = 0.25
AGAIN_AFTER_S = 1.0
LOOK_EVERY_S = 0.2  # for further rows, once there were none

log = logs.get(__name__)


class CallFlow:
    """One stream of calls, from the first claim until nothing is due and nothing under way."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._channel = WebhookChannel(rt.http)
        self._id = secrets.token_hex(8)
        self._queues: dict[int, deque[CallDue]] = defaultdict(deque)
        self._replays: dict[int, deque[CallDue]] = defaultdict(deque)
        self._under_way: dict[str, CallDue] = {}
        self._busy: Counter[int] = Counter()
        self._replaying: Counter[int] = Counter()
        self._held: set[int] = set()
        self._done: list[tuple[CallDue, Outcome]] = []
        self._failed: Counter[int] = Counter()  # of what is done and not yet written
        self._done_at = 0.0
        self._look_at = 0.0
        self._tried = 0

    def run(self) -> int:
        """Call until nothing is due or the process is stopping; how many were tried."""
        self._claim()
        try:
            with kept(self._rt, work.WEBHOOKS, self._claimed):
                while self._held:
                    answers = self._channel.send(
                        self._feed(), more=self._more, stopping=self._rt.stopping
                    )  # fmt: skip
                    for sent, outcome in answers:
                        self._ended(sent, outcome)
                    self._record()
                    if self._rt.stopping.is_set():
                        break
                    self._claim()
        finally:
            self._hand_back()
        if self._tried:
            log.info("deliver.webhooks", tried=self._tried)
        return self._tried

    def _claimed(self) -> Claim:
        return Claim(self._id, tuple(self._held.copy()))

    def _more(self) -> Iterator[Call]:
        """Asked by the channel while calls are under way: write what is done, claim, and begin what fits."""
        now = self._rt.clock.monotonic()
        if self._done and now - self._done_at >= RECORD_WITHIN_S:
            self._record()
        queued = len(self._held) - len(self._under_way) - len(self._done)
        if queued < ENOUGH_IN_HAND and now >= self._look_at and not self._rt.stopping.is_set():
            try:
                self._claim()
            except Unavailable:  # a database that restarts: what is under way is heard out
                self._look_at = now + AGAIN_AFTER_S
        return self._feed()

    def _claim(self) -> None:
        now = self._rt.clock.now()
        with self._rt.begin() as session:
            ids = limits.claim(session, self._id, now=now, lease=LEASE, limit=CLAIM_AT_ONCE)
            due = store.claimed_calls(session, Claim(self._id, tuple(ids))) if ids else []
        self._held.update(ids)
        self._look_at = self._rt.clock.monotonic() + (0.0 if len(ids) == CLAIM_AT_ONCE else LOOK_EVERY_S)
        held_back = [one for one in due if one.held_back]
        for one in due:
            if not one.held_back:
                (self._replays if one.is_replay else self._queues)[one.endpoint_id].append(one)
        if held_back:
            self._suppress(held_back)

    def _feed(self) -> Iterator[Call]:
        """The calls that may begin now, an endpoint after another; what is replayed after what is fresh."""
        for endpoint_id in [one for one, queue in self._queues.items() if queue]:
            queue = self._queues[endpoint_id]
            while queue and self._busy[endpoint_id] < AT_ONCE:
                yield self._begun(queue.popleft())
        for endpoint_id in [one for one, queue in self._replays.items() if queue]:
            queue = self._replays[endpoint_id]
            while queue and self._busy[endpoint_id] < AT_ONCE:
                if self._replaying[endpoint_id] >= REPLAYS_AT_ONCE:
                    break
                self._replaying[endpoint_id] += 1
                yield self._begun(queue.popleft())

    def _begun(self, one: CallDue) -> Call:
        made = call(self._rt, one)
        self._under_way[made.delivery_id] = one
        self._busy[one.endpoint_id] += 1
        return made

    def _ended(self, sent: Call, outcome: Outcome) -> None:
        one = self._under_way.pop(sent.delivery_id)
        self._busy[one.endpoint_id] -= 1
        self._replaying[one.endpoint_id] -= one.is_replay
        if not self._done:
            self._done_at = self._rt.clock.monotonic()
        self._done.append((one, outcome))
        self._tried += 1
        self._failed[one.endpoint_id] += outcome.state is not OutcomeKind.SENT
        is_old = self._rt.clock.monotonic() - self._done_at >= RECORD_WITHIN_S
        is_failing = self._failed[one.endpoint_id] >= health.DEGRADED_AFTER
        if is_old or is_failing or len(self._done) >= RECORD_EVERY:
            self._record()

    def _record(self) -> None:
        done, self._done = line.told_apart(self._rt, self._done), []
        self._failed.clear()
        if not done:
            return
        results = [
            outcomes.result(self._rt, one, outcome, one.schedule_s or retries.SCHEDULE_S)
            for one, outcome in done
        ]
        ids = tuple(one.delivery_id for one, _ in done)

        def change(session: Session) -> list[int]:
            store.record(session, Claim(self._id, ids), results, now=self._rt.clock.now())
            return _judge(self._rt, session, done)

        unwell = outcomes.write(self._rt, change)
        self._held.difference_update(ids)
        outcomes.count(self._rt, "webhook", done)
        for endpoint_id in unwell:
            self._give_up(endpoint_id)

    def _suppress(self, due: list[CallDue]) -> None:
        """Record what must not be sent after all."""
        now = self._rt.clock.now()
        stopped = [
            Result(
                one.delivery_id,
                "suppressed",
                "suppressed",
                one.held_back or "",
                None,
                0,
                now,
                was_tried=False,
            )
            for one in due
        ]
        ids = tuple(one.delivery_id for one in due)
        with self._rt.begin() as session:
            store.record(session, Claim(self._id, ids), stopped, now=now)
        self._held.difference_update(ids)

    def _give_up(self, endpoint_id: int) -> None:
        """Hand back what is queued for an endpoint that does not bear it now."""
        queued = (*self._queues.pop(endpoint_id, ()), *self._replays.pop(endpoint_id, ()))
        ids = [one.delivery_id for one in queued]
        if ids:
            with self._rt.begin() as session:
                work.hand_back(session, work.WEBHOOKS, Claim(self._id, tuple(ids)))
            self._held.difference_update(ids)

    def _hand_back(self) -> None:
        """Write what is known, and give up the rest, so that nothing waits for its lease to run out."""
        self._record()
        if self._held:
            outcomes.write(
                self._rt, lambda session: work.hand_back(session, work.WEBHOOKS, self._claimed())
            )  # fmt: skip
            self._held.clear()


def _judge(rt: Runtime, session: Session, done: list[tuple[CallDue, Outcome]]) -> list[int]:
    """Write what answers say of their endpoints; those that are to get no more than a trickle now."""
    now = rt.clock.now()
    told: dict[int, list[Outcome]] = defaultdict(list)
    for one, outcome in done:
        told[one.endpoint_id].append(outcome)
    before = limits.standings(session, sorted(told))
    changed: dict[int, tuple[health.Standing, str]] = {}
    words: list[tuple[int, str, datetime, str]] = []
    for endpoint_id, was in before.items():
        stands = health.after(was, _answers(told[endpoint_id]), now)
        if (word := health.word_due(was, stands, now)) is not None:
            since = was.failing_since or stands.failing_since or now
            words.append((endpoint_id, word, since, _because(stands, told[endpoint_id])))
        if (mark := health.warning_due(stands, now)) is not None:
            stands = replace(stands, warned_at=mark)
            log.warning("endpoint.failing", endpoint_id=endpoint_id, per_cent=mark)
        if stands != was:
            changed[endpoint_id] = stands, _because(stands, told[endpoint_id])
    moved = [one for one, (stands, _) in changed.items() if stands.health is not before[one].health]
    limits.stand(session, changed, moved=moved, now=now)
    owner_words.add(session, words, now=now)
    for endpoint_id in moved:
        log.info("endpoint.health", endpoint_id=endpoint_id, health=changed[endpoint_id][0].health.value)
    bound = (Health.DEGRADED, Health.PAUSED, Health.DISABLED)
    return [
        one for one, (stands, _) in changed.items()
        if stands.health in bound or (stands.next_at is not None and stands.next_at > now)
    ]  # fmt: skip


def _answers(told: list[Outcome]) -> Answers:
    """A call that was refused for its number (429) is no failure of the endpoint."""
    waits = [one.retry_after_s for one in told if one.retry_after_s is not None]
    return Answers(
        taken=sum(one.state is OutcomeKind.SENT for one in told),
        failed=sum(
            one.state is not OutcomeKind.SENT and one.status != 429 and one.fault != Fault.OURS
            for one in told
        ),
        wait_s=max(waits, default=None),
        is_gone=any(one.disable for one in told),
    )


def _because(stands: health.Standing, told: list[Outcome]) -> str:
    failed = [one.detail for one in told if one.state is not OutcomeKind.SENT]
    if stands.health in (Health.HEALTHY, Health.RECOVERING) or not failed:
        return "it takes calls again"
    return failed[-1][:200]
