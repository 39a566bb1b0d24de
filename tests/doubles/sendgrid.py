"""SendGrid's mail/send on loopback: refuses what the real service refuses, and keeps what it would have sent.

The rules are those of SendGrid's v3 reference; trouble (429, 500, silence) is scripted by `trouble`.
"""

import json
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jsonschema_rs

from tests.doubles.web import Answer, Received, WebDouble

RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
}
PATH = "/v3/mail/send"
MAX_BODY_BYTES = 30_000_000
MAX_RECIPIENTS = 1_000
_FORM = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "sendgrid_mail_send.json").read_text("utf-8")),
    validate_formats=True,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail as its reader would get it, substitutions made."""

    to: str
    from_email: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    custom_args: dict[str, str]


class SendGridDouble:
    """Use as a context manager; `host` takes the place of https://api.sendgrid.com."""

    def __init__(self, api_key: str = "SG.test") -> None:
        self.api_key = api_key
        self.sent: list[Sent] = []
        self.calls: list[dict[str, Any]] = []
        self.refusals: list[str] = []
        self.refused_addresses: set[str] = set()
        self._trouble: deque[Answer] = deque()
        self._web = WebDouble()
        self._web.answer(PATH, self._answer)

    @property
    def host(self) -> str:
        return self._web.url("").rstrip("/")

    def trouble(self, *answers: Answer) -> None:
        """The next calls are answered so, whatever they hold."""
        self._trouble.extend(answers)

    def __enter__(self) -> Self:
        self._web.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._web.__exit__(kind, exc, trace)

    def _answer(self, request: Received) -> Answer:
        if self._trouble:
            return self._trouble.popleft()
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return _errors(401, "The provided authorization grant is invalid, expired, or revoked")
        if request.method != "POST" or request.headers.get("content-type") != "application/json":
            return _errors(415, "The content type is not JSON")
        if len(request.body) > MAX_BODY_BYTES:
            return _errors(413, "The request is too large")
        body = json.loads(request.body)
        if unfit := [f"{error.instance_path}: {error.message}" for error in _FORM.iter_errors(body)]:
            self.refusals += unfit
            return _errors(400, *unfit)
        faults = [fault for fault in _faults(body) + self._refused(body) if fault is not None]
        if faults:
            self.refusals += [message for message, _ in faults]
            return _errors(400, *faults)
        self.calls.append(body)
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Answer(status=200)
        self.sent += [_sent(body, one) for one in body["personalizations"]]
        return Answer(status=202, headers=(("X-Message-Id", f"m{len(self.calls)}"),))

    def _refused(self, body: dict[str, Any]) -> list[tuple[str, str]]:
        return [
            ("Does not contain a valid address.", f"personalizations.{number}.to.0.email")
            for number, one in enumerate(body["personalizations"])
            if one["to"][0]["email"] in self.refused_addresses
        ]


def _faults(body: dict[str, Any]) -> list[tuple[str, str] | None]:
    everybody = body.get("personalizations", [])
    addresses = [to["email"].lower() for one in everybody for to in one["to"]]
    kinds = [content["type"] for content in body.get("content", [])]
    return [
        None if len(addresses) <= MAX_RECIPIENTS else ("1,000 recipients at most", "personalizations"),
        None
        if len(set(addresses)) == len(addresses)
        else ("Each email address must be unique", "personalizations"),
        None if re.fullmatch(r"[^@\s]+@[^@\s]+", body["from"]["email"]) else ("bad sender", "from.email"),
        None if body.get("subject") else ("The subject is required", "subject"),
        None if kinds == ["text/plain", "text/html"] else ("text/plain first, then text/html", "content"),
        *(_fault_of(number, one) for number, one in enumerate(everybody)),
    ]


def _fault_of(number: int, one: dict[str, Any]) -> tuple[str, str] | None:
    at = f"personalizations.{number}"
    known = {"to", "headers", "substitutions", "custom_args"}
    headers = {name.lower() for name in one.get("headers", {})}
    strings = [*one.get("headers", {}).values(), *one.get("custom_args", {}).values()]
    if set(one) - known:
        return f"unknown: {set(one) - known}", at
    if headers & RESERVED:
        return "reserved headers", f"{at}.headers"
    if not all(isinstance(text, str) and not re.search(r"[\r\n]", text) for text in strings):
        return "headers and custom_args must be strings of one line", at
    if len(json.dumps(one.get("substitutions", {})).encode()) > 10_000 * 1.5:
        return "substitutions are too large", f"{at}.substitutions"
    return None


def _sent(body: dict[str, Any], one: dict[str, Any]) -> Sent:
    text, html = (content["value"] for content in body["content"])
    for marker, value in one.get("substitutions", {}).items():
        text, html = text.replace(marker, value), html.replace(marker, value)
    return Sent(
        to=one["to"][0]["email"],
        from_email=body["from"]["email"],
        subject=body["subject"],
        text=text,
        html=html,
        headers=one.get("headers", {}),
        custom_args=one.get("custom_args", {}),
    )


def _errors(status: int, *faults: tuple[str, str] | str) -> Answer:
    named = [(fault, None) if isinstance(fault, str) else fault for fault in faults]
    errors = [{"message": message, "field": where, "help": None} for message, where in named]
    return Answer(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps({"errors": errors}).encode(),
    )
