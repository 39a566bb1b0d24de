"""Mail that comes back, read: delivery status notifications (RFC 3464) and complaints (ARF, RFC 5965).

Whatever is mailed to a bounce address may be forged or broken: a report counts only for the delivery that it
names by our own signed envelope sender, or by the Message-ID that nobody but the reader's side has seen.
Nothing here raises for what was sent, and nothing of a report's own words is kept.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import Message

from services.domain import bounces, verp
from services.domain.bounces import Heard, Verdict

MAX_BYTES = 2_000_000
_MAX_PARTS = 200
_MAX_WORDS = 4_000
_OUR_ID = re.compile(r"<?([0-9a-f]{32})@[^>\s]+>?", re.IGNORECASE)
_MACHINE = re.compile(r"auto-(replied|notified)", re.IGNORECASE)
_ACTIONS = {"delivered": Verdict.DELIVERED, "relayed": Verdict.DELIVERED, "delayed": Verdict.DEFERRED}


@dataclass(frozen=True, slots=True)
class Read:
    """What a message turned out to be: `dsn`, `complaint`, `bounce` (in no standard form), `reply` or
    `unknown`; with a word about each delivery that it names."""

    kind: str
    heard: tuple[Heard, ...] = ()


def read(raw: bytes, *, secret: str, now: datetime, recipients: Iterable[str] = ()) -> Read:
    """Read a message that came to a bounce address. `recipients` are its envelope's, where they are known."""
    try:
        message = message_from_bytes(raw[:MAX_BYTES], policy=policy.compat32)
        return _read(message, _Frame(raw, secret, now, tuple(recipients)))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Read("unknown")  # the standard library gives up on some malice in these ways


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around a message while it is read."""

    raw: bytes
    secret: str
    now: datetime
    recipients: tuple[str, ...]

    def heard(self, delivery: uuid.UUID, verdict: Verdict, detail: str) -> Heard:
        told = f"{delivery.hex}:{hashlib.sha256(self.raw).hexdigest()[:40]}"
        return Heard(told, delivery, verdict, detail[:200], self.now)


def _read(message: Message, frame: _Frame) -> Read:
    parts = _parts(message)
    delivery = _delivery(message, parts, frame)
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _complaint(part, delivery, frame)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _status(part, delivery, frame)
    if delivery is None:
        return Read("unknown")
    return _free_form(message, parts, delivery, frame)


def _complaint(part: Message, delivery: uuid.UUID | None, frame: _Frame) -> Read:
    told = _fields(part)
    kind = next((fields["feedback-type"] for fields in told if "feedback-type" in fields), "").lower()
    if delivery is None or kind == "not-spam":
        return Read("complaint")
    if kind == "opt-out":
        return Read(
            "complaint", (frame.heard(delivery, Verdict.UNSUBSCRIBE, "asked its provider to end it"),)
        )
    if kind in ("auth-failure", "dmarc"):
        return Read("complaint")
    return Read("complaint", (frame.heard(delivery, Verdict.COMPLAINT, f"complaint: {_word(kind)}"),))


def _status(part: Message, delivery: uuid.UUID | None, frame: _Frame) -> Read:
    """A bounce address is of one letter to one reader, so the gravest of several lines is the one meant."""
    if delivery is None:
        return Read("dsn")
    told = [fields for fields in _fields(part) if "action" in fields or "status" in fields]
    heard = [_of_fields(fields, delivery, frame) for fields in told]
    order = list(Verdict)
    return Read("dsn", tuple(sorted(heard, key=lambda one: order.index(one.verdict))[:1]))


def _of_fields(fields: dict[str, str], delivery: uuid.UUID, frame: _Frame) -> Heard:
    status = bounces.enhanced_status(fields.get("status", ""))
    action = fields.get("action", "").partition(" ")[0].lower()
    words = fields.get("diagnostic-code", "")
    precise = bounces.enhanced_status(words)
    if status in (None, "5.0.0", "4.0.0") and precise:
        status = precise
    verdict = _ACTIONS.get(action)
    if verdict is None:
        verdict = Verdict.DELIVERED if (status or "").startswith("2") else bounces.of_failure(status, words)
    return frame.heard(delivery, verdict, f"reported: {_word(action) or 'failed'} {status or ''}".rstrip())


def _free_form(message: Message, parts: list[Message], delivery: uuid.UUID, frame: _Frame) -> Read:
    """A bounce in no standard form (qmail, Exim, old gateways); an answer that somebody's holiday writes."""
    words = " ".join(_text(part) for part in parts)[:_MAX_WORDS]
    subject = str(message.get("Subject", ""))
    is_null = str(message.get("Return-Path", "")).strip() in ("<>", "")
    is_daemon = bool(re.search(r"mailer-daemon|postmaster", str(message.get("From", "")), re.IGNORECASE))
    if message.get("X-Failed-Recipients") is None:
        if _MACHINE.search(str(message.get("Auto-Submitted", ""))) and not is_daemon:
            return Read("reply")
        if not (is_null and is_daemon) and not re.search(
            r"undeliver|returned mail|delivery (status|failure|has failed)|failure notice",
            subject,
            re.IGNORECASE,
        ):
            return Read("reply")
    status = bounces.enhanced_status(words)
    if re.search(r"warning|delayed|will (continue|be retried)", subject, re.IGNORECASE):
        verdict = Verdict.DEFERRED
    else:
        verdict = bounces.of_failure(status, words)
    return Read("bounce", (frame.heard(delivery, verdict, f"bounced: {status or 'no code'}"),))


def _delivery(message: Message, parts: list[Message], frame: _Frame) -> uuid.UUID | None:
    """Which delivery is meant: by a signed bounce address in any envelope, else by our Message-ID."""
    headers = [message, *parts]
    addresses = list(frame.recipients)
    for one in headers:
        for name in (
            "X-Original-To",
            "Delivered-To",
            "Envelope-To",
            "To",
            "Return-Path",
            "Original-Mail-From",
        ):
            addresses += re.findall(
                r"bounce\+[0-9a-f-]+@[^\s<>,;\"]+", " ".join(_all(one, name)), re.IGNORECASE
            )
    for fields in (fields for part in parts for fields in _fields(part)):
        addresses.append(fields.get("original-mail-from", ""))
    for address in addresses:
        if (found := verp.delivery_of(frame.secret, address)) is not None:
            return found
    for one in parts:
        if one is not message and (named := _OUR_ID.search(" ".join(_all(one, "Message-ID")))):
            return uuid.UUID(hex=named[1])
    return None


def _parts(message: Message) -> list[Message]:
    """A message and what is in it, the headers of what was returned among them; a bounded number."""
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) < _MAX_PARTS:
        one = waiting.pop(0)
        found.append(one)
        if one.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            found.append(message_from_bytes(_bytes(one), policy=policy.compat32))
        elif one.is_multipart():
            held = one.get_payload()
            waiting += [part for part in held if isinstance(part, Message)] if isinstance(held, list) else []
    return found


def _fields(part: Message) -> Iterator[dict[str, str]]:
    """The groups of `name: value` lines of a report, names in lower case, types (`rfc822;`) left in."""
    if part.get_content_type() not in (
        "message/delivery-status", "message/global-delivery-status", "message/feedback-report",
    ):  # fmt: skip
        return
    held = part.get_payload()
    groups = held if isinstance(held, list) else [message_from_bytes(_bytes(part), policy=policy.compat32)]
    for group in groups[:_MAX_PARTS]:
        if isinstance(group, Message):
            lines = [*group.items(), *message_from_bytes(_bytes(group), policy=policy.compat32).items()]
            yield {name.lower(): " ".join(str(value).split()) for name, value in reversed(lines)}


def _text(part: Message) -> str:
    return (
        _bytes(part)[:_MAX_WORDS].decode("utf-8", "replace") if part.get_content_maintype() == "text" else ""
    )


def _bytes(part: Message) -> bytes:
    held = part.get_payload(decode=True)
    return held if isinstance(held, bytes) else b""


def _all(part: Message, name: str) -> list[str]:
    return [str(value) for value in part.get_all(name, [])]


def _word(text: str) -> str:
    """A word of a report that may stand in a detail: letters and hyphens alone."""
    return re.sub(r"[^a-z-]", "", text)[:30]
