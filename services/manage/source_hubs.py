"""What hubs say to us: their question whether we asked, and what they send. Nothing unsigned is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services import log as logs
from services.domain import seal
from services.domain.source_hubs import RENEW_AT, Trust, lease, trust
from services.domain.websub import is_signed
from services.errors import NotFound
from services.runtime import Runtime
from services.storage import source_hubs as store
from services.storage.tables import SourceHub

MAX_WAITING = 20  # pushes of one hub that are not read yet
DENIED_FOR = timedelta(days=7)
NOT_ASKED = "Nobody here asked for that."

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class SourceHubView:
    """How a source's hub is used, for people."""

    hub: str
    topic: str
    trust: Trust
    follows_until: datetime | None
    pushes: int
    last_push_at: datetime | None
    missed: int
    last_error: str | None


def show(rt: Runtime, source_id: int) -> SourceHubView | None:
    """The hub of a source; None where it has none."""
    with rt.begin() as session:
        row = store.of_source(session, source_id)
    if row is None:
        return None
    return SourceHubView(
        row.hub, row.topic, trust(store.standing(row), rt.clock.now()), row.follows_until, row.pushes,
        row.last_push_at, row.missed, row.last_error,
    )  # fmt: skip


def answer(rt: Runtime, uid: str, given: Mapping[str, str]) -> str:
    """The challenge, when we did ask for what a hub wants to know (section 5.3); raises NotFound.

    This is the one GET that changes something: the standard has it so, and it only completes our own POST.
    """
    mode, now = given.get("hub.mode", ""), rt.clock.now()
    if not rt.settings.websub:
        raise NotFound(NOT_ASKED)
    with rt.begin() as session:
        row = store.by_uid(session, uid)
        if row is None or row.topic != given.get("hub.topic"):
            raise NotFound(NOT_ASKED)
        if mode == "denied":
            _denied(row, given.get("hub.reason", ""), now)
            if row.source_id is not None:
                store.poll_soon(session, row.source_id, now=now)
            return ""
        if not store.is_expected(row, mode, now) or not given.get("hub.challenge"):
            raise NotFound(NOT_ASKED)
        if mode == "unsubscribe":
            row.state, row.claim_id, row.lease_until = "stopped", None, None
        else:
            _agreed(row, given.get("hub.lease_seconds", ""), now)
    log.info("source_hub.verified", source_id=row.source_id, mode=mode)
    return given["hub.challenge"]


def take(rt: Runtime, uid: str, *, body: bytes, content_type: str, signature: str | None) -> bool:
    """Take what a hub sends, to be read later; False when nobody listens there any more. Raises NotFound.

    What is not signed with our secret is thanked for and forgotten: a forger learns nothing (section 7.1).
    """
    now = rt.clock.now()
    if not rt.settings.websub:
        raise NotFound(NOT_ASKED)
    with rt.begin() as session:
        row = store.by_uid(session, uid)
        if row is None:
            raise NotFound(NOT_ASKED)
        if row.mode != "subscribe" or row.state == "stopped":
            return False
        if not is_signed(seal.unseal(rt.settings.secret_key, row.secret), body, signature):
            row.last_error = "something came that was not signed with our secret"
            rt.metrics.handled("listen", "unsigned")
            return True
        is_kept = store.take(
            session, row, content_type=content_type[:200], body=body, most=MAX_WAITING, now=now
        )
        if not is_kept and row.source_id is not None:
            store.poll_soon(session, row.source_id, now=now)
    rt.bell.ring("listen")
    return True


def tidy(rt: Runtime) -> int:
    """Leave the hubs of sources that are not read any more, and forget those that were left; how many."""
    with rt.begin() as session:
        left = store.leave_stopped(session, now=rt.clock.now())
        store.tidy(session, now=rt.clock.now(), keep=DENIED_FOR)
    return left


def _agreed(row: SourceHub, told_s: str, now: datetime) -> None:
    lasting = lease(int(told_s[:10]) if told_s.isascii() and told_s.isdigit() else None)
    row.verified_at, row.follows_until = now, now + lasting
    row.due_at, row.attempts, row.last_error = now + lasting * RENEW_AT, 0, None


def _denied(row: SourceHub, reason: str, now: datetime) -> None:
    told = "".join(letter if letter.isprintable() else " " for letter in reason)[:200]
    row.asked_at = row.follows_until = None
    row.last_error = f"denied: {told}" if told else "denied"
    row.due_at = max(row.due_at, now + DENIED_FOR)
