"""How much and how often: bodies are counted as they arrive, requests are counted in Redis.

Keeps no address: who asks is known by a keyed hash that lasts a minute. When Redis is away nobody is held up.
"""

import hashlib
import hmac
import threading
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

import redis
from anyio import move_on_after, to_thread
from redis.backoff import NoBackoff
from redis.retry import Retry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import errors as problems
from services.errors import GoniecError, RateLimited, TooLarge
from services.runtime import Runtime

WINDOW_S = 60
AWAY_S = 5.0
DROP_S = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, and requests a minute."""

    max_body_bytes: int = 1_000_000
    max_batch_bytes: int = 16_000_000
    max_push_bytes: int = 5_000_000  # a feed, as a hub sends it
    dropped_bytes: int = 64_000_000  # of a body that is too long: read and forgotten
    anonymous: int = 600  # a whole office may stand behind one address
    sign_ups: int = 20  # each may send a mail
    previews: int = 120  # each weighs a month of notices
    hub: int = 60  # each may have somebody called
    by_key: int = 3_000
    refused_keys: int = 60  # guesses, from one address


# Where nothing is answered without a key or a person's token. Elsewhere nobody looks at what is shown, so
# it must not count as somebody.
KEYED = (
    "/v1/endpoints",
    "/v1/events",
    "/v1/subscriptions",
    "/v1/deliveries",
    "/v1/suppressions",
    "/v1/held",
    "/v1/mutes",
    "/v1/subscribers/me",
)
KEYED_TO_CHANGE = "/v1/notices"
BATCHES = frozenset({"/v1/notices/batch", "/v1/events"})
UNCOUNTED = ("/healthz", "/readyz", "/metrics", "/static/")


class BodyLimit:
    """Ends a request whose body is longer than it may be, declared or not; none of it is held in memory."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most(scope)
        if _declared(scope) > most:
            await self._drop(scope, receive)
            await _refuse(_too_large(most), scope, receive, send)
            return
        count = _Count(most, receive, send)
        try:
            await self._app(scope, count.receive, count.send)
        except _BodyTooLong:
            count.is_over = True
        if count.is_over and not count.has_begun:
            if not count.has_ended:
                await self._drop(scope, receive)
            await _refuse(_too_large(most), scope, receive, send)

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        """Let the rest of a body pass by: who is cut off while sending never hears why."""
        if any(name == b"expect" for name, _ in scope["headers"]):
            return  # it waits to be asked for
        left = self._limits.dropped_bytes
        with move_on_after(DROP_S):
            while left > 0:
                message = await receive()
                left -= max(1, len(message.get("body", b"")))
                if not message.get("more_body"):
                    return

    def _most(self, scope: Scope) -> int:
        """A batch may be long; but who shows no key at all is not listened to for so long."""
        if scope["path"].startswith("/websub/"):
            return self._limits.max_push_bytes
        is_batch = scope["path"] in BATCHES and any(name == b"authorization" for name, _ in scope["headers"])
        return self._limits.max_batch_bytes if is_batch else self._limits.max_body_bytes


class _BodyTooLong(Exception):
    pass


class _Count:
    """Counts one request's body. Once it is too long, what the application answers is not sent."""

    def __init__(self, most: int, receive: Receive, send: Send) -> None:
        self._left = most
        self._receive = receive
        self._send = send
        self.is_over = False
        self.has_begun = False
        self.has_ended = False  # the body; what comes after it is only that the caller has gone

    async def receive(self) -> Message:
        message = await self._receive()
        self.has_ended = not message.get("more_body")
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_over = True
            raise _BodyTooLong
        return message

    async def send(self, message: Message) -> None:
        if self.is_over and not self.has_begun:
            return
        self.has_begun = True
        await self._send(message)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is longer than {most:,} bytes. Send less at once.", max_bytes=most)


async def _refuse(error: GoniecError, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Connection": "close"} if isinstance(error, TooLarge) else {}
    await problems.answer(error, headers)(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Charge:
    """One count that a request adds to; it is refused once the window holds more than `most`."""

    name: str
    who: str
    most: int


class RateLimit:
    """Refuses who asks too often. Counts by key, or by address where there is none."""

    def __init__(self, app: ASGIApp, rt: Runtime, limits: Limits) -> None:
        self._app = app
        self._rt = rt
        self._limits = limits
        self._counter = Counter(rt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNCOUNTED):
            await self._app(scope, receive, send)
            return
        visitor = self._hash(network_of(scope))
        charges = self._charges(scope, visitor)
        wait_s = await to_thread.run_sync(self._counter.add, charges)
        if wait_s:
            error = RateLimited("Too many requests in a minute. Wait a little.", retry_after_s=wait_s)
            await _refuse(error, scope, receive, send)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                await to_thread.run_sync(self._counter.add, [Charge("refused", visitor, 0)])
            await send(message)

        await self._app(scope, receive, watch)

    def _charges(self, scope: Scope, visitor: str) -> list[Charge]:
        limits, path, is_post = self._limits, scope["path"], scope["method"] == "POST"
        key = next((v for n, v in scope["headers"] if n == b"authorization"), None)
        if key is not None and _asks_for_key(scope):
            return [
                Charge("key", self._hash(key.decode("latin-1")), limits.by_key),
                Charge("refused?", visitor, limits.refused_keys),
            ]
        charges = [Charge("visitor", visitor, limits.anonymous)]
        if is_post and path in ("/v1/subscribers", "/subscribe"):
            charges.append(Charge("sign-up", visitor, limits.sign_ups))
        if is_post and path == "/hub":
            charges.append(Charge("hub", visitor, limits.hub))
        if path in ("/v1/interests/check", "/subscribe/preview"):
            charges.append(Charge("preview", visitor, limits.previews))
        return charges

    def _hash(self, who: str) -> str:
        secret = self._rt.settings.secret_key.encode()
        return hmac.new(secret, b"goniec.rate:" + who.encode(), hashlib.sha256).hexdigest()[:24]


class Counter:
    """Counts within windows of a minute, in Redis. Never raises and never waits long."""

    def __init__(self, rt: Runtime) -> None:
        assert rt.settings.redis_url, "the engines are started before the application"
        self._clock = rt.clock
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._redis = redis.Redis.from_url(
            rt.settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )

    def add(self, charges: list[Charge]) -> float:
        """Add one to each; returns 0, or the seconds until the window ends when any is over its limit.

        A name that ends in `?` is looked at, not added to.
        """
        if self._clock.monotonic() < self._away_until:
            return 0.0
        window, spent_s = divmod(self._clock.now().timestamp(), WINDOW_S)
        try:
            counts = self._count(charges, int(window))
        except (redis.RedisError, OSError):
            with self._lock:
                self._away_until = self._clock.monotonic() + AWAY_S
            return 0.0
        is_over = any(c.most and n > c.most for c, n in zip(charges, counts, strict=True))
        return WINDOW_S - spent_s if is_over else 0.0

    def _count(self, charges: list[Charge], window: int) -> list[int]:
        with self._redis.pipeline(transaction=False) as pipe:
            for charge in charges:
                key = f"goniec:rate:{charge.name.rstrip('?')}:{charge.who}:{window}"
                pipe.incrby(key, 0 if charge.name.endswith("?") else 1)
                pipe.expire(key, WINDOW_S + 5)
            return [int(count) for count in pipe.execute()[::2]]


def _asks_for_key(scope: Scope) -> bool:
    path: str = scope["path"]
    reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
    return path.startswith(KEYED) or (path.startswith(KEYED_TO_CHANGE) and not reads)


def network_of(scope: Scope) -> str:
    """Who asks, as far as a network tells: an IPv4 address, or the /64 that one household has of IPv6."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
