"""From a due webhook delivery to a signed call, in the format that its endpoint asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.channels.base import Outcome
from services.channels.webhook import Call, WebhookChannel
from services.domain import events
from services.domain.rotation import valid_secrets
from services.runtime import Runtime
from services.storage.deliveries import CallDue

Headers = tuple[tuple[str, str], ...]


class WebhookSender:
    """Turns deliveries into calls and sends them."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._channel = WebhookChannel(rt.http)

    def send(self, due: Sequence[CallDue]) -> Iterator[tuple[CallDue, Outcome]]:
        """Send; each delivery comes back once with its outcome, in any order."""
        by_id = {f"msg_{one.uid.hex}": one for one in due}
        for sent, outcome in self._channel.send([call(self._rt, one) for one in due]):
            yield by_id[sent.delivery_id], outcome


def call(rt: Runtime, one: CallDue) -> Call:
    """The call of one delivery: same id and body on every attempt, its own timestamp and signature."""
    event = events.cloudevent(
        uid=one.event_uid,
        kind=one.event_type,
        at=one.event_at,
        snapshot=one.snapshot,
        base_url=rt.settings.base_url,
    )
    content_type, headers, body = told_as(one.format, event)
    now = rt.clock.now()
    return Call(
        delivery_id=f"msg_{one.uid.hex}",
        url=one.url,
        secrets=valid_secrets(rt.settings.secret_key, one.secrets, now),
        body=body,
        event_type=event["type"],
        timestamp=now,
        content_type=content_type,
        headers=headers,
    )


def told_as(shape: str, event: Mapping[str, Any]) -> tuple[str, Headers, bytes]:
    """(Content-Type, extra headers, body) of an event: Standard Webhooks' payload, or CloudEvents 1.0.2
    over HTTP as structured, binary (header values percent-encoded) or batched content."""
    match shape:
        case "cloudevents":
            return "application/cloudevents+json; charset=utf-8", (), events.encode(dict(event))
        case "cloudevents-batch":
            return "application/cloudevents-batch+json; charset=utf-8", (), events.encode([dict(event)])
        case "cloudevents-binary":
            attributes = {k: v for k, v in event.items() if k not in ("data", "datacontenttype")}
            headers = tuple((f"ce-{k}", quote(str(v), safe=_CE_SAFE)) for k, v in attributes.items())
            return "application/json", headers, events.encode(event["data"])
        case _:
            payload = {"type": event["type"], "timestamp": event["time"], "data": event["data"]}
            return "application/json", (), events.encode(payload)


# Printable ASCII but space, double quote and percent (CloudEvents HTTP binding 1.0.2, section 3.1.3.2).
_CE_SAFE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')
