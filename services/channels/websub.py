"""The way out to followers of a topic (W3C WebSub): the question whether they mean it, and the topic itself.

Never follows a redirect, and keeps of an answer only a few printable words.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from services.channels.base import Outcome, OutcomeKind
from services.domain.retries import read_retry_after
from services.domain.websub import Links, signature, with_query
from services.http import Answer, Failure, FailureKind, Request, Response

MAX_ANSWER_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 15.0
GONE = 410
SNIPPET_LENGTH = 200


def question(callback: str, parameters: Mapping[str, str], *, tag: object) -> Request:
    """A GET of a callback with what it is asked or told (sections 5.2, 5.3)."""
    return Request(
        url=with_query(callback, parameters),
        max_bytes=MAX_ANSWER_BYTES,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        total_timeout_s=TOTAL_TIMEOUT_S,
        tag=tag,
    )


def distribution(
    callback: str, body: bytes, content_type: str, links: Links, secret: str | None, *, tag: object
) -> Request:
    """A topic as it is now, on its way to a follower (section 7); signed for who gave a secret."""
    headers = [("Content-Type", content_type), ("Link", links.header)]
    if secret is not None:
        headers.append(("X-Hub-Signature", signature(secret, body)))
    return Request(
        url=callback,
        method="POST",
        headers=tuple(headers),
        body=body,
        max_bytes=MAX_ANSWER_BYTES,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        total_timeout_s=TOTAL_TIMEOUT_S,
        repeatable=True,  # the topic as it is now, however often
        tag=tag,
    )


def confirmed(answer: Answer, challenge: str) -> Outcome:
    """Whether a callback meant it: a success with the challenge, and nothing else, as its body.

    What never reached it may be asked again; whatever it answered is its answer.
    """
    if isinstance(answer, Failure):
        refused = answer.sent or answer.kind is FailureKind.ADDRESS_REFUSED
        return Outcome(OutcomeKind.FAILED if refused else OutcomeKind.RETRY, _trouble(answer))
    if not 200 <= answer.status < 300:
        return Outcome(OutcomeKind.FAILED, f"HTTP {answer.status}", status=answer.status)
    if not hmac.compare_digest(answer.body, challenge.encode()):
        return Outcome(OutcomeKind.FAILED, "it answered something else than the challenge")
    return Outcome(OutcomeKind.SENT, status=answer.status)


def outcome(answer: Answer, at: datetime) -> Outcome:
    """What a follower's answer to a distribution means: any success is enough, 410 ends it."""
    if isinstance(answer, Response):
        return _answered(answer, at)
    if answer.kind is FailureKind.TOO_LARGE and answer.status is not None and 200 <= answer.status < 300:
        return Outcome(OutcomeKind.SENT)  # it was taken; only the thanks were too long
    return Outcome(OutcomeKind.RETRY, _trouble(answer), status=answer.status)


def _answered(answer: Response, at: datetime) -> Outcome:
    if 200 <= answer.status < 300:
        return Outcome(OutcomeKind.SENT, status=answer.status)
    if answer.status == GONE:
        return Outcome(OutcomeKind.FAILED, "HTTP 410: gone", status=GONE, disable=True)
    told = _printable(answer.body[: 4 * SNIPPET_LENGTH].decode("utf-8", "replace"))
    wait_s = read_retry_after(answer.header("retry-after"), at)
    detail = f"HTTP {answer.status}: {told}" if told else f"HTTP {answer.status}"
    return Outcome(OutcomeKind.RETRY, detail, status=answer.status, retry_after_s=wait_s)


def _trouble(answer: Failure) -> str:
    return f"{answer.kind}: {_printable(answer.detail)}"


def _printable(text: str) -> str:
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r" {2,}", " ", visible).strip()[:SNIPPET_LENGTH]
