"""From a due e-mail delivery to a letter: the reader's own links, names and envelope."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from services.channels import registry
from services.channels.base import Letter, Outcome
from services.domain import links, tokens
from services.domain.verp import envelope_sender
from services.runtime import Runtime
from services.storage.deliveries import Body, MailDue

CAUGHT_UP = timedelta(seconds=0.1)  # so much lateness may be made good by sending together
LOOK_EVERY_S = 0.25  # whether the process is asked to stop, while a turn is waited for


class MailSender:
    """Turns deliveries into letters and hands them to the channel that the settings name."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._channel = registry.mail_channel(rt.settings, rt.trusted_http)
        self.channel = self._channel.name

    def send(
        self, due: Sequence[MailDue], bodies: Mapping[bytes, Body], turns: Mapping[int, datetime]
    ) -> Iterator[tuple[MailDue, Outcome]]:
        """Send, none before its turn; each delivery comes back once with its outcome, in any order. A process
        that is stopping begins no more of them: the others do not come back."""
        by_id = {one.uid.hex: one for one in due}
        for ready in self._in_turn(due, turns):
            letters = [letter(self._rt, one, bodies[one.content_hash]) for one in ready]
            for sent, outcome in self._channel.send(letters, stopping=self._rt.stopping):
                yield by_id[sent.delivery_id], outcome

    def _in_turn(self, due: Sequence[MailDue], turns: Mapping[int, datetime]) -> Iterator[list[MailDue]]:
        """What may leave now, again and again, until nothing is left or the process is stopping.

        Who comes late to a turn makes all later ones late: turns that were slept through are no burst.
        """
        waiting = deque(sorted(due, key=lambda one: turns[one.delivery_id]))
        late = timedelta(0)
        while waiting and not self._rt.stopping.is_set():
            now = self._rt.clock.now()
            late = max(late, now - turns[waiting[0].delivery_id] - CAUGHT_UP)
            ready: list[MailDue] = []
            while waiting and turns[waiting[0].delivery_id] + late <= now:
                ready.append(waiting.popleft())
            if ready:
                yield ready
            else:
                wait = turns[waiting[0].delivery_id] + late - now
                self._rt.clock.sleep(min(wait.total_seconds(), LOOK_EVERY_S))

    def close(self) -> None:
        self._channel.close()


def letter(rt: Runtime, one: MailDue, body: Body) -> Letter:
    """The letter of one delivery; the same on every attempt, Message-ID included."""
    domain = rt.settings.mail_from.rpartition("@")[2].rstrip("> ") or "localhost"
    values = personal_links(rt, one)
    return Letter(
        delivery_id=one.uid.hex,
        to=one.email,
        from_=rt.settings.mail_from or f"{rt.settings.operator_name} <goniec@localhost>",
        envelope_from=envelope_sender(rt.settings.secret_key, one.uid, domain),
        subject=body.subject,
        text=body.text,
        html=body.html,
        language=one.locale,
        date=rt.clock.now(),
        list_id=f"{one.kind}.{domain}",
        unsubscribe_url="" if one.kind == "confirm" else values["unsubscribe_url"],
        archive_url="" if one.kind == "confirm" else values["view_url"],
        feedback_id=f"{one.issue_id}:{one.kind}:goniec",
        message_id=f"{one.uid.hex}@{domain}",
        in_reply_to=f"{one.thread.hex}@{domain}" if one.thread else "",
        salt=body.salt,
        values=values,
    )


def personal_links(rt: Runtime, one: MailDue) -> dict[str, str]:
    """The values of all personal slots: reasons by the interest's name, and the reader's own links."""
    secret, base = rt.settings.secret_key, rt.settings.base_url
    manage = tokens.sign(secret, "manage", {"s": one.subscriber_id})
    values = {
        "manage_url": f"{base}/manage/{manage}",
        "more_url": f"{base}/manage/{manage}/letters#waiting",
        "unsubscribe_url": f"{base}/u/{tokens.sign(secret, 'leave', _leaves(one))}",
        "view_url": f"{base}/issues/{tokens.sign(secret, 'view', {'i': one.issue_id})}",
    }
    for name, value in one.slots.items():
        if name.startswith("less:"):
            values[name] = _less(rt, one, value)
        elif name != "list":
            values[name] = value
    return values


def _less(rt: Runtime, one: MailDue, of: str) -> str:
    """Where the reader says what of an item they want less of: `subscription:notice`."""
    subscription, _, notice = of.partition(":")
    return links.less_url(
        rt.settings.base_url, rt.settings.secret_key, one.subscriber_id,
        subscription_id=int(subscription), notice_id=int(notice or 0),
    )  # fmt: skip


def _leaves(one: MailDue) -> dict[str, int | str]:
    """What one click ends: an alert's own subscription, or all that come in this digest's rhythm."""
    what = one.slots.get("list", "")
    if one.kind == "alert" and what:
        return {"s": one.subscriber_id, "p": int(what)}
    if one.kind == "digest" and what:
        return {"s": one.subscriber_id, "c": what}
    return {"s": one.subscriber_id}
