"""Listening to sources' hubs (W3C WebSub): they are asked to tell us; what they send is read like a poll.

    poll finds hub and topic ──► ask the hub ──► it asks back (`manage.source_hubs`) ──► ask again in time
    POST /websub/… ──► source_pushes ──► the child reads it ──► accept

A push lets us poll less, never not at all; what cannot be read is a reason to poll.
"""

from collections import Counter
from contextlib import ExitStack
from datetime import datetime

from sqlalchemy.orm import Session

from feeds import errors as feed_errors
from feeds.pool import ParserPool
from feeds.types import Door
from services import log as logs
from services.channels import hubs
from services.domain import seal
from services.domain.source_hubs import ASK_FOR_S, VERIFY_WITHIN, after_push, ask_again_at
from services.errors import Unavailable
from services.http import Answer, Request
from services.pipeline.leases import LEASE, kept
from services.pipeline.streams import Change, Stream
from services.pipeline.visits import published, revised, take_in
from services.runtime import Runtime
from services.storage import polling, work
from services.storage import source_hubs as store
from services.storage.polling import SourceDue, Visit
from services.storage.source_hubs import AskDue, PushDue
from services.storage.tables import SourceHub
from services.storage.work import Claim

PUSHES_AT_ONCE = 20
LAST_TRY = 3  # at leaving a hub: then its lease ends by itself

log = logs.get(__name__)


def run(rt: Runtime, parsers: ParserPool | None = None) -> int:
    """Ask hubs and read what they sent, until nothing is due or the process is stopping; how much it was.

    `parsers` are the caller's own, kept warm between rounds; without them there are some when needed.
    """
    if not rt.settings.websub:
        return 0
    return Asking(rt).run() + _read_pushes(rt, parsers)


class Asking:
    """Hubs are asked to tell us of a topic, again before their lease ends, and to stop."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._hops: Counter[int] = Counter()

    def run(self) -> int:
        stream = Stream(
            self._rt,
            work.SOURCE_HUBS,
            load=lambda session, held: store.begin(session, held, now=self._rt.clock.now()),
            begin=self._request, settle=self._settle,
        )  # fmt: skip
        return stream.run()

    def _request(self, one: AskDue) -> Request:
        return hubs.asking(
            one.hub,
            mode=one.mode,
            topic=one.topic,
            callback=f"{self._rt.settings.base_url}/websub/{one.uid}",
            secret=seal.unseal(self._rt.settings.secret_key, one.secret),
            lease_s=ASK_FOR_S,
            tag=one.id,
        )

    def _settle(self, one: AskDue, request: Request, answer: Answer) -> Change | Request:
        further = hubs.onward(request, answer)
        self._hops[one.id] += 1
        if further is not None and self._hops[one.id] <= hubs.REDIRECTS:
            return further
        del self._hops[one.id]
        now, error = self._rt.clock.now(), hubs.refusal(answer)
        self._rt.metrics.handled("listen", "refused" if error else one.mode)
        if one.mode == "unsubscribe" and (error or one.attempts) and one.attempts + 1 >= LAST_TRY:
            return lambda session, held: store.give_up(session, held, one, error or "it did not ask back")
        unanswered = now + VERIFY_WITHIN * (1 << min(one.attempts, 7))
        again_at = ask_again_at(one.attempts + 1, now) if error else unanswered
        return lambda session, held: store.asked(session, held, one, again_at=again_at, error=error, now=now)


def _read_pushes(rt: Runtime, parsers: ParserPool | None) -> int:
    done = 0
    with ExitStack() as stack:
        while not rt.stopping.is_set():
            with rt.begin() as session:
                held = work.claim(
                    session, work.SOURCE_PUSHES, now=rt.clock.now(), lease=LEASE, limit=PUSHES_AT_ONCE
                )
                due = store.pushes(session, held)
            if not held:
                break
            parsers = parsers or stack.enter_context(ParserPool())
            with kept(rt, work.SOURCE_PUSHES, held):
                for one in due:
                    _read(rt, held, one, parsers)
            done += len(due)
    return done


def _read(rt: Runtime, held: Claim, one: PushDue, parsers: ParserPool) -> None:
    """One push on the way of a polled body. A fault of ours in one harms no other."""
    now = rt.clock.now()
    with rt.begin() as session:
        found = polling.read(session, [one.source_id], now=now) if one.source_id else []
    visit = _visit(rt, found[0], one, parsers, now) if found else None

    with rt.begin() as session:
        row = store.push_read(session, held, one)
        if row is not None and visit is not None:
            _book(session, row, visit, now)
    rt.metrics.handled("listen", visit.outcome if visit else "nobody's")


def _book(session: Session, row: SourceHub, visit: Visit, now: datetime) -> None:
    """What a push brought, for the source's history and for its hub."""
    if visit.outcome == "unread":
        row.good, row.missed_at, row.last_error = 0, row.missed_at or now, visit.detail
        store.poll_soon(session, visit.source_id, now=now)
    else:
        stands = after_push(store.standing(row), now, has_news=bool(visit.published or visit.revised))
        row.good, row.missed_at = stands.good, stands.missed_at
    polling.told(session, visit, now=now)


def _visit(rt: Runtime, source: SourceDue, one: PushDue, parsers: ParserPool, now: datetime) -> Visit:
    try:
        if Door(source.kind) is not Door.FEED:
            raise feed_errors.FeedError("this source is no feed any more")
        feed, sieved, done = take_in(
            rt, source, one.body, content_type=one.content_type, url=one.topic, parsers=parsers, now=now
        )
    except feed_errors.FeedError as exc:
        return _line(source, one, "unread", detail=f"a push that cannot be read: {exc.message}"[:500])
    except Unavailable:
        raise
    except Exception as exc:
        log.error("listen.unexpected", source_id=source.source_id, error=type(exc).__name__)
        rt.metrics.error("listen")
        return _line(source, one, "unread", detail=f"unexpected: {type(exc).__name__}")
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    columns = {"last_entry_at": max(dates)} if dates else {}
    detail = f"{sieved.waiting} held back" if sieved.waiting else None
    return _line(
        source, one, "pushed", published=published(done), revised=revised(done), detail=detail, **columns
    )


def _line(
    source: SourceDue, one: PushDue, outcome: str, *, published: int = 0, revised: int = 0,
    detail: str | None = None, **columns: datetime,
) -> Visit:  # fmt: skip
    return Visit(
        source_id=source.source_id, outcome=outcome, status=None, took_ms=0, size=len(one.body),
        published=published, revised=revised, detail=detail, columns=columns,
    )  # fmt: skip
