"""SendGrid's Event Webhook as the service behaves: signed batches, with events doubled, late and shuffled."""

import base64
import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@dataclass(frozen=True, slots=True)
class SignedBatch:
    body: bytes
    headers: dict[str, str]


class EventSender:
    """Signs with a key of its own; `public_key` is what SendGrid's page would show."""

    def __init__(self, seed: int = 1) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._random = random.Random(seed)
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key = base64.b64encode(der).decode()

    def sign(self, body: bytes, at: datetime) -> SignedBatch:
        stamp = str(int(at.timestamp()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return SignedBatch(
            body,
            {
                SIGNATURE: base64.b64encode(signature).decode(),
                TIMESTAMP: stamp,
                "Content-Type": "application/json",
            },
        )

    def batch(self, events: Sequence[dict[str, Any]], at: datetime) -> SignedBatch:
        return self.sign(json.dumps(events, indent=1).encode(), at)

    def as_in_life(
        self, events: Iterable[dict[str, Any]], at: datetime, *, copies: int = 3
    ) -> list[SignedBatch]:
        """The events in small batches: each told `copies` times, all of them in no order."""
        told = [event for event in events for _ in range(copies)]
        self._random.shuffle(told)
        return [self.batch(told[start : start + 7], at) for start in range(0, len(told), 7)]


def event(kind: str, delivery_id: str, *, number: int = 0, **given: Any) -> dict[str, Any]:
    """One event in SendGrid's form, with the fields that the kind has."""
    return {
        "email": "reader@mail.example",
        "timestamp": int(time.time()),
        "smtp-id": "<x@sendgrid>",
        "event": kind,
        "sg_event_id": f"{kind}-{delivery_id}-{number}",
        "sg_message_id": "m1.filter0001",
        "delivery_id": delivery_id,
        **given,
    }
