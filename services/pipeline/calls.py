"""From a due webhook delivery to a signed call, in the format and content that its endpoint asked for."""

from typing import Any

from services.channels.webhook import Call
from services.domain import events, telling
from services.domain.events import Headers
from services.domain.rotation import valid_secrets
from services.runtime import Runtime
from services.storage.deliveries import CallDue, Told


def call(rt: Runtime, one: CallDue) -> Call:
    """The call of one delivery: same id and body on every attempt, its own timestamp and signature."""
    content_type, headers, body = _said(rt, one)
    now = rt.clock.now()
    return Call(
        delivery_id=f"msg_{one.uid.hex}",
        url=one.url,
        secrets=valid_secrets(rt.settings.secret_key, one.secrets, now),
        body=body,
        event_type=events.DIGEST if one.span else events.event_type(one.events[0].type),
        timestamp=now,
        content_type=content_type,
        headers=headers,
    )


def _said(rt: Runtime, one: CallDue) -> tuple[str, Headers, bytes]:
    made = [_event(rt, one.content, told) for told in one.events]
    if one.span is None:
        return events.told_as(one.format, made[0])
    if one.format == "cloudevents-batch":
        return events.batch_of(made)
    span = one.span
    digest = events.digest(
        uid=one.uid, items=made, since=span.since, until=span.until, part=span.part, parts=span.parts,
        base_url=rt.settings.base_url,
    )  # fmt: skip
    return events.told_as(one.format, digest)


def _event(rt: Runtime, content: str, told: Told) -> dict[str, Any]:
    return events.cloudevent(
        uid=told.uid, kind=told.type, at=told.at, snapshot=told.snapshot, base_url=rt.settings.base_url,
        content=content,
        data=telling.data(
            content, told.snapshot, at=told.at, base_url=rt.settings.base_url,
            secret=rt.settings.secret_key, before=told.before,
        ),
    )  # fmt: skip
