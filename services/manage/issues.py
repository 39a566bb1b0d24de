"""An issue as it was sent, for who follows "view in a browser" from it; changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.domain import slots, tokens
from services.errors import NotFound
from services.runtime import Runtime
from services.storage import bodies as store
from services.storage import receipts as kept_receipts


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """The body of a letter; personal links lead nowhere here, since the address may be passed on."""

    subject: str
    html: str


def show(rt: Runtime, token: str) -> ShownIssue:
    """The issue that a link of a letter names. Raises BadInput for a bad token, NotFound when it is gone."""
    named = tokens.read(rt.settings.secret_key, "view", token, rt.clock.now())
    with rt.begin() as session:
        kept = store.sent_issue(session, int(named["i"]))
    if kept is None:
        raise NotFound("This letter is not kept any more.")
    home = f"{rt.settings.base_url}/"
    values = dict.fromkeys(slots.slots_in(kept.html, kept.salt), home)
    values |= {name: value for name, value in kept.slots.items() if name.startswith("why:")}
    return ShownIssue(kept.subject, slots.fill(kept.html, kept.salt, values))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One letter: what it was, when it was composed, and what became of it (`state` of its delivery)."""

    kind: str
    subject: str
    composed_at: datetime
    items: int
    state: str
    finished_at: datetime | None
    detail: str | None
    view_path: str


@dataclass(frozen=True, slots=True)
class Receipts:
    """A person's letters, newest first, and the notices that wait for the next ones."""

    letters: tuple[Receipt, ...]
    waiting: tuple[dict[str, Any], ...]


def receipts(rt: Runtime, subscriber_id: int) -> Receipts:
    """What a person was sent, and what is still to come to them."""
    secret = rt.settings.secret_key
    with rt.begin() as session:
        rows = kept_receipts.of_subscriber(session, subscriber_id)
        waiting = kept_receipts.waiting_for(session, subscriber_id)
    letters = tuple(
        Receipt(
            one.kind, one.subject, one.composed_at, one.items, one.state, one.finished_at, one.detail,
            f"/issues/{tokens.sign(secret, 'view', {'i': one.issue_id})}",
        )
        for one in rows
    )  # fmt: skip
    return Receipts(letters, tuple(waiting))
