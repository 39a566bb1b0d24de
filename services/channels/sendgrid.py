"""Mail through SendGrid's v3 API: one call for up to 1,000 readers of the same content.

Bodies are SendGrid's own helpers', the transport is ours, with kept connections. There is no idempotency key:
a call that left and was not answered is `uncertain` and must never be repeated blindly. No personal data goes
anywhere but into the address and the reader's own words and links; nothing tracks anybody.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sendgrid.helpers.mail import (  # type: ignore[import-untyped]
    ClickTracking,
    Content,
    CustomArg,
    From,
    Ganalytics,
    Header,
    Mail,
    MailSettings,
    OpenTracking,
    Personalization,
    SandBoxMode,
    SubscriptionTracking,
    Substitution,
    To,
    TrackingSettings,
)

from services.channels import mime
from services.channels.base import Letter, Outcome, OutcomeKind
from services.clock import Clock, SystemClock
from services.domain import slots
from services.http import Answer, Failure, Request, Response

MAX_READERS = 1_000
MAX_SUBSTITUTION_BYTES = 10_000
MAX_CALL_BYTES = 20_000_000
_CALLS_AT_ONCE = 8
_FAULTY_READER = re.compile(r"personalizations\.(\d+)\.to\b")
_OPERATORS_MATTER = frozenset({401, 402, 403, 404, 405})


class Transport(Protocol):
    """What is needed of services.http.Client."""

    def fetch(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Answer]]: ...


@dataclass(frozen=True, slots=True)
class _Call:
    """Letters that go in one request. Where there is one alone, its slots are filled here."""

    letters: tuple[Letter, ...]
    is_second_try: bool = False


class SendGridChannel:
    """Sends letters by calls of SendGrid's API. With `sandbox` they are checked and not delivered."""

    name = "sendgrid"

    def __init__(
        self,
        api_key: str,
        http: Transport,
        *,
        host: str = "https://api.sendgrid.com",
        sandbox: bool = False,
        timeout_s: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        self._headers = (("Authorization", f"Bearer {api_key}"), ("Content-Type", "application/json"))
        self._url = f"{host.rstrip('/')}/v3/mail/send"
        self._http = http
        self._sandbox = sandbox
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()

    def send(
        self, letters: Sequence[Letter], *, stopping: threading.Event | None = None
    ) -> Iterator[tuple[Letter, Outcome]]:
        usable: list[Letter] = []
        for letter in letters:
            refused = _unusable(letter)
            if refused is None:
                usable.append(letter)
            else:
                yield letter, refused
        calls = list(_calls(usable))
        while calls and not (stopping is not None and stopping.is_set()):
            now, calls = calls[:_CALLS_AT_ONCE], calls[_CALLS_AT_ONCE:]
            slow_down: Outcome | None = None
            for call, answer in self._ask(now):
                outcome = self._outcome(answer)
                slow_down = outcome if outcome.status == 429 else slow_down
                if (again := _without_the_faulty(call, answer)) is not None:
                    yield from again.refused
                    calls = [*again.calls, *calls]
                else:
                    yield from ((letter, outcome) for letter in call.letters)
            if slow_down is not None:
                yield from ((letter, slow_down) for call in calls for letter in call.letters)
                return

    def close(self) -> None:
        """The transport belongs to the runtime."""

    def _ask(self, calls: Sequence[_Call]) -> Iterator[tuple[_Call, Answer]]:
        requests = {id(call): call for call in calls}
        for request, answer in self._http.fetch([self._request(call) for call in calls]):
            assert isinstance(request.tag, int)
            yield requests[request.tag], answer

    def _request(self, call: _Call) -> Request:
        return Request(
            url=self._url,
            method="POST",
            headers=self._headers,
            body=json.dumps(_body(call, self._sandbox)).encode(),
            total_timeout_s=self._timeout_s,
            tag=id(call),
        )

    def _outcome(self, answer: Answer) -> Outcome:
        if isinstance(answer, Failure):
            state = OutcomeKind.UNCERTAIN if answer.sent else OutcomeKind.RETRY
            return Outcome(state, f"SendGrid gave no answer: {answer.kind}", address=answer.address)
        outcome = _meaning(answer)
        if answer.status == 429:
            outcome = replace(outcome, retry_after_s=self._wait_s(answer))
        return replace(outcome, took_ms=answer.phases.total_ms, address=answer.address)

    def _wait_s(self, answer: Response) -> float:
        """Retry-After in seconds, or X-RateLimit-Reset, a Unix time; within a second and an hour."""
        after, reset = answer.header("retry-after") or "", answer.header("x-ratelimit-reset") or ""
        if after.isdigit():
            wait_s = float(after)
        elif reset.isdigit():
            wait_s = float(reset) - self._clock.now().timestamp()
        else:
            wait_s = 60.0
        return min(max(wait_s, 1.0), 3600.0)


def _meaning(answer: Response) -> Outcome:
    status = answer.status
    if status in (200, 202):
        return Outcome(OutcomeKind.SENT, "taken by SendGrid", status=status)
    if status == 429:
        return Outcome(OutcomeKind.RETRY, "SendGrid asks to slow down", status=status)
    if status in _OPERATORS_MATTER:
        return Outcome(OutcomeKind.RETRY, f"SendGrid refuses the key or the address: {status}", status=status)
    if 400 <= status < 500:
        return Outcome(OutcomeKind.FAILED, f"SendGrid refuses the message: {status}", status=status)
    return Outcome(OutcomeKind.RETRY, f"SendGrid is in trouble: {status}", status=status)


@dataclass(frozen=True, slots=True)
class _Again:
    """A refused call taken apart: readers at fault, and the rest to be sent once more."""

    refused: tuple[tuple[Letter, Outcome], ...]
    calls: tuple[_Call, ...]


def _without_the_faulty(call: _Call, answer: Answer) -> _Again | None:
    """After a 400 nothing was sent; where it names the readers at fault, the others need not suffer."""
    if not isinstance(answer, Response) or answer.status != 400 or call.is_second_try:
        return None
    faulty = {int(number) for field in _fields(answer.body) for number in _FAULTY_READER.findall(field)}
    if not faulty:
        return None
    outcome = Outcome(
        OutcomeKind.FAILED, "SendGrid refuses the address: 400", status=400, permanent_address_fault=True
    )
    numbered = list(enumerate(call.letters))
    rest = tuple(letter for number, letter in numbered if number not in faulty)
    return _Again(
        refused=tuple((letter, outcome) for number, letter in numbered if number in faulty),
        calls=(_Call(rest, is_second_try=True),) if rest else (),
    )


def _fields(body: bytes) -> list[str]:
    try:
        errors = json.loads(body)["errors"]
        return [str(error["field"]) for error in errors if error.get("field")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _unusable(letter: Letter) -> Outcome | None:
    try:
        mime.address(letter.to)
        mime.bodies(letter)
    except mime.AddressUnusable as exc:
        return Outcome(OutcomeKind.FAILED, exc.message, permanent_address_fault=True)
    except slots.SlotError as exc:
        return Outcome(OutcomeKind.FAILED, exc.message)
    return None


def _calls(letters: Iterable[Letter]) -> Iterator[_Call]:
    """Readers of one content together, no address twice in a call, within SendGrid's sizes."""
    together: dict[tuple[str, ...], list[Letter]] = {}
    for letter in letters:
        content = (letter.from_, letter.subject, letter.text, letter.html, letter.salt)
        together.setdefault(content, []).append(letter)
    for same in together.values():
        yield from _split(same)


def _split(letters: Sequence[Letter]) -> Iterator[_Call]:
    waiting = list(letters)
    while waiting:
        taken: dict[str, Letter] = {}
        later: list[Letter] = []
        room = MAX_CALL_BYTES - len(waiting[0].html) * 3
        for letter in waiting:
            size = 1_500 + sum(len(text.encode()) * 2 for text in _substitutions(letter).values())
            if size > MAX_SUBSTITUTION_BYTES:
                yield _Call((letter,))
            elif letter.to.lower() in taken or len(taken) == MAX_READERS or room < size:
                later.append(letter)
            else:
                taken[letter.to.lower()] = letter
                room -= size
        if taken:
            yield _Call(tuple(taken.values()))
        waiting = later


def _substitutions(letter: Letter) -> dict[str, str]:
    return slots.substitutions(letter.text, letter.salt, letter.values) | slots.substitutions(
        letter.html, letter.salt, letter.values
    )


def _body(call: _Call, sandbox: bool) -> dict[str, object]:
    first = call.letters[0]
    is_alone = len(call.letters) == 1
    text, html = mime.bodies(first) if is_alone else (first.text, first.html)
    name, sender = mime.mailbox(first.from_)
    mail = Mail(from_email=From(sender, name or None), subject=mime.one_line(first.subject) or "-")
    mail.add_content(Content("text/plain", text))
    mail.add_content(Content("text/html", html))
    for number, letter in enumerate(call.letters):
        mail.add_personalization(_personalization(letter, is_alone), index=number)
    mail.tracking_settings = TrackingSettings(
        click_tracking=ClickTracking(enable=False, enable_text=False),
        open_tracking=OpenTracking(enable=False),
        subscription_tracking=SubscriptionTracking(enable=False),
        ganalytics=Ganalytics(enable=False),
    )
    if sandbox:
        mail.mail_settings = MailSettings(sandbox_mode=SandBoxMode(enable=True))
    body: dict[str, object] = mail.get()
    return body


def _personalization(letter: Letter, is_alone: bool) -> Personalization:
    one = Personalization()
    one.add_to(To(mime.address(letter.to)))
    for name, value in mime.extra_headers(letter):
        one.add_header(Header(name, value))
    one.add_custom_arg(CustomArg("delivery_id", letter.delivery_id))
    if not is_alone:
        for marker, value in _substitutions(letter).items():
            one.add_substitution(Substitution(marker, value))
    return one
