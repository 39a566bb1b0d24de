"""The HTTP client: requests in, answers out as they come, many at once, no host crowded.

Never lets an exception of the network out: what went wrong is a `Failure`. No cookies, no caches.
"""

import functools
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from services.domain.addresses import Network, Target, is_dialable, read_target
from services.errors import AddressRefused
from services.http.loop import Loop
from services.http.transfer import Job, Rules, Transfer
from services.http.values import REDIRECTS, Answer, Failure, FailureKind, Hop, Request, Response, redirected

TIMER_SLACK_S = 0.001


class Client:
    """Thread-safe. Each `fetch` in progress has a loop of its own; loops and their connections are kept.

    `guarded` clients dial only public addresses and `allow_networks`; the others are for hosts that the
    operator set. `max_connections` and `max_per_host` bound one `fetch`. `resolve` replaces
    name look-ups (tests alone need it), `ca_file` the system's certificates.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        allow_networks: Iterable[Network] = (),
        guarded: bool = True,
        max_connections: int = 100,
        max_per_host: int = 10,
        resolve: Mapping[str, Sequence[str]] | None = None,
        ca_file: str | None = None,
    ) -> None:
        allowed = tuple(allow_networks)
        self._rules = Rules(
            user_agent=user_agent,
            guarded=guarded,
            dialable=functools.lru_cache(maxsize=4096)(lambda ip: is_dialable(ip, allowed)),
            resolve={} if resolve is None else resolve,
            ca_file=ca_file or ssl.get_default_verify_paths().cafile,
        )
        self._max_connections = max_connections
        self._max_per_host = max_per_host
        self._lock = threading.Lock()
        self._idle: list[Loop] = []
        self._is_closed = False

    def fetch(
        self,
        requests: Iterable[Request],
        *,
        more: Callable[[], Iterable[Request]] = tuple,
        stopping: threading.Event | None = None,
    ) -> Iterator[tuple[Request, Answer]]:
        """Ask all, and yield each answer as it comes; each request comes back once. Begins when first read.

        `more` is asked for further requests about once a second and after every few answers; it ends when
        `more` gives none while nothing is under way. Take the answers promptly: while the caller works on
        one, the others' time-outs run on. Once `stopping` is set nothing more is begun; what was not begun
        does not come back.
        """
        loop = self._borrow()
        try:
            batch = _Batch(self._rules, loop, self._max_connections, self._max_per_host, stopping)
            yield from batch.run(requests, more)
        finally:
            self._give_back(loop)

    def fetch_one(self, request: Request) -> Answer:
        [(_, answer)] = self.fetch((request,))
        return answer

    def check_address(self, url: str) -> None:
        """Whether `url` may be asked at all, looking its name up. Raises AddressRefused with the reason.

        For telling people early; the check that counts is made again at each dial.
        """
        target = read_target(url)
        if not self._rules.guarded:
            return
        for address in self._look_up(target):
            if not self._rules.dialable(address):
                raise AddressRefused("The address does not lead to a public host.", reason="not-public")

    def check_written(self, url: str) -> None:
        """The same by what is written alone, for who asks without a key: a name that is looked up slowly must
        not hold who answers. Raises AddressRefused."""
        literal = read_target(url).literal
        if literal is not None and self._rules.guarded and not self._rules.dialable(str(literal)):
            raise AddressRefused("The address does not lead to a public host.", reason="not-public")

    def close(self) -> None:
        """Close kept connections; what is in progress closes its own at its end."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for loop in idle:
            loop.close()

    def _look_up(self, target: Target) -> list[str]:
        if target.literal is not None:
            return [str(target.literal)]
        if known := self._rules.known(target):
            return list(known)
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise AddressRefused("The host name could not be resolved.", reason="dns") from exc
        return [str(peer[0]) for *_, peer in found]

    def _borrow(self) -> Loop:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Loop(self._rules, kept_connections=self._max_connections)

    def _give_back(self, loop: Loop) -> None:
        loop.abandon()
        with self._lock:
            if not self._is_closed:
                self._idle.append(loop)
                return
        loop.close()


class _Batch:
    """The requests of one `fetch`: who waits for which host, and who is on the way."""

    def __init__(
        self,
        rules: Rules,
        loop: Loop,
        max_connections: int,
        max_per_host: int,
        stopping: threading.Event | None,
    ) -> None:
        self._rules = rules
        self._stopping = stopping or threading.Event()
        self._loop = loop
        self._max_connections = max_connections
        self._max_per_host = max_per_host
        self._waiting: dict[str, deque[Job]] = {}
        self._turns: dict[str, None] = {}  # in order: hosts that have somebody waiting and room for them
        self._busy: Counter[str] = Counter()

    def run(
        self, requests: Iterable[Request], more: Callable[[], Iterable[Request]]
    ) -> Iterator[tuple[Request, Answer]]:
        given = requests
        while True:
            was_refused = False
            for request in given:
                refusal = self._enqueue(Job(request, request))
                if refusal is not None:
                    was_refused = True
                    yield request, refusal
            if not self._start_some() and not was_refused:
                return
            yield from self._ended()
            given = more()

    def _ended(self) -> Iterator[tuple[Request, Answer]]:
        """Wait until something happens; what came to its end. Nothing to wait for is no wait."""
        if self._loop.running:
            for transfer, code, message in list(self._loop.wait()):
                job = transfer.job
                answer = self._end(transfer, code, message)
                if answer is not None:
                    yield job.request, answer

    def _enqueue(self, job: Job) -> Failure | None:
        """Put a job in its host's queue, or say at once why it cannot go there."""
        try:
            job.target = read_target(job.current.url)
        except AddressRefused as refused:
            return Failure(FailureKind.ADDRESS_REFUSED, refused.message, hops=tuple(job.hops))
        literal = job.target.literal
        if literal is not None and self._rules.guarded and not self._rules.dialable(str(literal)):
            detail = "the address must not be dialled"
            return Failure(FailureKind.ADDRESS_REFUSED, detail, address=str(literal), hops=tuple(job.hops))
        host = job.target.host
        queue = self._waiting.setdefault(host, deque())
        queue.append(job)
        self._give_turn(host)
        return None

    def _give_turn(self, host: str) -> None:
        if self._waiting.get(host) and self._busy[host] < self._max_per_host:
            self._turns.setdefault(host)

    def _start_some(self) -> bool:
        """Fill the free places, host by host in turn; False when nothing is left on the way."""
        while self._turns and self._loop.running < self._max_connections and not self._stopping.is_set():
            host = next(iter(self._turns))
            del self._turns[host]
            job = self._waiting[host].popleft()
            self._busy[host] += 1
            transfer = self._loop.take()
            transfer.load(job)
            self._loop.start(transfer)
            self._give_turn(host)
        return self._loop.running > 0

    def _end(self, transfer: Transfer, code: int, message: str) -> Answer | None:
        """The answer of a transfer that ended; None when its job goes on elsewhere."""
        job = transfer.job
        answer = transfer.failure(code, message) if code else transfer.response()
        job.spent_s = transfer.spent_s()
        self._loop.put_back(transfer)
        host = job.target.host
        self._busy[host] -= 1
        self._give_turn(host)
        if isinstance(answer, Response) and job.request.redirects > 0 and answer.status in REDIRECTS:
            return self._follow(job, answer)
        return answer

    def _follow(self, job: Job, answer: Response) -> Answer | None:
        location = answer.header("location")
        if not location:
            return answer
        job.hops.append(Hop(job.target.url, answer.status, location))
        stopped = self._stopped(job, answer)
        if stopped is not None:
            return stopped
        try:
            job.current = redirected(job.current, answer.status, location)
        except (AddressRefused, ValueError):
            detail = "it redirects to an address that cannot be asked"
            return self._failure(job, answer, FailureKind.ADDRESS_REFUSED, detail)
        return self._enqueue(job)

    def _stopped(self, job: Job, answer: Response) -> Failure | None:
        if job.current.redirects <= 0:
            return self._failure(job, answer, FailureKind.TOO_MANY_REDIRECTS, "it redirects too often")
        if job.spent_s + TIMER_SLACK_S >= job.current.total_timeout_s:
            return self._failure(job, answer, FailureKind.TIMEOUT, "it took too long")
        return None

    def _failure(self, job: Job, answer: Response, kind: FailureKind, detail: str) -> Failure:
        return Failure(
            kind,
            detail,
            sent=True,
            address=answer.address,
            status=answer.status,
            phases=answer.phases,
            hops=tuple(job.hops),
        )
