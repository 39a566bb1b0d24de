"""An operator's word on deliveries that ended badly: send them again, or take them as sent."""

from collections import Counter
from datetime import datetime

from services.errors import BadInput
from services.runtime import Runtime
from services.storage import audit
from services.storage import requeue as store

STATES = ("failed", "uncertain")
CHANNELS = ("email", "webhook")
_STAGES = {"email": "deliver_mail", "webhook": "deliver_webhook"}


def requeue(
    rt: Runtime, *, state: str, since: datetime, channel: str | None = None, by: str = "operator"
) -> dict[str, int]:
    """Send again what is `failed`, or (a reader may then get it twice) `uncertain`: {channel: how many}."""
    if state not in STATES:
        raise BadInput(f"Deliveries that are {' or '.join(STATES)} can be sent again.", field="state")
    now = rt.clock.now()
    with rt.begin() as session:
        done = store.requeue(session, states=[state], channel=_channel(channel), since=since, now=now)
        audit.write_line(session, at=now, actor=by, action="delivery.requeue", target=state, count=len(done))
    for name in set(done):
        rt.bell.ring(_STAGES[name])
    return dict(Counter(done))


def settle(
    rt: Runtime, *, since: datetime, channel: str | None = None, by: str = "operator"
) -> dict[str, int]:
    """Take what is uncertain as sent: {channel: how many}."""
    now = rt.clock.now()
    with rt.begin() as session:
        done = store.settle(session, channel=_channel(channel), since=since, now=now)
        audit.write_line(
            session, at=now, actor=by, action="delivery.settle", target="uncertain", count=len(done)
        )
    return dict(Counter(done))


def _channel(channel: str | None) -> str | None:
    if channel is not None and channel not in CHANNELS:
        raise BadInput(f"A channel is {' or '.join(CHANNELS)}.", field="channel")
    return channel
