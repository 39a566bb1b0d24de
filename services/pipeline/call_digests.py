"""Endpoints that are told in digests: when a window closes, what waited becomes one call.

Not a call without events. Of several events of one notice the newest is told; the others are excluded, with
the reason. A window that falls due while its endpoint is paused stays open until it is active again.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from services import log as logs
from services.domain import cadence
from services.pipeline.windows import latest_close
from services.runtime import Runtime
from services.storage import call_digests as store
from services.storage.call_digests import Span, WaitingCall, Window

WINDOWS_A_BATCH = 100
MOST_EVENTS = 500  # a call; more of them in one window are told in further calls

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Close what is due; returns how many calls were made of it."""
    made, closed = 0, 0
    while not rt.stopping.is_set():
        now = rt.clock.now()
        with rt.begin() as session:
            windows = store.due(session, now=now, limit=WINDOWS_A_BATCH)
            for window in windows:
                made += _close(rt, session, window)
        closed += len(windows)
        if not windows:
            break
    if closed:
        log.info("compose.calls", windows=closed, calls=made)
        rt.bell.ring("deliver_webhook")
    return made


def _close(rt: Runtime, session: Session, window: Window) -> int:
    now = rt.clock.now()
    if window.cadence == "instant":
        store.release(session, window.endpoint_id, now=now)
        store.advance(session, window.id, since=now, due_at=now, is_over=True)
        return 0
    turn = cadence.next_after(cadence.parse(window.cadence), now, ZoneInfo(window.timezone))
    if window.is_paused:
        store.advance(session, window.id, since=window.since, due_at=turn)
        return 0
    until = latest_close(window.cadence, window.timezone, window.due_at, now)
    told, dropped = newest_of_each_notice(store.waiting(session, window.endpoint_id))
    store.drop(session, dropped, now=now)
    chunks = [told[start : start + MOST_EVENTS] for start in range(0, len(told), MOST_EVENTS)]
    for number, ids in enumerate(chunks, start=1):
        span = Span(window.since, until, number, len(chunks))
        store.add(session, window.endpoint_id, ids, span, now=now)
    store.advance(session, window.id, since=until, due_at=turn)
    return len(chunks)


def newest_of_each_notice(waiting: Iterable[WaitingCall]) -> tuple[list[int], dict[int, str]]:
    """Those to be told, in order, and the others {id: reason}. What was published and taken back within one
    window is not told at all."""
    newest: dict[int, WaitingCall] = {}
    dropped: dict[int, str] = {}
    for one in waiting:
        known = newest.get(one.notice_id)
        if known is None or one.revision > known.revision:
            newest[one.notice_id] = one
            one = known or one
        if newest[one.notice_id] is not one:
            dropped[one.delivery_id] = "told by a newer event"
    for one in newest.values():
        if one.event_type == "withdrawn" and not one.was_told:
            dropped[one.delivery_id] = "taken back before it was told"
    told = sorted(one.delivery_id for one in newest.values() if one.delivery_id not in dropped)
    return told, dropped
