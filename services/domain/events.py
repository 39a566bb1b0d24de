"""How an event is told outside: as a CloudEvent (CloudEvents 1.0.2, JSON format)."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any


def event_type(kind: str) -> str:
    """The versioned type of an event: `pl.goniec.notice.published.v1`."""
    return f"pl.goniec.notice.{kind}.v1"


def cloudevent(
    *, uid: uuid.UUID, kind: str, at: datetime, snapshot: dict[str, Any], base_url: str
) -> dict[str, Any]:
    """The event with the notice as of its revision as `data`."""
    return {
        "specversion": "1.0",
        "id": str(uid),
        "type": event_type(kind),
        "source": f"{base_url.rstrip('/')}/institutions/{snapshot['institution']['slug']}",
        "subject": str(snapshot["id"]),
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": snapshot,
    }


def encode(event: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    """Compact UTF-8 JSON: the exact bytes that are signed and sent."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def rfc3339(at: datetime) -> str:
    """RFC 3339 in UTC with an explicit offset, to the millisecond where there is any."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
