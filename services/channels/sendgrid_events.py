"""SendGrid's Event Webhook, read: is it genuine, and what does it say of our deliveries?

Events come doubled and in any order; each has its `sg_event_id`. Opens and clicks are nobody's business here
and are passed over. Addresses and reasons in the events are read for their meaning and never kept.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sendgrid.helpers.eventwebhook import EventWebhook  # type: ignore[import-untyped]

from services.domain import bounces
from services.domain.bounces import Heard, Verdict
from services.errors import BadInput, Forbidden, SettingsError

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
FRESH_FOR = timedelta(seconds=300)
MAX_ID = 200
_PLAIN = {
    "delivered": Verdict.DELIVERED,
    "processed": Verdict.DEFERRED,
    "deferred": Verdict.DEFERRED,
    "spamreport": Verdict.COMPLAINT,
    "unsubscribe": Verdict.UNSUBSCRIBE,
    "group_unsubscribe": Verdict.UNSUBSCRIBE,
}
# Why SendGrid did not even try (its `dropped` events), by how the reason begins.
_DROPPED = (
    ("bounced address", Verdict.HARD),
    ("invalid", Verdict.HARD),
    ("spam reporting address", Verdict.COMPLAINT),
    ("unsubscribed address", Verdict.UNSUBSCRIBE),
    ("recipient list over", Verdict.BLOCKED),
)
# SendGrid's own reading of a bounce, where it gives one (`bounce_classification`).
_CLASSES = {
    "invalid address": Verdict.HARD,
    "mailbox unavailable": Verdict.SOFT,
    "technical failure": Verdict.SOFT,
    "content": Verdict.BLOCKED,
    "reputation": Verdict.BLOCKED,
    "frequency or volume too high": Verdict.BLOCKED,
}


def check(key: str, body: bytes, *, signature: str, timestamp: str, now: datetime) -> None:
    """Raise Forbidden unless SendGrid signed this body (ECDSA P-256 over timestamp + body) within 5 minutes.

    `key` is the public key as SendGrid shows it (base64 of DER). Raises SettingsError when it is none.
    """
    verifier = _verifier(key)
    if not timestamp.isdigit() or len(timestamp) > 12:
        raise Forbidden(f"The header {TIMESTAMP} is missing or no Unix time.")
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > FRESH_FOR:
        raise Forbidden("These events were signed more than five minutes ago.")
    try:
        base64.b64decode(signature, validate=True)
        genuine = verifier.verify_signature(body.decode(), signature, timestamp)
    except (ValueError, binascii.Error):
        genuine = False
    if not genuine:
        raise Forbidden(f"The header {SIGNATURE} does not fit the body.")


def _verifier(key: str) -> EventWebhook:
    bare = "".join(line for line in key.splitlines() if not line.startswith("-----"))
    fault = "GONIEC_SENDGRID_EVENTS_KEY is no public key: copy it from SendGrid's page of the Event Webhook."
    try:
        verifier = EventWebhook(bare)
    except (ValueError, TypeError) as exc:
        raise SettingsError(fault) from exc
    if not isinstance(verifier.public_key, EllipticCurvePublicKey):
        raise SettingsError(fault)
    return verifier


def check_key(key: str) -> None:
    """Raise SettingsError unless this is a key to check events by."""
    _verifier(key)


def read(body: bytes, now: datetime) -> list[Heard]:
    """What a batch says of our deliveries; what is not ours or says nothing to us is left out.

    Raises BadInput for a body that is no list of events.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadInput("The body is not JSON.") from exc
    if not isinstance(events, list):
        raise BadInput("The body is not a list of events.")
    return [heard for event in events if isinstance(event, dict) for heard in _heard(event, now)]


def _heard(event: dict[str, Any], now: datetime) -> Iterator[Heard]:
    verdict = _verdict(event)
    name = event.get("sg_event_id")
    if verdict is None or not isinstance(name, str) or not 0 < len(name) <= MAX_ID:
        return
    if not (name.isascii() and name.isprintable()):
        return
    try:
        delivery = uuid.UUID(hex=str(event.get("delivery_id")))
    except ValueError:
        return
    yield Heard(name, delivery, verdict, _detail(event), _at(event, now))


def _verdict(event: dict[str, Any]) -> Verdict | None:
    kind = str(event.get("event", "")).lower()
    if kind == "dropped":
        reason = str(event.get("reason", "")).lower()
        return next((verdict for start, verdict in _DROPPED if reason.startswith(start)), Verdict.BLOCKED)
    if kind in ("bounce", "blocked"):
        return _bounced(event)
    return _PLAIN.get(kind)


def _bounced(event: dict[str, Any]) -> Verdict:
    """Of `type` blocked: refused this time. Else the address's fault, unless codes or class say better."""
    words = f"{event.get('reason') or ''} {event.get('response') or ''}"
    status = bounces.enhanced_status(str(event.get("status") or "")) or bounces.enhanced_status(words)
    is_blocked = str(event.get("type", "")).lower() == "blocked" or event.get("event") == "blocked"
    named = _CLASSES.get(str(event.get("bounce_classification", "")).lower())
    if is_blocked:
        return Verdict.SOFT if named is Verdict.SOFT else Verdict.BLOCKED
    if named is not None:
        return named
    if status and status not in ("5.0.0", "4.0.0"):
        return bounces.of_failure(status, words)
    told = bounces.of_failure(None, words)
    return told if told is not Verdict.SOFT or words.strip().startswith("4") else Verdict.HARD


def _detail(event: dict[str, Any]) -> str:
    """Kind and code alone: the reason may hold the address."""
    kind = "".join(letter for letter in str(event.get("event", "")) if letter.isalpha() or letter == "_")
    words = f"{event.get('status') or ''} {event.get('reason') or ''} {event.get('response') or ''}"
    return f"SendGrid: {kind[:30]} {bounces.enhanced_status(words) or ''}".rstrip()


def _at(event: dict[str, Any], now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(event["timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return now
