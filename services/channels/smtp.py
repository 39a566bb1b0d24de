"""Mail to a server over a few kept connections, one round trip a letter.

    lane 1   MAIL RCPT DATA ─▶ 250 250 354   message 1 + MAIL RCPT DATA ─▶ 250 | 250 250 354   message 2 …
    lane 2   …

Each batch is shared by up to `lanes` connections. A lane that cannot connect hands its letter back to the
others; when the last lane ends, what is left is to be tried again later. A letter whose last dot was sent and
not answered may have been accepted: it is tried again under the same Message-ID, never counted as sent.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue

from services.channels import mime
from services.channels.base import Letter, Outcome, OutcomeKind
from services.channels.smtp_connection import Connection, Lost, Server
from services.channels.smtp_replies import Reply, Stage, outcome_of

_LETTERS_PER_LANE = 4
_FAULTS_THAT_END_A_LANE = 3
_UNSURE = (
    "no answer to the whole message: it may have been accepted, and comes again under the same Message-ID"
)
Sign = Callable[[bytes], bytes]


class SmtpChannel:
    """Sends letters through one mail server; `sign` may add a DKIM signature to the finished message."""

    name = "smtp"

    def __init__(self, server: Server, *, lanes: int = 4, sign: Sign | None = None) -> None:
        self._server = server
        self._lanes = lanes
        self._sign = sign
        self._kept: list[Connection] = []
        self._lock = threading.Lock()

    def send(
        self, letters: Sequence[Letter], *, stopping: threading.Event | None = None
    ) -> Iterator[tuple[Letter, Outcome]]:
        batch = _Batch(letters, stopping or threading.Event())
        lanes = min(self._lanes, -(-len(letters) // _LETTERS_PER_LANE))
        threads = [
            threading.Thread(target=self._lane, args=(batch,), name=f"smtp-{number}", daemon=True)
            for number in range(lanes)
        ]
        try:
            for thread in threads:
                thread.start()
            yield from batch.outcomes(lanes)
        finally:
            batch.stopped = True
            for thread in threads:
                thread.join()

    def close(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.quit()

    def _lane(self, batch: "_Batch") -> None:
        lane = _Lane(batch, self._take, self._sign)
        try:
            lane.run()
        except BaseException as exc:
            batch.crash(exc)
        finally:
            if lane.connection is not None:
                self._keep(lane.connection)
            batch.lane_ended()

    def _take(self) -> Connection:
        while True:
            with self._lock:
                connection = self._kept.pop() if self._kept else None
            if connection is None:
                return Connection(self._server)
            if connection.is_quiet():
                return connection
            connection.close()

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if len(self._kept) < self._lanes:
                self._kept.append(connection)
                return
        connection.quit()


class _Batch:
    """The letters still to send, and the outcomes as they come; shared by the lanes."""

    def __init__(self, letters: Sequence[Letter], stopping: threading.Event) -> None:
        self._waiting = deque(letters)
        self._stopping = stopping
        self._done: SimpleQueue[tuple[Letter, Outcome] | BaseException | None] = SimpleQueue()
        self.last_fault = Outcome(OutcomeKind.RETRY, "the mail server was not asked")
        self.stopped = False

    def next(self) -> Letter | None:
        try:
            return None if self.stopped or self._stopping.is_set() else self._waiting.popleft()
        except IndexError:
            return None

    def hand_back(self, letter: Letter) -> None:
        self._waiting.appendleft(letter)

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        self._done.put((letter, outcome))

    def crash(self, exc: BaseException) -> None:
        self._done.put(exc)

    def lane_ended(self) -> None:
        self._done.put(None)

    def outcomes(self, lanes: int) -> Iterator[tuple[Letter, Outcome]]:
        while lanes:
            done = self._done.get()
            if done is None:
                lanes -= 1
            elif isinstance(done, BaseException):
                raise done
            else:
                yield done
        while (left := self.next()) is not None:
            yield left, self.last_fault


@dataclass(slots=True)
class _Job:
    """A letter on its way through a lane."""

    letter: Letter
    message: bytes
    envelope: tuple[bytes, bytes, bytes]
    began: float
    is_begun: bool = False  # its envelope is on the wire
    was_repeated: bool = False


class _Lane:
    """One connection at a time, one letter after the other."""

    def __init__(self, batch: _Batch, take: Callable[[], Connection], sign: Sign | None) -> None:
        self._batch = batch
        self._take = take
        self._sign = sign
        self.connection: Connection | None = None
        self._faults = 0
        self._current: _Job | None = None
        self._following: _Job | None = None
        self._is_dot_sent = False

    def run(self) -> None:
        self._current = self._next_job()
        while self._current is not None and self._faults < _FAULTS_THAT_END_A_LANE:
            try:
                if self.connection is None:
                    self.connection = self._take()
            except Lost as lost:
                self._batch.last_fault = _to_retry(lost)
                break
            self._step(self.connection, self._current)
        for job in (self._following, self._current):
            if job is not None:
                self._batch.hand_back(job.letter)

    def _step(self, connection: Connection, job: _Job) -> None:
        """One letter, or the end of the connection."""
        self._is_dot_sent = False
        try:
            outcome = self._transaction(connection, job)
        except Lost as lost:
            self._lose(connection, job, lost)
            return
        self._settle(job, outcome, connection)
        self._faults = 0
        self._current, self._following = self._following or self._next_job(), None

    def _transaction(self, connection: Connection, job: _Job) -> Outcome:
        if (obstacle := _obstacle(connection, job)) is not None:
            return obstacle
        if not job.is_begun:
            self._begin(connection, job)
        refusal = self._envelope_refused(connection, job)
        if refusal is not None:
            return refusal
        following = self._following = self._next_job()
        data = job.message
        if following is not None and connection.is_pipelined and _obstacle(connection, following) is None:
            data += b"".join(following.envelope)
            following.is_begun = True
        self._is_dot_sent = True
        connection.write(data, connection.message_timeout_s)
        reply = connection.reply(connection.message_timeout_s)
        connection.served += 1
        return outcome_of(reply, Stage.MESSAGE)

    def _begin(self, connection: Connection, job: _Job) -> None:
        if connection.needs_reset:
            connection.write(b"RSET\r\n")
            connection.reply()
            connection.needs_reset = False
        if connection.is_pipelined:
            connection.write(b"".join(job.envelope))
        job.is_begun = True

    def _envelope_refused(self, connection: Connection, job: _Job) -> Outcome | None:
        """Reads the answers to MAIL, RCPT and DATA; after a refusal the transaction is left cleanly."""
        refused: tuple[Reply, Stage] | None = None
        reply: Reply | None = None
        for command, stage in zip(job.envelope, (Stage.SENDER, Stage.RECIPIENT, Stage.DATA), strict=True):
            if not connection.is_pipelined:
                connection.write(command)
            reply = connection.reply()
            if not reply.is_positive and refused is None:
                refused = (reply, stage)
                if not connection.is_pipelined:
                    break
        if refused is None:
            return None
        if reply is not None and reply.code == 354:
            connection.write(b".\r\n")  # RFC 2920 section 3.1: DATA went through although nobody was accepted
            connection.reply()
        connection.needs_reset = True
        return outcome_of(*refused)

    def _lose(self, connection: Connection, job: _Job, lost: Lost) -> None:
        connection.close()
        self.connection = None
        if self._following is not None:
            self._following.is_begun = False
        was_kept = connection.served > 0
        if was_kept and not self._is_dot_sent and not job.was_repeated:
            job.is_begun, job.was_repeated = False, True
            return
        self._faults += 1
        self._batch.last_fault = outcome = _to_retry(lost)
        if self._is_dot_sent and lost.status is None:
            outcome = replace(outcome, detail=_UNSURE)
        self._settle(job, outcome, connection)
        self._current, self._following = self._following or self._next_job(), None

    def _settle(self, job: _Job, outcome: Outcome, connection: Connection) -> None:
        took_ms = (time.perf_counter() - job.began) * 1000
        self._batch.settle(job.letter, replace(outcome, took_ms=took_ms, address=connection.peer))

    def _next_job(self) -> _Job | None:
        while (letter := self._batch.next()) is not None:
            message = mime.write_or_refuse(letter)
            if isinstance(message, bytes):
                return self._job(letter, message)
            self._batch.settle(letter, message)
        return None

    def _job(self, letter: Letter, message: bytes) -> _Job:
        signed = self._sign(message) if self._sign else message
        to, sender = mime.address(letter.to), mime.address(letter.envelope_from)
        utf8 = " SMTPUTF8" if not (to + sender).isascii() else ""
        envelope = (f"MAIL FROM:<{sender}>{utf8}\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode(), b"DATA\r\n")
        stuffed = signed.replace(b"\r\n.", b"\r\n..")
        return _Job(letter, stuffed + b".\r\n", envelope, time.perf_counter())


def _obstacle(connection: Connection, job: _Job) -> Outcome | None:
    """What this server says beforehand it will not take."""
    if connection.max_bytes and len(job.message) > connection.max_bytes:
        return Outcome(OutcomeKind.FAILED, "larger than the mail server takes")
    if b" SMTPUTF8" in job.envelope[0] and "SMTPUTF8" not in connection.extensions:
        return Outcome(OutcomeKind.FAILED, "the mail server takes no addresses outside ASCII")
    return None


def _to_retry(lost: Lost) -> Outcome:
    return Outcome(OutcomeKind.RETRY, lost.detail, status=lost.status)
