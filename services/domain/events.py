"""How an event is told outside: as a CloudEvent (CloudEvents 1.0.2, JSON format)."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

DIGEST = "pl.goniec.digest.v1"
_BATCH = "application/cloudevents-batch+json; charset=utf-8"
Headers = tuple[tuple[str, str], ...]


def event_type(kind: str) -> str:
    """The versioned type of an event: `pl.goniec.notice.published.v1`."""
    return f"pl.goniec.notice.{kind}.v1"


def cloudevent(
    *, uid: uuid.UUID, kind: str, at: datetime, snapshot: dict[str, Any], base_url: str,
    content: str = "fat", data: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The event with the notice as of its revision as `data`, or with what else is told of it."""
    base = base_url.rstrip("/")
    return {
        "specversion": "1.0",
        "id": str(uid),
        "type": event_type(kind),
        "source": f"{base}/institutions/{snapshot['institution']['slug']}",
        "subject": str(snapshot["id"]),
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "dataschema": f"{base}/schemas/{event_type(kind)}.json#{content}",
        "data": snapshot if data is None else data,
    }


def digest(
    *, uid: uuid.UUID, items: Sequence[Mapping[str, Any]], since: datetime, until: datetime, part: int,
    parts: int, base_url: str,
) -> dict[str, Any]:  # fmt: skip
    """A window's events (as `cloudevent` makes them) as one event."""
    base = base_url.rstrip("/")
    return {
        "specversion": "1.0",
        "id": str(uid),
        "type": DIGEST,
        "source": base,
        "time": rfc3339(until),
        "datacontenttype": "application/json",
        "dataschema": f"{base}/schemas/{DIGEST}.json",
        "data": {
            "since": rfc3339(since),
            "until": rfc3339(until),
            "part": part,
            "parts": parts,
            "items": [{name: one[name] for name in ("id", "type", "time", "data")} for one in items],
        },
    }


def batch_of(events: Sequence[Mapping[str, Any]]) -> tuple[str, Headers, bytes]:
    """Several events as batched content, as `told_as` tells one."""
    return _BATCH, (), encode([dict(one) for one in events])


def encode(event: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    """Compact UTF-8 JSON: the exact bytes that are signed and sent."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def rfc3339(at: datetime) -> str:
    """RFC 3339 in UTC with an explicit offset, to the millisecond where there is any."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def told_as(shape: str, event: Mapping[str, Any]) -> tuple[str, Headers, bytes]:
    """(Content-Type, extra headers, body) of an event: Standard Webhooks' payload, or CloudEvents 1.0.2
    over HTTP as structured, binary (header values percent-encoded) or batched content."""
    match shape:
        case "cloudevents":
            return "application/cloudevents+json; charset=utf-8", (), encode(dict(event))
        case "cloudevents-batch":
            return batch_of([event])
        case "cloudevents-binary":
            attributes = {k: v for k, v in event.items() if k not in ("data", "datacontenttype")}
            headers = tuple((f"ce-{k}", quote(str(v), safe=_CE_SAFE)) for k, v in attributes.items())
            return "application/json", headers, encode(event["data"])
        case _:
            payload = {"type": event["type"], "timestamp": event["time"], "data": event["data"]}
            return "application/json", (), encode(payload)


# Printable ASCII but space, double quote and percent (CloudEvents HTTP binding 1.0.2, section 3.1.3.2).
_CE_SAFE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')
