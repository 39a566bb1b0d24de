"""From a due webhook delivery to a signed call, in the format and content that its endpoint asked for."""

from services.channels.webhook import Call
from services.domain import events, telling
from services.domain.rotation import valid_secrets
from services.runtime import Runtime
from services.storage.deliveries import CallDue


def call(rt: Runtime, one: CallDue) -> Call:
    """The call of one delivery: same id and body on every attempt, its own timestamp and signature."""
    event = events.cloudevent(
        uid=one.event_uid,
        kind=one.event_type,
        at=one.event_at,
        snapshot=one.snapshot,
        base_url=rt.settings.base_url,
        content=one.content,
        data=telling.data(
            one.content, one.snapshot, at=one.event_at, base_url=rt.settings.base_url,
            secret=rt.settings.secret_key, before=one.before,
        ),
    )  # fmt: skip
    content_type, headers, body = events.told_as(one.format, event)
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
