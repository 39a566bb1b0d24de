"""From a due webhook delivery to a signed call, in the format that its endpoint asked for."""

from collections.abc import Iterator, Sequence

from services.channels.base import Outcome
from services.channels.webhook import Call, WebhookChannel
from services.domain import events
from services.domain.rotation import valid_secrets
from services.runtime import Runtime
from services.storage.deliveries import CallDue


class WebhookSender:
    """Turns deliveries into calls and sends them."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._channel = WebhookChannel(rt.http)

    def send(self, due: Sequence[CallDue]) -> Iterator[tuple[CallDue, Outcome]]:
        """Send; each delivery comes back once with its outcome, in any order. A process that is stopping
        begins no more of them: those do not come back."""
        by_id = {f"msg_{one.uid.hex}": one for one in due}
        calls = [call(self._rt, one) for one in due]
        for sent, outcome in self._channel.send(calls, stopping=self._rt.stopping):
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
