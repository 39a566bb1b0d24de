"""The way out to other systems: signed HTTP calls after Standard Webhooks 1.0.

Never follows a redirect, never decides when to try again, and keeps of an answer only a few printable words.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.channels.base import Outcome, OutcomeKind
from services.domain import faults
from services.domain.faults import Fault
from services.domain.retries import read_retry_after
from services.domain.signing import sign
from services.errors import BadInput
from services.http import Client, Failure, FailureKind, Phases, Request, Response

MAX_ANSWER_BYTES = 64 * 1024
SNIPPET_LENGTH = 200
ANSWER_LENGTH = 1_000
CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 20.0
GONE = 410
TOO_MANY_REQUESTS = 429
ASK_TO_WAIT = frozenset({TOO_MANY_REQUESTS, 502, 503, 504})
MIN_WAIT_AFTER_429_S = 60.0
HOPELESS = frozenset({FailureKind.ADDRESS_REFUSED})  # the same address will be refused again


@dataclass(frozen=True, slots=True)
class Call:
    """One event on its way to one endpoint.

    `delivery_id` stays the same on every retry, `timestamp` is this attempt's. `secrets` are all that are
    valid now, newest first; `headers` go along unsigned.
    """

    delivery_id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes
    event_type: str
    timestamp: datetime
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class WebhookChannel:
    """Sends calls through the guarded client; safe to share between threads."""

    name = "webhook"

    def __init__(self, http: Client) -> None:
        self._http = http

    def send(
        self,
        calls: Iterable[Call],
        *,
        more: Callable[[], Iterable[Call]] = tuple,
        stopping: threading.Event | None = None,
    ) -> Iterator[tuple[Call, Outcome]]:
        """Send calls, many at once; each comes back once, with its outcome. A bad one harms no other.

        `more` is asked for further calls while some are under way, about once a second and after every few
        answers. Once `stopping` is set no more are begun, and those do not come back.
        """
        unfit: deque[tuple[Call, Outcome]] = deque()

        def requests(given: Iterable[Call]) -> Iterator[Request]:
            for call in given:
                try:
                    yield as_request(call)
                except (BadInput, ValueError) as exc:
                    said = f"not sent: {_printable(str(exc))}"
                    unfit.append((call, Outcome(OutcomeKind.FAILED, said, kind="unsent", fault=Fault.OURS)))

        answers = self._http.fetch(requests(calls), more=lambda: requests(more()), stopping=stopping)
        for request, answer in answers:
            while unfit:
                yield unfit.popleft()
            assert isinstance(request.tag, Call)
            yield request.tag, outcome(answer, request.tag.timestamp)
        yield from unfit


def as_request(call: Call) -> Request:
    signed = (
        ("Content-Type", call.content_type),
        ("webhook-id", call.delivery_id),
        ("webhook-timestamp", str(int(call.timestamp.timestamp()))),
        ("webhook-signature", sign(call.secrets, call.delivery_id, call.timestamp, call.body)),
    )
    return Request(
        url=call.url,
        method="POST",
        headers=(*signed, *call.headers),
        body=call.body,
        max_bytes=MAX_ANSWER_BYTES,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        total_timeout_s=TOTAL_TIMEOUT_S,
        redirects=0,
        repeatable=True,  # the receiver knows a repeated call by its webhook-id
        tag=call,
    )


def outcome(answer: Response | Failure, at: datetime) -> Outcome:
    """What an endpoint's answer to an attempt made at `at` means for the delivery."""
    if isinstance(answer, Response):
        return _answered(answer, at)
    state = OutcomeKind.FAILED if answer.kind in HOPELESS else OutcomeKind.RETRY
    if answer.kind is FailureKind.TOO_LARGE and answer.status is not None and 200 <= answer.status < 300:
        state = OutcomeKind.SENT  # it was taken; only the thanks were too long
    return Outcome(
        state,
        f"{answer.kind}: {_printable(answer.detail)}",
        status=answer.status,
        took_ms=answer.phases.total_ms,
        address=answer.address,
        kind=answer.kind.value,
        fault=None
        if state is OutcomeKind.SENT
        else faults.of_failure(answer.kind.value, was_reached=answer.sent),
        phases_ms=_phases(answer.phases),
    )


def _answered(answer: Response, at: datetime) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        state = OutcomeKind.SENT
    elif status == GONE:
        state = OutcomeKind.FAILED
    else:
        state = OutcomeKind.RETRY
    return Outcome(
        state,
        _detail(answer),
        status=status,
        retry_after_s=_wait_s(answer, at),
        disable=status == GONE,
        took_ms=answer.phases.total_ms,
        address=answer.address or None,
        fault=faults.of_status(status),
        phases_ms=_phases(answer.phases),
        answer=_printable(answer.body[: 4 * ANSWER_LENGTH].decode("utf-8", "replace"), ANSWER_LENGTH),
    )


def _phases(took: Phases) -> dict[str, float]:
    """What an attempt log tells of time, in milliseconds."""
    parts = {
        "dns": took.dns_ms, "connect": took.connect_ms, "tls": took.tls_ms, "send": took.send_ms,
        "wait": took.first_byte_ms, "read": took.read_ms,
    }  # fmt: skip
    return {name: round(ms, 1) for name, ms in parts.items()}


def _wait_s(answer: Response, at: datetime) -> float | None:
    """The wait that the endpoint asks for: Retry-After, at least a minute when it counts our calls."""
    if answer.status not in ASK_TO_WAIT:
        return None
    asked_s = read_retry_after(answer.header("retry-after"), at)
    if answer.status == TOO_MANY_REQUESTS:
        return max(asked_s or 0.0, MIN_WAIT_AFTER_429_S)
    return asked_s


def _detail(answer: Response) -> str:
    if 300 <= answer.status < 400:
        return f"HTTP {answer.status}: redirects are not followed"
    snippet = _printable(answer.body[: 4 * SNIPPET_LENGTH].decode("utf-8", "replace"))
    return f"HTTP {answer.status}: {snippet}" if snippet else f"HTTP {answer.status}"


def _printable(text: str, most: int = SNIPPET_LENGTH) -> str:
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r" {2,}", " ", visible).strip()[:most]
