"""Stage 4: what waits for a reader becomes an issue: an alert per story, or a digest per window.

Every candidate ends in an issue or is excluded with a reason; an issue without items is never made. Each
distinct content is rendered once, whoever reads it; what is personal stays a slot until it is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services import log as logs
from services.domain import reach
from services.pipeline import call_digests, digests, holding, owner_words
from services.pipeline.contents import Item, Sheet, render
from services.pipeline.leases import LEASE, kept
from services.pipeline.strength import Scales, scales
from services.pipeline.windows import closes_at, is_paused, move_on, newest_of_each_story
from services.runtime import Runtime
from services.storage import holding as store_held
from services.storage import issues as store
from services.storage import ledger, telling, work
from services.storage.issues import NewIssue, ToldEvent, Waiting, Window
from services.storage.work import Claim

ALERTS_A_BATCH = 500
WINDOWS_A_BATCH = 100

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Compose until nothing is due or the process is stopping; returns the number of issues made."""
    made = 0
    for batch in (compose_alerts, compose_digests):
        while not rt.stopping.is_set():
            count = batch(rt)
            if count is None:
                break
            made += count
    if made:
        rt.bell.ring("deliver_mail")
    return made + call_digests.run(rt) + owner_words.run(rt)


@dataclass(frozen=True, slots=True)
class _Tally:
    """What a round did with its candidates: each is issued, excluded, or waits on. The accounts close."""

    kind: str
    windows: int
    candidates: int
    told: Sequence[NewIssue]
    reasons: tuple[str, ...]

    @property
    def issued(self) -> int:
        return sum(len(issue.candidates) for issue in self.told)

    def record(self, session: Session, now: datetime) -> None:
        """Write it down with what it tells of; a round that found nothing is no round."""
        if self.candidates:
            ledger.record(
                session, at=now, kind=self.kind, windows=self.windows, issues=len(self.told),
                candidates=self.candidates, issued=self.issued, reasons=self.reasons,
            )  # fmt: skip

    def count(self, rt: Runtime) -> None:
        rt.metrics.handled("compose", "issued", self.issued)
        rt.metrics.handled("compose", "excluded", len(self.reasons))
        rt.metrics.candidates(
            issued=self.issued, excluded=self.reasons,
            waiting=self.candidates - self.issued - len(self.reasons),
        )  # fmt: skip


def compose_alerts(rt: Runtime) -> int | None:
    """One batch of alerts; None when nothing was due."""
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.ALERTS, now=now, lease=LEASE, limit=ALERTS_A_BATCH)
        waiting = store.claimed_alerts(session, held)
        events = store.told_events(session, (w.event_id for w in waiting))
    if not held:
        return None
    with kept(rt, work.ALERTS, held):
        return _make_alerts(rt, held, waiting, events)


def _make_alerts(rt: Runtime, held: Claim, waiting: Sequence[Waiting], events: dict[int, ToldEvent]) -> int:
    now = rt.clock.now()
    excluded, going = _sort_out(waiting)
    set_aside = holding.alerts(rt, going, events)
    going = [one for one in going if one.candidate_id not in set_aside]
    drawn = []
    seen: dict[tuple[int, int], NewIssue] = {}
    before = _before(rt, going, events)
    for (subscriber_id, event_id), group in _by_reader_and_event(going).items():
        event = events[event_id]
        if (subscriber_id, event.story_id) in seen:
            excluded.update((w.candidate_id, "already_told") for w in group)
            continue
        sheet = Sheet.alert(group[0].locale, group[0].timezone, _as_told(event, group[0], before))
        issue = _issue(rt, sheet, [group], "alert", f"alert:{event_id}")
        seen[subscriber_id, event.story_id] = issue
        drawn.append((sheet, issue))
    render(rt, [sheet for sheet, _ in drawn])
    with rt.begin() as session:
        mine = store.still_held_alerts(session, held)
        excluded |= _told_meanwhile(session, held)
        store.exclude(session, {c: reason for c, reason in excluded.items() if c in mine})
        store_held.set_aside(
            session, {c: until for c, until in set_aside.items() if c in mine - excluded.keys()}, now=now
        )
        standing = mine - excluded.keys() - set_aside.keys()
        told = [issue for _, issue in drawn if standing.issuperset(issue.candidates)]
        made = store.add_issues(session, told, now=now)
        out = {c: reason for c, reason in excluded.items() if c in mine}
        tally = _Tally("alerts", 0, len(mine), told, tuple(out.values()))
        tally.record(session, now)
    log.info("compose.alerts", candidates=len(held.rows), issues=made, excluded=len(excluded))
    tally.count(rt)
    return made


def compose_digests(rt: Runtime) -> int | None:
    """One batch of windows that have closed; None when none was due."""
    now = rt.clock.now()
    with rt.begin() as session:
        held = work.claim(session, work.RHYTHMS, now=now, lease=LEASE, limit=WINDOWS_A_BATCH)
        windows = store.claimed_windows(session, held)
        waiting = store.collected(session, [w for w in windows if w.is_active], now=now)
        events = store.told_events(session, (w.event_id for ws in waiting.values() for w in ws))
    if not held:
        return None
    with kept(rt, work.RHYTHMS, held):
        return _make_digests(rt, held, windows, waiting, events)


def _make_digests(
    rt: Runtime,
    held: Claim,
    windows: Sequence[Window],
    waiting: dict[int, list[Waiting]],
    events: dict[int, ToldEvent],
) -> int:
    now = rt.clock.now()
    drawn: list[tuple[int, Sheet, NewIssue]] = []
    excluded: dict[int, dict[int, str]] = {}
    shut, room = holding.windows(rt, windows)
    everything = [one for found in waiting.values() for one in found]
    weigh, before = scales(rt, everything), _before(rt, everything, events)
    for window in windows:
        if window.rhythm_id in shut:
            continue
        out, going = _sort_out(waiting.get(window.rhythm_id, ()))
        stories, repeated = newest_of_each_story(going, events)
        excluded[window.rhythm_id] = out | repeated
        if stories:
            told = [(_as_told(events[group[0].event_id], group[0], before), group) for group in stories]
            most = room.get(window.subscriber_id, digests.ITEMS_A_DIGEST)
            if most == 0:  # another digest of this batch took the rest of the day
                shut[window.rhythm_id] = reach.next_day(window.reach, now)
                continue
            sheet, issue = _digest(rt, window, told, weigh, most=min(most, digests.ITEMS_A_DIGEST))
            if window.subscriber_id in room:
                room[window.subscriber_id] -= len(issue.events)
            drawn.append((window.rhythm_id, sheet, issue))
    render(rt, [sheet for _, sheet, _ in drawn])
    with rt.begin() as session:
        mine = store.still_held_windows(session, held) - _overtaken(session, windows, drawn, now)
        for rhythm_id, reasons in excluded.items():
            if rhythm_id in mine:
                store.exclude(session, reasons)
        told_now = [issue for r, _, issue in drawn if r in mine]
        made = store.add_issues(session, told_now, now=now)
        ours = [w for w in windows if w.rhythm_id in mine]
        found = sum(len(waiting.get(w.rhythm_id, ())) for w in ours)
        out_now = tuple(why for r, reasons in excluded.items() if r in mine for why in reasons.values())
        tally = _Tally("digests", len(ours), found, told_now, out_now)
        tally.record(session, now)
        store_held.set_aside_windows(session, _paused(ours, shut, now), now=now)
        store_held.advance(session, held, [move_on(w, now, shut.get(w.rhythm_id)) for w in ours])
    log.info("compose.digests", windows=len(windows), issues=made)
    rt.metrics.handled("compose", "window", len(windows))
    tally.count(rt)
    return made


def _paused(
    windows: Iterable[Window], shut: Mapping[int, datetime], now: datetime
) -> dict[int, tuple[int, datetime]]:
    """Windows that fell due in a pause: what waits in them comes with all else when it ends."""
    return {
        w.rhythm_id: (w.subscriber_id, shut[w.rhythm_id])
        for w in windows
        if w.rhythm_id in shut and is_paused(w, now) and not w.is_catchup
    }


def _told_meanwhile(session: Session, held: Claim) -> dict[int, str]:
    """What another composer told the same readers, or an institution took back, while we were rendering.

    Composers write their alerts one after the other, so that none misses what the one before it told.
    """
    store.await_turn(session)
    return _sort_out(store.claimed_alerts(session, held))[0]


def _overtaken(
    session: Session, windows: Sequence[Window], drawn: Sequence[tuple[int, Sheet, NewIssue]], now: datetime
) -> set[int]:
    """Rhythms whose digest, as drawn, tells what was told or taken back meanwhile: composed anew later."""
    store.await_turn(session)
    waiting = store.collected(session, windows, now=now)
    going = {one.candidate_id for found in waiting.values() for one in _sort_out(found)[1]}
    return {rhythm_id for rhythm_id, _, issue in drawn if not going.issuperset(issue.candidates)}


def _sort_out(waiting: Iterable[Waiting]) -> tuple[dict[int, str], list[Waiting]]:
    """Candidates that end here {id: reason}, and those that go on."""
    excluded, going = {}, []
    for one in waiting:
        reason = one.excluded or ("already_told" if one.told == "same" else None)
        if reason:
            excluded[one.candidate_id] = reason
        else:
            going.append(one)
    return excluded, going


def _by_reader_and_event(going: Iterable[Waiting]) -> dict[tuple[int, int], list[Waiting]]:
    groups: dict[tuple[int, int], list[Waiting]] = {}
    for one in going:
        groups.setdefault((one.subscriber_id, one.event_id), []).append(one)
    return groups


def _before(
    rt: Runtime, going: Iterable[Waiting], events: Mapping[int, ToldEvent]
) -> dict[tuple[int, int], Mapping[str, Any]]:
    """What was told before of the notices that changed: {(notice, revision): snapshot}."""
    wanted = {
        (events[one.event_id].notice_id, one.told_revision)
        for one in going
        if one.told_revision is not None and events[one.event_id].type == "revised"
    }
    if not wanted:
        return {}
    with rt.begin() as session:
        return telling.snapshots(session, wanted)


def _as_told(event: ToldEvent, one: Waiting, before: Mapping[tuple[int, int], Mapping[str, Any]]) -> Item:
    """The event with how this reader meets it: a revision is news to who never had the first."""
    if event.type != "revised":
        return Item(event, event.type)
    if one.told == "nothing" or one.told_revision is None:
        return Item(event, "published")
    return Item(event, "revised", before.get((event.notice_id, one.told_revision)))


def _digest(
    rt: Runtime, window: Window, stories: Sequence[tuple[Item, list[Waiting]]], weigh: Scales, *, most: int
) -> tuple[Sheet, NewIssue]:
    """The digest of a window; what has no room waits for the next. A single story that was held back comes
    as the alert that it is."""
    until = closes_at(window, rt.clock.now())
    if window.is_catchup and len(stories) == 1:
        ((item, group),) = stories
        sheet = Sheet.alert(group[0].locale, group[0].timezone, item)
        return sheet, _issue(rt, sheet, [group], "alert", f"alert:{item.event.event_id}")
    drawn = digests.compose(rt, window, stories, weigh, until=until, most=most)
    key = f"{window.cadence}@{until.isoformat()}"
    return drawn.sheet, _issue(rt, drawn.sheet, drawn.groups, "digest", key, drawn.ranks)


def _issue(
    rt: Runtime, sheet: Sheet, groups: Sequence[list[Waiting]], kind: str, window_key: str,
    ranks: Mapping[int, Mapping[str, Any]] | None = None,
) -> NewIssue:  # fmt: skip
    slots: dict[str, str] = {}
    for place, (item, group) in enumerate(zip(sheet.items, groups, strict=True)):
        slots[f"why:{place}"] = digests.why_line(group)
        slots[f"less:{place}"] = f"{group[0].subscription_id}:{item.event.notice_id}"
    if kind == "alert":
        slots["list"] = str(groups[0][0].subscription_id)
    elif len(cadences := {w.usual for group in groups for w in group}) == 1:
        slots["list"] = cadences.pop()  # a catch-up of several rhythms is of no list: one click ends all
    return NewIssue(
        subscriber_id=groups[0][0].subscriber_id,
        kind=kind,
        window_key=window_key,
        content_hash=sheet.hash(rt.settings.base_url),
        slots=slots,
        events=tuple(item.event for item in sheet.items),
        candidates=tuple(w.candidate_id for group in groups for w in group),
        ranks=ranks or {},
        is_urgent=any(w.is_urgent for group in groups for w in group),
    )
