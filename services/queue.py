"""The doorbell: wakes a stage soon after its rows are committed. Rows are the queue; this only saves waiting.

A lost ring costs a second (the sweep rings again), so nothing here may raise, wait long, carry work, or be
relied on. With `workers/` it is the home of Dramatiq.
"""

import threading
import time
from collections.abc import Iterable
from enum import StrEnum

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

from services import log

NAMESPACE = "goniec:queue"
HEARTBEAT_TIMEOUT_MS = 15_000
MAINTENANCE_CHANCE = 1_000_000  # of a million: rings that died with a worker return at the next look
DEAD_MESSAGE_TTL_MS = 3_600_000
RING_KEPT_MS = 3_000  # how long an unanswered ring stands for those that follow it
AWAY_S = 1.0  # after a failure, how long not to try
_log = log.get(__name__)


class Stage(StrEnum):
    """Whom one can wake: the name of the actor and of its queue."""

    POLL = "poll"
    MATCH = "match"
    COMPOSE = "compose"
    DELIVER_MAIL = "deliver_mail"
    DELIVER_WEBHOOK = "deliver_webhook"
    FEEDBACK = "feedback"
    HUB = "hub"
    REPLAY = "replay"
    LISTEN = "listen"


class Doorbell:
    """Rings stages. One for a process; safe in all its threads."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url)
        self._broker = open_broker(self._client)
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._is_away = False

    def ring(self, stage: Stage | str) -> None:
        """Wake a worker for the stage; a ring that nobody has answered yet makes this one needless."""
        name = Stage(stage).value
        if time.monotonic() < self._away_until:
            return
        try:
            if self._client.set(_pending(name), "1", nx=True, px=RING_KEPT_MS):
                self._broker.enqueue(_message(name))
        except (redis.RedisError, OSError) as error:
            self._note_away(error)
        else:
            self._note_back()

    def answered(self, stage: Stage | str) -> None:
        """The stage begins to look at its rows: what is committed from now on needs a new ring."""
        try:
            self._client.delete(_pending(Stage(stage).value))
        except (redis.RedisError, OSError) as error:
            self._note_away(error)

    def is_there(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False

    def close(self) -> None:
        self._client.close()

    def _note_away(self, error: Exception) -> None:
        with self._lock:
            self._away_until = time.monotonic() + AWAY_S
            if not self._is_away:
                _log.warning("doorbell.away", reason=type(error).__name__)
            self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            with self._lock:
                self._is_away = False
            _log.info("doorbell.back")


class DoorbellBroker(RedisBroker):
    """Dramatiq's broker without its delay queues: nothing here is ever delayed, and each costs a thread."""

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)


def connect(redis_url: str) -> "redis.Redis":
    """A client that answers or fails within a second or two: it never waits for a server to come back."""
    return redis.Redis.from_url(
        redis_url, socket_connect_timeout=1.0, socket_timeout=2.0, retry=Retry(NoBackoff(), 1)
    )


def open_broker(client: "redis.Redis", middleware: Iterable[dramatiq.Middleware] = ()) -> DoorbellBroker:
    return DoorbellBroker(  # type: ignore[no-untyped-call]  # Dramatiq leaves this one untyped
        client=client,
        middleware=list(middleware),
        namespace=NAMESPACE,
        maintenance_chance=MAINTENANCE_CHANCE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        dead_message_ttl=DEAD_MESSAGE_TTL_MS,
    )


def _pending(name: str) -> str:
    return f"goniec:rung:{name}"


def _message(name: str) -> dramatiq.Message[None]:
    return dramatiq.Message(queue_name=name, actor_name=name, args=(), kwargs={}, options={})
