"""The test of a consumer's receiver: good and bad calls are made to it, and its answers judged.

Every call says that it is a test: its type is `pl.goniec.test.v1`, its id begins with `msg_test_`, and no
notice stands behind it. Nothing is written but a line of the audit: health and deliveries stay as they are.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain import event_types, events, rotation, signing
from services.http import Request, Response
from services.manage.conformance_words import WORDS
from services.manage.endpoints import Owner, need, write_audit
from services.runtime import Runtime

QUICK_S = 5.0  # an answer that takes longer should have been given before the work
GIVE_UP_S = 20.0  # as long as real calls wait
PATIENCE_S = 60.0  # with all calls of a check together
LARGE_CHARS = 200_000
STALE = timedelta(minutes=10)  # twice what Standard Webhooks lets a receiver allow
TEST_ID = "msg_test_"


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    LEFT_OUT = "left_out"


class Expected(StrEnum):
    """What a call of a check should be answered: 2xx, 4xx, or anything but an error of the receiver's own."""

    TAKEN = "taken"
    REFUSED = "refused"
    NO_ERROR = "no_error"


@dataclass(frozen=True, slots=True)
class Attempted:
    """One call of a check: what it was, what should have come, and what came."""

    what: str
    expected: Expected
    status: int | None
    detail: str
    took_ms: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One check, in words: `sent`, `expected`, what `came`, and `advice` where it failed."""

    code: str
    verdict: Verdict
    sent: str
    expected: str
    came: str
    advice: str
    calls: tuple[Attempted, ...]


@dataclass(frozen=True, slots=True)
class Report:
    at: datetime
    url: str
    is_ok: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Probe:
    """A call to be made; what is not said is as in any good call."""

    what: str
    expected: Expected = Expected.TAKEN
    uid: str | None = None
    secrets: tuple[str, ...] | None = None
    age: timedelta = timedelta()
    changed: Callable[[bytes], bytes] | None = None  # after signing
    body: bytes | None = None
    content_type: str | None = None
    type: str = event_types.TEST
    without: frozenset[str] = frozenset()  # headers that are left away
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Bench:
    """The endpoint under test, as real calls find it."""

    rt: Runtime
    url: str
    shape: str
    secrets: tuple[str, ...]
    quick_s: float
    until: float  # by the monotonic clock: then nothing is waited for that is not quick

    @property
    def patience_s(self) -> float:
        return GIVE_UP_S if self.rt.clock.monotonic() < self.until else min(self.quick_s, GIVE_UP_S)


def check(
    rt: Runtime, owner: Owner, uid: str, *, quick_s: float = QUICK_S, patience_s: float = PATIENCE_S
) -> Report:
    """Call an endpoint in good ways and bad ones, about fifteen times, and say what it did right and wrong.

    When it does not take the good call there is nothing to compare with: the rest is left out. Raises
    RateLimited while very many wait for such calls.
    """
    now = rt.clock.now()
    with rt.begin() as session:
        row, _, _, _ = need(session, owner, uid)
        secrets = rotation.valid_secrets(rt.settings.secret_key, row.secrets, now)
        bench = _Bench(rt, row.url, row.format, secrets, quick_s, rt.clock.monotonic() + patience_s)
        write_audit(session, owner, "endpoint.check", row, now)
    with rt.room_to_wait():
        checks = _checks(bench)
    is_ok = all(one.verdict is Verdict.PASSED for one in checks)
    return Report(now, bench.url, is_ok, tuple(checks))


def _checks(bench: _Bench) -> list[Check]:
    good = _judged(bench, "good", [_Probe("signed as every call")])
    checks = [good]
    for code, probes in _plan(bench).items():
        left_out = good.verdict is Verdict.FAILED
        checks.append(_told(code, Verdict.LEFT_OUT, ()) if left_out else _judged(bench, code, probes))
    return [*checks, _speed(bench, checks)]


def _plan(bench: _Bench) -> dict[str, list[_Probe]]:
    """The checks after the good call, each with its calls."""
    refused, doubled = Expected.REFUSED, TEST_ID + uuid.uuid4().hex
    strange = tuple(_stranger(one) for one in bench.secrets)
    return {
        "signature": [
            _Probe("signed with a secret that is not yours", refused, secrets=strange),
            _Probe("with a body that was changed after it was signed", refused, changed=_tampered),
        ],
        "unsigned": [
            _Probe("without the header webhook-signature", refused, without=frozenset({"webhook-signature"})),
            _Probe(
                "with none of the three headers", refused,
                without=frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"}),
            ),
        ],
        "timestamp": [
            _Probe("well signed ten minutes ago", refused, age=STALE),
            _Probe("well signed ten minutes ahead", refused, age=-STALE),
        ],
        "rotation": [
            _Probe("your signature after one of another secret", secrets=(*strange, *bench.secrets)),
            _Probe("your signature before one of another secret", secrets=(*bench.secrets, *strange)),
        ],
        "doubled": [_Probe("the first time", uid=doubled), _Probe("again, with the same id", uid=doubled)],
        "large": [_Probe("with a body of 200 KB", data={"padding": "ż" * (LARGE_CHARS // 2)})],
        "unknown": [_Probe("of a type that there is not yet", type="pl.goniec.test.unknown.v1")],
        "content_type": [
            _Probe(
                "well signed, but text that is no JSON", Expected.NO_ERROR,
                body=b"This is a test: text, not JSON.", content_type="text/plain; charset=utf-8",
            )
        ],
    }  # fmt: skip


def _judged(bench: _Bench, code: str, probes: Sequence[_Probe]) -> Check:
    calls = tuple(_attempt(bench, code, probe) for probe in probes)
    return _told(code, Verdict.PASSED if all(one.is_right for one in calls) else Verdict.FAILED, calls)


def _told(code: str, verdict: Verdict, calls: tuple[Attempted, ...]) -> Check:
    words = WORDS[code]
    came = "; ".join(f"{one.what}: {one.detail}" for one in calls) or "not tried: the good call was not taken"
    advice = words.advice if verdict is Verdict.FAILED else ""
    return Check(code, verdict, words.sent, words.expected, came, advice, calls)


def _speed(bench: _Bench, checks: Sequence[Check]) -> Check:
    """Whether answers come quickly: judged by the calls that were taken."""
    taken = [
        one for check in checks for one in check.calls if one.expected is Expected.TAKEN and one.is_right
    ]
    if not taken:
        return _told("slow", Verdict.LEFT_OUT, ())
    slowest = max(taken, key=lambda one: one.took_ms)
    is_quick = slowest.took_ms <= bench.quick_s * 1000
    found = Attempted(
        "the slowest answer",
        Expected.TAKEN,
        slowest.status,
        f"{slowest.took_ms} ms",
        slowest.took_ms,
        is_quick,
    )
    return _told("slow", Verdict.PASSED if is_quick else Verdict.FAILED, (found,))


def _attempt(bench: _Bench, code: str, probe: _Probe) -> Attempted:
    answer = bench.rt.http.fetch_one(_request(bench, code, probe))
    status = answer.status
    detail = f"status {status}" if isinstance(answer, Response) else f"no answer ({answer.kind})"
    is_right = isinstance(answer, Response) and _fits(probe.expected, answer.status)
    return Attempted(probe.what, probe.expected, status, detail, round(answer.phases.total_ms), is_right)


def _fits(expected: Expected, status: int) -> bool:
    match expected:
        case Expected.TAKEN:
            return 200 <= status < 300
        case Expected.REFUSED:
            return 400 <= status < 500
        case Expected.NO_ERROR:
            return 200 <= status < 300 or 400 <= status < 500


def _request(bench: _Bench, code: str, probe: _Probe) -> Request:
    at = bench.rt.clock.now() - probe.age
    content_type, extra, body = _said(bench, code, probe)
    uid = probe.uid or TEST_ID + uuid.uuid4().hex
    headers = {
        "Content-Type": content_type,
        "webhook-id": uid,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(probe.secrets or bench.secrets, uid, at, body),
    }
    return Request(
        url=bench.url,
        method="POST",
        headers=(*((name, value) for name, value in headers.items() if name not in probe.without), *extra),
        body=probe.changed(body) if probe.changed else body,
        max_bytes=64 * 1024,
        total_timeout_s=bench.patience_s,
    )


def _said(bench: _Bench, code: str, probe: _Probe) -> tuple[str, events.Headers, bytes]:
    """(Content-Type, further headers, body) of a call, in the endpoint's format."""
    if probe.body is not None:
        return probe.content_type or "", (), probe.body
    base = bench.rt.settings.base_url
    event = {
        "specversion": "1.0", "id": str(uuid.uuid4()), "type": probe.type, "source": base,
        "time": events.rfc3339(bench.rt.clock.now()), "datacontenttype": "application/json",
        "dataschema": event_types.schema_url(base, event_types.TEST),
        "data": {"message": f"This is a test of Goniec ({code}). No notice stands behind it.", **probe.data},
    }  # fmt: skip
    return events.told_as(bench.shape, event)


def _tampered(body: bytes) -> bytes:
    """The same length, another content: what a man in the middle would send."""
    return body.replace(b"No notice", b"My notice", 1)


def _stranger(secret: str) -> str:
    """A secret of the same kind that the receiver cannot know."""
    is_shared = secret.startswith(signing.SYMMETRIC)
    return signing.new_secret() if is_shared else signing.new_private_key()
